"""A process that reads mutated files with the command line's readers, since decoders in C may crash or hang one.

It takes numbers of cases, one a line, and answers each with a line of JSON: figures of the sound, an error, or, under
`raw`, one that is no `DemixError`.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from demixer.audio import Samples, check_finite
from demixer.errors import DemixError
from demixer.runtimes.files import open_song
from tests.fuzzing.cases import case

#: Address space beyond what the process has when it begins: a field that claims 4 GB fails here.
_MEMORY: Final = 1 << 30

#: Of a decoded song.
_FILE: Final = 1 << 29

#: Of which the level is measured, in seconds.
WINDOW: Final = 0.05


def outcome(path: Path) -> dict[str, Any]:
    """The sound of a file in figures, or its error."""
    try:
        with open_song(path) as opened:
            samples = opened.samples(0, opened.length)
            check_finite(samples)
            return {"rate": opened.rate, "loss": opened.loss is not None, **figures(samples, opened.rate)}
    except DemixError as error:
        return {"code": error.code, "message": error.message}


def figures(samples: Samples, rate: int) -> dict[str, Any]:
    """Channels, seconds, the peak, and the level of each window, as the loudest channel has it."""
    hop = max(1, round(WINDOW * rate))
    windows = [samples[:, at : at + hop].astype(np.float64) for at in range(0, samples.shape[1], hop)]
    levels = [float(np.sqrt(np.square(window).mean(axis=1)).max()) for window in windows]
    return {
        "channels": len(samples),
        "seconds": samples.shape[1] / rate,
        "peak": float(np.abs(samples).max()),
        "levels": levels,
    }


def main() -> None:
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, used + _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE, _FILE))
    with TemporaryDirectory() as folder:
        for line in sys.stdin:
            mutant = case(int(line))
            path = Path(folder) / f"song{Path(mutant.seed).suffix}"
            path.write_bytes(mutant.data)
            try:
                found = outcome(path)
            except Exception as error:
                found = {"raw": f"{type(error).__name__}: {error}"}
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
