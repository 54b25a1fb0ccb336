"""ONNX graphs: two made for measuring, and the inputs and operations of any graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
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


Shapes = Mapping[str, tuple[int, ...]]

_COUNTED: Final = {"Conv", "ConvTranspose", "MatMul", "Gemm"}


def matmul() -> onnx.ModelProto:
    """A chain of square matrix products, 17 GFLOP: a runtime's best rate."""
    weight = np.random.default_rng(0).standard_normal((SIZE, SIZE), np.float32) / np.float32(SIZE**0.5)
    names = ["x", *(f"product{index}" for index in range(1, PRODUCTS)), "y"]
    nodes = [helper.make_node("MatMul", [before, "weight"], [after]) for before, after in pairwise(names)]
    return _model("matmul", nodes, {"x": (SIZE, SIZE)}, {"y": (SIZE, SIZE)}, {"weight": weight})


def idle() -> onnx.ModelProto:
    """HT-Demucs' inputs and outputs without its network: both branches give each stem an eighth of the mixture."""
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
    """Shape of each input of a graph."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in model.graph.input
        if value.name not in constants
    }


def gflop(model: onnx.ModelProto) -> float:
    """Count the operations of one run, in 1e9: two for each multiply-add of convolutions and matrix products.

    The metadata `gflop` of a graph takes precedence. A graph with operators of onnxruntime needs it, since ONNX cannot
    infer their shapes.

    Raises
    ------
    ValueError
        When the shape of a counted tensor is unknown.
    """
    for entry in model.metadata_props:
        if entry.key == "gflop":
            return float(entry.value)
    inferred = onnx.shape_inference.infer_shapes(model)
    shapes = {tensor.name: tuple(tensor.dims) for tensor in inferred.graph.initializer}
    for value in (*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output):
        shapes[value.name] = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    return sum(_operations(node, shapes) for node in inferred.graph.node if node.op_type in _COUNTED) / 1e9


def _operations(node: onnx.NodeProto, shapes: Shapes) -> int:
    first, second = (_shape(name, shapes) for name in node.input[:2])
    result = _shape(node.output[0], shapes)
    if node.op_type == "Conv":  # one kernel for each value of the result
        return 2 * math.prod(result) * math.prod(second[1:])
    if node.op_type == "ConvTranspose":  # one kernel for each value of the input
        return 2 * math.prod(first) * math.prod(second[1:])
    transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
    return 2 * math.prod(result) * first[-2 if transposed else -1]


def _shape(name: str, shapes: Shapes) -> tuple[int, ...]:
    shape = shapes.get(name, ())
    if not shape or 0 in shape:
        raise ValueError(f"the shape of {name} is unknown")
    return shape


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
