"""Graphs made for measuring: what a runtime can do at best, and a model that does nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from demixer.families.htdemucs import BINS, FRAMES, SEGMENT, STEMS

SIZE: Final = 1024
PRODUCTS: Final = 8

MIXTURE: Final = (1, 2, SEGMENT)
SPECTROGRAM: Final = (1, 4, BINS, FRAMES)


def matmul() -> onnx.ModelProto:
    """A chain of square matrix products, 17 GFLOP, in which nothing but the products takes time."""
    weight = np.random.default_rng(0).standard_normal((SIZE, SIZE), np.float32) / np.float32(SIZE**0.5)
    names = ["x", *(f"product{index}" for index in range(1, PRODUCTS)), "y"]
    nodes = [helper.make_node("MatMul", [before, "weight"], [after]) for before, after in pairwise(names)]
    return _model("matmul", nodes, {"x": (SIZE, SIZE)}, {"y": (SIZE, SIZE)}, {"weight": weight})


def idle() -> onnx.ModelProto:
    """HT-Demucs' inputs and outputs without its network: every stem is a quarter of the mixture, half from each."""
    share = np.full((1, STEMS, 1, 1, 1), 0.5 / STEMS, np.float32)
    nodes = [
        helper.make_node("Unsqueeze", ["spectrogram", "stems"], ["spectrogram_of_all"]),
        helper.make_node("Mul", ["spectrogram_of_all", "share"], ["spectrograms"]),
        helper.make_node("Unsqueeze", ["mixture", "stems"], ["mixture_of_all"]),
        helper.make_node("Mul", ["mixture_of_all", "wave_share"], ["waveforms"]),
    ]
    return _model(
        "idle",
        nodes,
        {"mixture": MIXTURE, "spectrogram": SPECTROGRAM},
        {"spectrograms": (1, STEMS, *SPECTROGRAM[1:]), "waveforms": (1, STEMS, *MIXTURE[1:])},
        {"stems": np.array([1], np.int64), "share": share, "wave_share": share[..., 0]},
    )


def shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """What a graph takes: name -> shape."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in model.graph.input
        if value.name not in constants
    }


def _model(
    name: str,
    nodes: list[onnx.NodeProto],
    takes: dict[str, tuple[int, ...]],
    gives: dict[str, tuple[int, ...]],
    constants: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32 | np.int64]]],
) -> onnx.ModelProto:
    inputs, outputs = (
        [helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape) for tensor, shape in bound.items()]
        for bound in (takes, gives)
    )
    initialisers = [numpy_helper.from_array(array, tensor) for tensor, array in constants.items()]
    graph = helper.make_graph(nodes, name, inputs, outputs, initialisers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
