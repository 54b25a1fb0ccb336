"""How many floating-point operations one run of a graph takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import onnx

Shapes = Mapping[str, tuple[int, ...]]

_COUNTED: Final = {"Conv", "ConvTranspose", "MatMul", "Gemm"}


def gflop(model: onnx.ModelProto) -> float:
    """1e9 operations (two for a multiply-add) of convolutions and matrix products; the rest is not counted.

    A graph may tell it itself, as metadata `gflop`: that with onnxruntime's own operators has to, since ONNX
    does not know their shapes.

    Raises
    ------
    ValueError
        When the shape of a counted tensor is not known.
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
    if node.op_type == "Conv":  # a kernel for each value of the result
        return 2 * math.prod(result) * math.prod(second[1:])
    if node.op_type == "ConvTranspose":  # a kernel for each value of the input
        return 2 * math.prod(first) * math.prod(second[1:])
    transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
    return 2 * math.prod(result) * first[-2 if transposed else -1]


def _shape(name: str, shapes: Shapes) -> tuple[int, ...]:
    shape = shapes.get(name, ())
    if not shape or 0 in shape:
        raise ValueError(f"the shape of {name} is not known")
    return shape
