"""Spleeter, two stems: from the published checkpoints to one ONNX graph, that of `demixer.graphs.spleeter`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from demixer.graphs.checkpoints import open_checkpoint
from demixer.graphs.spleeter import Network, build
from demixer_build.convert import save

CHECKPOINTS: Final = ("testcheckpoint0.ckpt", "testcheckpoint1.ckpt")  # vocals, accompaniment


def convert(weights: Path, output: Path) -> None:
    """Build the graph and write it in both precisions.

    Parameters
    ----------
    weights : Path
        Folder with the two files of `CHECKPOINTS`.
    output : Path
        Folder for `default.onnx` (weights stored as float16, computed in float32) and `fp32.onnx`.
    """
    networks = []
    for name in CHECKPOINTS:
        print(f"Spleeter: reading {name}", flush=True)
        networks.append(read(weights / name))
    for name, half in (("default.onnx", True), ("fp32.onnx", False)):
        save(build(networks, half=half), output / name)


def read(path: Path) -> Network:
    """The parameters of one network."""
    with open_checkpoint(path) as checkpoint:
        return {name: checkpoint.read(name) for name in checkpoint.tensors}
