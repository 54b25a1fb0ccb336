"""Builds ONNX graphs of static shapes, operation by operation.

Every shape is known when a graph is built, and stands beside each tensor's name with its type. Nothing is left for the
runtime to compute about shapes, and a mistake shows up here and not in a browser.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np

from demixer.graphs.contents import Entry
from demixer.graphs.dtypes import Array, Shape
from demixer.graphs.onnx_format import DTYPES
from demixer.graphs.onnx_writer import Attribute, Model, Node, Value

#: Domain of onnxruntime's own operators, such as fused attention.
CONTRIB: Final = "com.microsoft"

#: Below this a tensor is not worth a Cast.
_LARGE: Final = 256

#: Up to here, float16 has every integer.
EXACT: Final = 2048

#: Relative error of rounding to the 11 significant bits of float16; more means that values left its range.
_ROUNDING: Final = 2.0**-11

#: ONNX opset -> first version of the file format that has it.
_IR_VERSIONS: Final = {17: 8, 18: 8, 19: 9, 20: 9, 21: 10}


class Graph:
    """Collects operations in the order in which they run.

    Parameters
    ----------
    name : str
    opset : int
        Version of ONNX's operators.
    dtype : str
        What `constant` stores floating-point weights as, and `narrow` casts to.
    """

    def __init__(self, name: str, *, opset: int = 20, dtype: str = "float32") -> None:
        self.dtype = dtype
        self.flop = 0
        """Floating-point operations (two a multiply-add) of convolutions and matrix products in one run."""
        self._name = name
        self._opset = opset
        self._domains: set[str] = set()
        self._inputs: list[Value] = []
        self._nodes: list[Node] = []
        self._initialisers: dict[str, Entry] = {}
        self._names: Counter[str] = Counter()
        self._scope: list[str] = []

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Prefix the names of everything added inside, so that a profile shows where a node belongs."""
        self._scope.append(name)
        try:
            yield
        finally:
            self._scope.pop()

    @contextmanager
    def computing_in(self, dtype: str) -> Iterator[None]:
        """Compute everything added inside in another type."""
        before, self.dtype = self.dtype, dtype
        try:
            yield
        finally:
            self.dtype = before

    def unique(self, role: str) -> str:
        """A unique name made of scope, role and, if needed, a number."""
        name = "/".join([*self._scope, role])
        self._names[name] += 1
        count = self._names[name]
        return name if count == 1 else f"{name}_{count}"

    # Tensors

    def input(self, name: str, shape: Shape, dtype: str = "float32") -> Value:
        value = Value(name, tuple(shape), dtype)
        self._inputs.append(value)
        return value

    def constant(self, array: Array, role: str, *, half: bool = False) -> Value:
        """Add weights or other numbers, under a name made of the scope and their role.

        Floating-point ones have the type that is computed in. Large ones in float32 are stored as float16 with a Cast
        behind them where that is exact, which halves the file; the runtime folds the cast when it loads the graph.
        Published weights are often of this kind, and scales that belong to them are then best applied in the graph.

        Parameters
        ----------
        array : np.ndarray
        role : str
        half : bool
            Round float32 to float16 where that is not exact, unless its range does not suffice.
        """
        name = self.unique(role)
        if array.dtype.kind == "f":
            array = array.astype(self.dtype)
        if array.dtype == np.float32 and array.size >= _LARGE and (fits_half if half else is_half)(array):
            stored = self._store(f"{name}.fp16", array.astype(np.float16))
            return self.node("Cast", [stored], [Value(name, array.shape)], to=DTYPES["float32"])[0]
        return self._store(name, array)

    def weights(self, entry: Entry, role: str) -> Value:
        """Add weights that are read when the graph is written, and stored as they are then."""
        name = self.unique(role)
        self._initialisers[name] = entry
        return Value(name, entry.shape, entry.dtype)

    def integers(self, *numbers: int) -> Value:
        """An int64 vector: a shape or a list of axes, stored once however often it is used."""
        name = "integers_" + "x".join(map(str, numbers))
        return self._store(name, np.array(numbers, np.int64))

    def scalar(self, number: float) -> Value:
        """A number in the type that is computed in, stored once however often it is used."""
        return self._store(f"scalar_{number!r}_{self.dtype}", np.array(number, self.dtype))

    def _store(self, name: str, array: Array) -> Value:
        array = np.array(array, order="C")  # later changes of the caller's do not reach it
        self._initialisers.setdefault(name, Entry(array.dtype.name, array.shape, lambda: array))
        return Value(name, array.shape, array.dtype.name)

    # Any operation

    def add(
        self,
        operator: str,
        *inputs: Value | None,
        shape: Shape | None = None,
        dtype: str | None = None,
        domain: str = "",
        **attributes: Attribute,
    ) -> Value:
        """Add an operation of one output, which has shape and type of the first input unless stated otherwise.

        Parameters
        ----------
        operator : str
            Its name in ONNX.
        *inputs : Value or None
            None for an optional one that is left out.
        shape, dtype : optional
            Of the output.
        domain : str
            "" for ONNX, or `CONTRIB`.
        **attributes
            By their names in ONNX.
        """
        first = inputs[0] if inputs else None
        output = Value(
            self.unique(operator),
            first.shape if shape is None and first else tuple(shape or ()),
            first.dtype if dtype is None and first else dtype or self.dtype,
        )
        return self.node(operator, inputs, [output], domain=domain, **attributes)[0]

    def node(
        self,
        operator: str,
        inputs: Sequence[Value | None],
        outputs: Sequence[Value],
        *,
        domain: str = "",
        **attributes: Attribute,
    ) -> list[Value]:
        """Add an operation with outputs as they are described."""
        names = tuple(value.name if value else "" for value in inputs)
        produced = tuple(output.name for output in outputs)
        self._domains.add(domain)
        self._nodes.append(Node(operator, names, produced, next(filter(None, produced)), domain, attributes))
        return list(outputs)

    def model(self, outputs: Mapping[str, Value], metadata: Mapping[str, str] | None = None) -> Model:
        """The finished graph.

        Parameters
        ----------
        outputs : mapping of str to Value
            Outputs by their published names.
        metadata : mapping of str to str, optional
        """
        produced = {name for node in self._nodes for name in node.outputs}
        names: dict[str, str] = {}  # of tensors that get their published name
        copies = []  # of inputs, constants, and tensors that are published twice
        for name, value in outputs.items():
            if value.name in produced and value.name not in names:
                names[value.name] = name
            else:
                copies.append(Node("Identity", (names.get(value.name, value.name),), (name,), name))
        renamed = [
            replace(
                node,
                inputs=tuple(names.get(name, name) for name in node.inputs),
                outputs=tuple(names.get(name, name) for name in node.outputs),
            )
            for node in self._nodes
        ]
        return Model(
            self._name,
            [*renamed, *copies],
            self._inputs,
            [replace(value, name=name) for name, value in outputs.items()],
            self._initialisers,
            {"": self._opset} | {domain: 1 for domain in sorted(self._domains) if domain},
            _IR_VERSIONS[self._opset],
            "demixer",
            metadata or {},
        )

    # Types

    def cast(self, x: Value, dtype: str) -> Value:
        return x if x.dtype == dtype else self.add("Cast", x, dtype=dtype, to=DTYPES[dtype])

    def narrow(self, x: Value) -> Value:
        """A result in the type that is computed in."""
        return self.cast(x, self.dtype)

    # Element-wise

    def plus(self, a: Value, b: Value) -> Value:
        return self._elementwise("Add", a, b)

    def minus(self, a: Value, b: Value) -> Value:
        return self._elementwise("Sub", a, b)

    def times(self, a: Value, b: Value) -> Value:
        return self._elementwise("Mul", a, b)

    def over(self, a: Value, b: Value) -> Value:
        return self._elementwise("Div", a, b)

    def _elementwise(self, operator: str, a: Value, b: Value) -> Value:
        if a.dtype != b.dtype:
            raise ValueError(f"{operator} of {a} and {b}")
        return self.add(operator, a, b, shape=np.broadcast_shapes(a.shape, b.shape))

    # Layout

    def reshape(self, x: Value, *shape: int) -> Value:
        if math.prod(shape) != math.prod(x.shape):
            raise ValueError(f"{x} as {shape}")
        return x if shape == x.shape else self.add("Reshape", x, self.integers(*shape), shape=shape)

    def transpose(self, x: Value, *axes: int) -> Value:
        return self.add("Transpose", x, shape=tuple(x.shape[axis] for axis in axes), perm=axes)

    def concat(self, *parts: Value, axis: int) -> Value:
        if len(parts) == 1:
            return parts[0]
        shapes = [list(part.shape) for part in parts]
        total = sum(shape.pop(axis) for shape in shapes)
        if any(shape != shapes[0] for shape in shapes):
            raise ValueError(f"{parts} in a row along axis {axis}")
        shape = list(parts[0].shape)
        shape[axis] = total
        return self.add("Concat", *parts, shape=tuple(shape), axis=axis)

    def split(self, x: Value, parts: int, *, axis: int) -> list[Value]:
        """Equal parts."""
        if parts == 1:
            return [x]
        shape = list(x.shape)
        if shape[axis] % parts:
            raise ValueError(f"{x} in {parts} parts")
        shape[axis] //= parts
        outputs = [Value(self.unique("Split"), tuple(shape), x.dtype) for _ in range(parts)]
        if self._opset < 18:
            return self.node("Split", [x], outputs, axis=axis)
        return self.node("Split", [x], outputs, axis=axis, num_outputs=parts)

    def slice(self, x: Value, start: int, stop: int, *, axis: int) -> Value:
        """The indices from `start` up to `stop` of an axis."""
        if not 0 <= start <= stop <= x.shape[axis]:
            raise ValueError(f"{x} from {start} to {stop}")
        shape = list(x.shape)
        shape[axis] = stop - start
        bounds = [self.integers(number) for number in (start, stop, axis % len(shape))]
        return self.add("Slice", x, *bounds, shape=tuple(shape))

    def expand(self, x: Value, *shape: int) -> Value:
        return self.add("Expand", x, self.integers(*shape), shape=shape)

    # Reductions

    def reduce(self, operator: str, x: Value, *axes: int) -> Value:
        """Reduce axes, which stay with one element."""
        shape = tuple(1 if axis in axes or axis - len(x.shape) in axes else n for axis, n in enumerate(x.shape))
        if self._opset >= 18 or operator == "ReduceSum":
            return self.add(operator, x, self.integers(*axes), shape=shape, keepdims=1)
        return self.add(operator, x, shape=shape, axes=axes, keepdims=1)

    # Products

    def conv(
        self,
        x: Value,
        weight: Value,
        bias: Value | None = None,
        *,
        stride: Sequence[int] = (),
        dilation: Sequence[int] = (),
        pads: Sequence[int] = (),
    ) -> Value:
        """Convolve [batch, channels, *axes] with [out, in, *kernel]; `pads` are those before, then those after."""
        rank = len(x.shape) - 2
        stride, dilation, pads = stride or (1,) * rank, dilation or (1,) * rank, pads or (0,) * (2 * rank)
        channels, inner, *kernel = weight.shape
        if inner != x.shape[1]:
            raise ValueError(f"{x} convolved with {weight}")
        size = [
            (x.shape[2 + n] + pads[n] + pads[rank + n] - dilation[n] * (kernel[n] - 1) - 1) // stride[n] + 1
            for n in range(rank)
        ]
        self.flop += 2 * x.shape[0] * math.prod(weight.shape) * math.prod(size)
        return self.add(
            "Conv",
            *([x, weight] if bias is None else [x, weight, bias]),
            shape=(x.shape[0], channels, *size),
            kernel_shape=kernel,
            strides=stride,
            dilations=dilation,
            pads=pads,
        )

    def conv_transpose(
        self,
        x: Value,
        weight: Value,
        bias: Value | None = None,
        *,
        stride: Sequence[int] = (),
        pads: Sequence[int] = (),
    ) -> Value:
        """Transposed convolution with [in, out, *kernel]; `pads` are cut off: those before, then those after.

        A long one in float16 is computed in float32: onnxruntime-web 1.30 computes the positions of its samples in the
        type of the tensor.
        """
        rank = len(x.shape) - 2
        stride, pads = stride or (1,) * rank, pads or (0,) * (2 * rank)
        if x.dtype == "float16" and max(size * step for size, step in zip(x.shape[2:], stride, strict=True)) > EXACT:
            x, weight = self.cast(x, "float32"), self.cast(weight, "float32")
            bias = bias and self.cast(bias, "float32")
            return self.cast(self.conv_transpose(x, weight, bias, stride=stride, pads=pads), "float16")
        inner, channels, *kernel = weight.shape
        if inner != x.shape[1]:
            raise ValueError(f"{x} convolved with {weight}")
        size = [(x.shape[2 + n] - 1) * stride[n] + kernel[n] - pads[n] - pads[rank + n] for n in range(rank)]
        self.flop += 2 * math.prod(weight.shape) * x.shape[0] * math.prod(x.shape[2:])
        return self.add(
            "ConvTranspose",
            *([x, weight] if bias is None else [x, weight, bias]),
            shape=(x.shape[0], channels, *size),
            kernel_shape=kernel,
            strides=stride,
            pads=pads,
        )

    def matmul(self, a: Value, b: Value) -> Value:
        if a.shape[-1] != b.shape[-2] or a.dtype != b.dtype:
            raise ValueError(f"product of {a} and {b}")
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
        self.flop += 2 * math.prod(shape) * a.shape[-1]
        return self.add("MatMul", a, b, shape=shape)

    def gemm(self, a: Value, b: Value, bias: Value, *, trans_a: bool = False, trans_b: bool = False) -> Value:
        """Product of two matrices, with a bias that is broadcast."""
        rows, inner = a.shape[::-1] if trans_a else a.shape
        same, columns = b.shape[::-1] if trans_b else b.shape
        if inner != same:
            raise ValueError(f"product of {a} and {b}")
        self.flop += 2 * rows * inner * columns
        return self.add("Gemm", a, b, bias, shape=(rows, columns), transA=int(trans_a), transB=int(trans_b))


def is_half(array: Array) -> bool:
    """True when float16 holds every element exactly."""
    with np.errstate(over="ignore"):
        return np.array_equal(array.astype(np.float16).astype(array.dtype), array)


def fits_half(array: Array) -> bool:
    """True when float16 keeps a tensor as well as its 11 significant bits allow.

    Not so when values overflow to infinity, or when so much of the tensor is so small that subnormal numbers
    and zeros cost more than plain rounding would. A few tiny values among large ones do no harm.
    """
    with np.errstate(over="ignore", under="ignore"):
        stored = array.astype(np.float16).astype(np.float64)
    if not np.isfinite(stored).all():
        return False
    return bool(np.linalg.norm(stored - array) <= _ROUNDING * np.linalg.norm(array.astype(np.float64)))
