"""A small graph writer: ONNX nodes with static shapes, and a count of their work.

Every shape of HT-Demucs is known when the graph is built, so the writer keeps it beside each tensor's name. The
runtime computes no shapes, and a mistake shows up here instead of in a browser.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from .weights import Affine, Array

OPSET: Final = 20
"""First opset with the operator Gelu."""
IR_VERSION: Final = 9
CONTRIB: Final = "com.microsoft"
"""Domain of onnxruntime's own operators; those used here are in every build, native and web."""

LARGE: Final = 256
"""Number of elements from which a tensor is worth a Cast."""
EXACT: Final = 2048
"""Up to here, float16 has every integer."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Value:
    """A tensor of the graph."""

    name: str
    shape: Shape


class Graph:
    """Collects nodes in the order in which they run.

    Parameters
    ----------
    half : bool
        Compute in float16, except within `full`.
    """

    def __init__(self, *, half: bool = False) -> None:
        self.half = half
        """True while constants are written in float16."""
        self.flop = 0
        """Floating-point operations (two a multiply-add) of convolutions and matrix products in one run."""
        self._inputs: list[onnx.ValueInfoProto] = []
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, TensorProto] = {}
        self._names: Counter[str] = Counter()
        self._scope: list[str] = []

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Prefix the names of nodes added inside, so that a profile shows where they belong."""
        self._scope.append(name)
        yield
        self._scope.pop()

    @contextmanager
    def full(self, *values: Value) -> Iterator[list[Value]]:
        """Compute in float32 inside, starting from these values; `narrow` converts results back."""
        wide = [self.widen(value) for value in values]
        half, self.half = self.half, False
        yield wide
        self.half = half

    def widen(self, x: Value) -> Value:
        """Convert a result in the precision of the graph to float32."""
        return self.cast(x, TensorProto.FLOAT) if self.half else x

    def narrow(self, x: Value) -> Value:
        """Convert a float32 result to the precision of the graph."""
        return self.cast(x, TensorProto.FLOAT16) if self.half else x

    def cast(self, x: Value, kind: int) -> Value:
        return self.apply("Cast", x, to=kind)

    def input(self, name: str, shape: Shape) -> Value:
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return Value(name, shape)

    def constant(self, array: npt.NDArray[Any], role: str) -> Value:
        """Add weights, stored as float16 where that is exact, as it is for the published ones.

        The runtime folds the cast, and everything else that depends on constants alone, when it loads the graph. A
        scale of a published tensor is therefore best applied in the graph, which halves the file.
        """
        name = self.unique(role)
        if self.half and array.dtype == np.float32:
            array = array.astype(np.float16)
        if array.dtype == np.float32 and array.size >= LARGE and is_half(array):
            half = f"{name}.fp16"
            self._constants[half] = numpy_helper.from_array(array.astype(np.float16), half)
            self.node("Cast", [Value(half, array.shape)], [name], to=TensorProto.FLOAT)
        else:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return Value(name, array.shape)

    def shape(self, dims: Sequence[int]) -> Value:
        """An int64 vector, such as a shape or a list of axes; equal ones are stored once."""
        name = "shape_" + "x".join(map(str, dims))
        self._constants.setdefault(name, numpy_helper.from_array(np.array(dims, np.int64), name))
        return Value(name, (len(dims),))

    def apply(
        self, op: str, *inputs: Value | None, shape: Shape | None = None, domain: str = "", **attributes: Any
    ) -> Value:
        """Add a node with one output, by default of the shape of the first input."""
        first = inputs[0]
        if shape is None:
            assert first is not None, f"{op} needs a shape"
            shape = first.shape
        (name,) = self.node(op, inputs, [self.unique(op)], domain, **attributes)
        return Value(name, shape)

    def node(
        self, op: str, inputs: Sequence[Value | None], outputs: list[str], domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add any node; None leaves out an input, and "" an output."""
        name = next(filter(None, outputs))
        names = [value.name if value else "" for value in inputs]
        self._nodes.append(helper.make_node(op, names, outputs, name, domain=domain, **attributes))
        return outputs

    def model(self, outputs: dict[str, Value], about: dict[str, str]) -> onnx.ModelProto:
        """The finished graph with the given names of outputs, and `about` as its metadata."""
        published = []
        for name, value in outputs.items():
            self.node("Identity", [value], [name])
            published.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape))
        graph = helper.make_graph(self._nodes, "htdemucs", self._inputs, published, list(self._constants.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="demixer")
        helper.set_model_props(model, about)
        return model

    # Element-wise

    def add(self, a: Value, b: Value) -> Value:
        return self.apply("Add", a, b, shape=np.broadcast_shapes(a.shape, b.shape))

    def sub(self, a: Value, b: Value) -> Value:
        return self.apply("Sub", a, b, shape=np.broadcast_shapes(a.shape, b.shape))

    def mul(self, a: Value, b: Value) -> Value:
        return self.apply("Mul", a, b, shape=np.broadcast_shapes(a.shape, b.shape))

    def div(self, a: Value, b: Value) -> Value:
        return self.apply("Div", a, b, shape=np.broadcast_shapes(a.shape, b.shape))

    def scalar(self, value: float) -> Value:
        name = f"scalar_{value:g}"
        self._constants.setdefault(name, numpy_helper.from_array(np.array(value, np.float32), name))
        return Value(name, ())

    # Layout

    def reshape(self, x: Value, shape: Shape) -> Value:
        assert math.prod(shape) == math.prod(x.shape), (x.shape, shape)
        return x if shape == x.shape else self.apply("Reshape", x, self.shape(shape), shape=shape)

    def transpose(self, x: Value, *axes: int) -> Value:
        return self.apply("Transpose", x, shape=tuple(x.shape[axis] for axis in axes), perm=axes)

    def concat(self, *parts: Value, axis: int) -> Value:
        if len(parts) == 1:
            return parts[0]
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        return self.apply("Concat", *parts, shape=tuple(shape), axis=axis)

    def split(self, x: Value, parts: int, axis: int) -> list[Value]:
        """Equal parts."""
        if parts == 1:
            return [x]
        shape = list(x.shape)
        assert shape[axis] % parts == 0, (x.shape, parts)
        shape[axis] //= parts
        names = self.node("Split", [x], [self.unique("Split") for _ in range(parts)], axis=axis, num_outputs=parts)
        return [Value(name, tuple(shape)) for name in names]

    def expand(self, x: Value, shape: Shape) -> Value:
        return self.apply("Expand", x, self.shape(shape), shape=shape)

    # Reductions, which keep the axes with one element

    def reduce(self, op: str, x: Value, *axes: int) -> Value:
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
        return self.apply(op, x, self.shape(axes), shape=shape, keepdims=1)

    # Products

    def conv(
        self,
        x: Value,
        layer: Affine,
        *,
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    ) -> Value:
        """Convolve [1, channels, rows, frames]; `pads` are top, left, bottom, right."""
        channels_out, channels_in, *kernel = layer.weight.shape
        assert channels_in == x.shape[1], (layer.weight.shape, x.shape)
        size = [
            (x.shape[2 + n] + pads[n] + pads[2 + n] - dilation[n] * (kernel[n] - 1) - 1) // stride[n] + 1
            for n in (0, 1)
        ]
        self.flop += 2 * layer.weight.size * math.prod(size)
        return self.apply(
            "Conv",
            x,
            self.constant(layer.weight, "weight"),
            self.constant(layer.bias, "bias"),
            shape=(1, channels_out, *size),
            kernel_shape=kernel,
            strides=stride,
            dilations=dilation,
            pads=pads,
        )

    def conv_transpose(
        self, x: Value, layer: Affine, *, stride: tuple[int, int], pads: tuple[int, int, int, int]
    ) -> Value:
        """Transposed convolution; `pads` (top, left, bottom, right) are cut off.

        A long one is computed in float32: onnxruntime-web 1.30 computes the positions of its samples in the type of the
        tensor.
        """
        if self.half and max(x.shape[2] * stride[0], x.shape[3] * stride[1]) > EXACT:
            with self.full(x) as (x,):
                y = self.conv_transpose(x, layer, stride=stride, pads=pads)
            return self.narrow(y)
        channels_in, channels_out, *kernel = layer.weight.shape
        assert channels_in == x.shape[1], (layer.weight.shape, x.shape)
        size = [(x.shape[2 + n] - 1) * stride[n] + kernel[n] - pads[n] - pads[2 + n] for n in (0, 1)]
        self.flop += 2 * layer.weight.size * math.prod(x.shape[2:])
        return self.apply(
            "ConvTranspose",
            x,
            self.constant(layer.weight, "weight"),
            self.constant(layer.bias, "bias"),
            shape=(1, channels_out, *size),
            kernel_shape=kernel,
            strides=stride,
            pads=pads,
        )

    def matmul(self, a: Value, b: Value) -> Value:
        assert a.shape[-1] == b.shape[-2], (a.shape, b.shape)
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
        self.flop += 2 * math.prod(shape) * a.shape[-1]
        return self.apply("MatMul", a, b, shape=shape)

    def gemm(self, a: Value, b: Value, bias: Value, *, trans_a: bool = False, trans_b: bool = False) -> Value:
        """Product of two matrices plus a broadcast bias."""
        rows, inner = a.shape[::-1] if trans_a else a.shape
        same, columns = b.shape[::-1] if trans_b else b.shape
        assert inner == same, (a.shape, b.shape)
        self.flop += 2 * rows * inner * columns
        return self.apply("Gemm", a, b, bias, shape=(rows, columns), transA=int(trans_a), transB=int(trans_b))

    def unique(self, role: str) -> str:
        """A unique name made of scope and role, numbered from the second use on."""
        name = "/".join([*self._scope, role])
        self._names[name] += 1
        count = self._names[name]
        return name if count == 1 else f"{name}_{count}"


def is_half(array: Array) -> bool:
    """True when float16 holds every element exactly."""
    with np.errstate(over="ignore"):
        return np.array_equal(array.astype(np.float16).astype(np.float32), array)
