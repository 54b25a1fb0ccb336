"""Runs one model's `convert.py` in a process of its own, which takes its memory with it when it ends."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main(model: Path, weights: Path, output: Path) -> None:
    """Call `convert(weights, output)` of a folder in `models/`; modules beside it can be imported by it."""
    sys.path.insert(0, str(model))
    importlib.import_module("convert").convert(weights, output)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
