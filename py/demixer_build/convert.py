"""Runs the `convert.py` of one model, in a process of its own that frees its memory when it ends."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import onnx

from demixer.graphs.onnx_writer import Model, write_model


def main(model: Path, weights: Path, output: Path) -> None:
    """Call `convert(weights, output)` of a folder in `models/`, which can import the modules beside it."""
    sys.path.insert(0, str(model))
    importlib.import_module("convert").convert(weights, output)


def save(graph: Model, path: Path) -> None:
    """Write a graph to a file, and let the package `onnx` check it."""
    print(f"writing {path.name}", flush=True)
    with path.open("wb") as sink:
        write_model(graph, sink)
    onnx.checker.check_model(path)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
