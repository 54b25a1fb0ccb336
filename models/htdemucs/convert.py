"""Converts the published weights of HT-Demucs to `default.onnx`, `fp32.onnx` and `fp16.onnx`.

`graph/network.py` builds the graphs. `fp32` computes the same as the published graph, and `fp16` is its form for GPUs
with float16. `default` is for processors: linear layers in eight bits and 3x3 convolutions with fewer multiplications.
NOTES.md records what was tried.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

import onnx
from graph import build

from demixer.families.htdemucs import BINS, FRAMES, SEGMENT, STEMS
from demixer.models import Precision

#: Published name -> our name and shape.
INPUTS: Final = {
    "input": ("mixture", (1, 2, SEGMENT)),
    "onnx::ReduceMean_1": ("spectrogram", (1, 4, BINS, FRAMES)),
}
OUTPUTS: Final = {
    "output": ("spectrograms", (1, STEMS, 4, BINS, FRAMES)),
    "5073": ("waveforms", (1, STEMS, 2, SEGMENT)),
}


def convert(weights: Path, output: Path) -> None:
    """Write one file for each precision.

    Parameters
    ----------
    weights : Path
        Folder with the published `htdemucs.onnx`.
    output : Path
        Folder for the results, whose bytes are the same every time.
    """
    print("rebuilding the graph of htdemucs.onnx")
    stock = onnx.load(weights / "htdemucs.onnx")
    for precision in get_args(Precision):
        print(f"writing {precision}.onnx")
        model = rename(build(stock, precision))
        onnx.checker.check_model(model)
        (output / f"{precision}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def rename(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give the inputs and outputs our names and fixed shapes; modifies the model."""
    renamed = INPUTS | OUTPUTS
    for value in (*model.graph.input, *model.graph.output):
        value.name, shape = renamed[value.name]
        dims = value.type.tensor_type.shape.dim
        for dim, size in zip(dims, shape, strict=True):
            dim.dim_value = size
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [renamed[name][0] if name in renamed else name for name in names]
    return model
