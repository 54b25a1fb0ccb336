"""Takes over one piece of the kit: `python3 unpack.py COUNT FOLDER`. The last of COUNT pieces unpacks all into FOLDER.

Standard library only, and alone in its folder.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
from pathlib import Path


def unpack(here: Path, count: int, target: Path) -> bool:
    """Keep the piece in `here`; True when all have come and the kit is unpacked."""
    kept = target / "pieces"
    kept.mkdir(parents=True, exist_ok=True)
    for part in here.glob("kit.[0-9][0-9]"):
        shutil.copyfile(part, kept / part.name)
    parts = sorted(kept.iterdir())
    if len(parts) < count:
        return False
    whole = target / "kit.tar.xz"
    with whole.open("wb") as joined:
        for part in parts:
            joined.write(part.read_bytes())
    with tarfile.open(whole) as archive:
        archive.extractall(target, filter="data")
    whole.unlink()
    return True


if __name__ == "__main__":
    print(unpack(Path(__file__).parent, int(sys.argv[1]), Path(sys.argv[2])))
