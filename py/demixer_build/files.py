"""Links and mirrors files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def link(source: Path, target: Path) -> None:
    """Link to a file that never changes, or copy it where the disk has no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def mirror(contents: Mapping[str, Path], folder: Path) -> None:
    """Make a folder hold exactly these files. Only differences are written, since it may be served meanwhile.

    Parameters
    ----------
    contents : mapping of str to Path
        Path inside the folder -> file to copy.
    folder : Path
        Everything else in it is removed.
    """
    for name, source in contents.items():
        target = folder / name
        if not _same(source, target):
            _place(source, target)
    for path in sorted(folder.rglob("*"), reverse=True):  # files before their folders
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(folder).as_posix() not in contents:
            path.unlink()


def _place(source: Path, target: Path) -> None:
    if source.suffix == ".onnx":  # large, and never changed
        link(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _same(source: Path, target: Path) -> bool:
    if not target.exists():
        return False
    ours, theirs = source.stat(), target.stat()
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)
