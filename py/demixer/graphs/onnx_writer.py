"""Writes ONNX graphs: protobuf's encoding of the few messages that a network needs.

A graph is written in one pass, without holding its weights: the length of a tensor follows from its type and shape, so
the lengths that protobuf writes first are known before any tensor is read. Equal graphs give equal bytes, those of the
reference implementation's deterministic encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from demixer.errors import ModelError
from demixer.graphs.contents import Entry
from demixer.graphs.dtypes import Array, Shape, byte_length
from demixer.graphs.onnx_format import (
    DTYPES,
    AttributeField,
    DimensionField,
    GraphField,
    ModelField,
    NodeField,
    OpsetField,
    PropertyField,
    ShapeField,
    TensorField,
    TensorTypeField,
    TypeField,
    ValueField,
    Wire,
    varint,
)

#: Bytes from which on a tensor's data go to the second file.
EXTERNAL_FROM: Final = 1 << 12
#: Alignment of tensors in the second file: pages, so that a runtime can map them.
ALIGNMENT: Final = 1 << 12
#: A message of protobuf stays below 2 GiB.
LONGEST: Final = (1 << 31) - 1

Attribute = int | float | str | Sequence[int] | Sequence[float] | Sequence[str]


class Sink(Protocol):
    """Takes bytes in order: an open file, or a writer into the browser's storage."""

    def write(self, data: bytes | memoryview, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the graph."""

    name: str
    shape: Shape
    dtype: str = "float32"


@dataclass(frozen=True, slots=True)
class Node:
    """An operation; an input or output named "" is left out."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    name: str = ""
    domain: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Model:
    """A graph and what a runtime must know to run it.

    Parameters
    ----------
    name : str
    nodes : sequence of Node
        Each behind those whose outputs it takes.
    inputs, outputs : sequence of Value
    initialisers : mapping of str to Entry
        Weights by name, read when they are written; those of a `Checkpoint` will do.
    opsets : mapping of str to int
        Domain -> version; "" is ONNX itself.
    metadata : mapping of str to str
    """

    name: str
    nodes: Sequence[Node]
    inputs: Sequence[Value]
    outputs: Sequence[Value]
    initialisers: Mapping[str, Entry]
    opsets: Mapping[str, int]
    ir_version: int
    producer: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Data:
    """Data that are read when they are written."""

    entry: Entry
    name: str

    def __len__(self) -> int:
        return byte_length(self.entry.dtype, self.entry.shape)


_Part = bytes | _Data


def write_model(model: Model, sink: Sink, external: Sink | None = None, location: str = "") -> None:
    """Write a graph.

    Parameters
    ----------
    model : Model
    sink : Sink
        Takes the graph, with its weights unless there is an `external` sink.
    external : Sink, optional
        Takes large weights. They are written before the graph, so that a graph is never there without them.
    location : str
        Name under which the runtime finds what `external` took.

    Raises
    ------
    ModelError
        `model/incompatible` when the graph exceeds 2 GiB; and whatever reading a tensor raises.
    """
    graph: list[_Part] = []
    for node in model.nodes:
        graph += _message(GraphField.NODE, [_node(node)])
    graph.append(_text(GraphField.NAME, model.name))
    offset = 0
    for name, entry in model.initialisers.items():
        size = byte_length(entry.dtype, entry.shape)
        if external is None or size < EXTERNAL_FROM:
            stored: list[_Part] = [_bytes_header(TensorField.RAW, size), _Data(entry, name)]
        else:
            external.write(bytes(-offset % ALIGNMENT))
            offset += -offset % ALIGNMENT
            _write(_Data(entry, name), external)
            stored = [_external(location, offset, size)]
            offset += size
        graph += _message(GraphField.INITIALISER, [_tensor(name, entry), *stored])
    for number, values in ((GraphField.INPUT, model.inputs), (GraphField.OUTPUT, model.outputs)):
        for value in values:
            graph += _message(number, [_value(value)])

    head = _integer(ModelField.IR_VERSION, model.ir_version)
    if model.producer:
        head += _text(ModelField.PRODUCER, model.producer)
    tail = b"".join(
        _joined(ModelField.OPSETS, _text(OpsetField.DOMAIN, domain) + _integer(OpsetField.VERSION, version))
        for domain, version in model.opsets.items()
    ) + _properties(ModelField.METADATA, model.metadata)
    parts = [head, *_message(ModelField.GRAPH, graph), tail]
    if sum(map(len, parts)) > LONGEST:
        raise ModelError("model/incompatible", "The graph is larger than 2 GiB.")
    for part in _gathered(parts):
        _write(part, sink)


def _gathered(parts: Sequence[_Part]) -> Iterator[_Part]:
    """Join adjacent parts."""
    waiting: list[bytes] = []
    for part in parts:
        if isinstance(part, bytes):
            waiting.append(part)
        else:
            yield b"".join(waiting)
            waiting = []
            yield part
    yield b"".join(waiting)


def _write(part: _Part, sink: Sink) -> None:
    if isinstance(part, bytes):
        sink.write(part)
        return
    array = part.entry.read()
    if (array.dtype.name, array.shape) != (part.entry.dtype, part.entry.shape):
        raise ValueError(f"{part.name} was announced as {part.entry.dtype} {part.entry.shape}, not as {array.dtype}")
    sink.write(_little_endian(array))


def _little_endian(array: Array) -> memoryview:
    stored = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1)
    return stored.view(np.uint8).data


# Messages


def _node(node: Node) -> bytes:
    return b"".join(
        (
            *(_text(NodeField.INPUT, name) for name in node.inputs),
            *(_text(NodeField.OUTPUT, name) for name in node.outputs),
            _text(NodeField.NAME, node.name) if node.name else b"",
            _text(NodeField.OPERATOR, node.operator),
            *(_joined(NodeField.ATTRIBUTE, _attribute(name, value)) for name, value in sorted(node.attributes.items())),
            _text(NodeField.DOMAIN, node.domain) if node.domain else b"",
        )
    )


def _attribute(name: str, value: Attribute) -> bytes:
    """An attribute; its type is a field of its own, numbered as in `AttributeProto.AttributeType`."""
    head = _text(AttributeField.NAME, name)
    if isinstance(value, str):
        return head + _text(AttributeField.STRING, value) + _integer(AttributeField.TYPE, 3)
    if isinstance(value, float | np.floating):
        return head + _float(AttributeField.FLOAT, float(value)) + _integer(AttributeField.TYPE, 1)
    if isinstance(value, int | np.integer):
        return head + _integer(AttributeField.INT, int(value)) + _integer(AttributeField.TYPE, 2)
    if not value:
        raise ValueError(f"attribute {name} is empty")
    if all(isinstance(item, str) for item in value):
        body = b"".join(_text(AttributeField.STRINGS, str(item)) for item in value)
        return head + body + _integer(AttributeField.TYPE, 8)
    if all(isinstance(item, int | np.integer) for item in value):
        body = b"".join(_integer(AttributeField.INTS, int(item)) for item in value)
        return head + body + _integer(AttributeField.TYPE, 7)
    body = b"".join(_float(AttributeField.FLOATS, float(item)) for item in value)
    return head + body + _integer(AttributeField.TYPE, 6)


def _tensor(name: str, entry: Entry) -> bytes:
    """A tensor without its data."""
    shape = b"".join(_integer(TensorField.SHAPE, size) for size in entry.shape)
    return shape + _integer(TensorField.DTYPE, _dtype(entry.dtype)) + _text(TensorField.NAME, name)


def _external(location: str, offset: int, size: int) -> bytes:
    place = {"location": location, "offset": str(offset), "length": str(size)}
    return _properties(TensorField.EXTERNAL, place) + _integer(TensorField.LOCATION, 1)


def _properties(number: int, properties: Mapping[str, str]) -> bytes:
    return b"".join(
        _joined(number, _text(PropertyField.KEY, key) + _text(PropertyField.VALUE, value))
        for key, value in properties.items()
    )


def _value(value: Value) -> bytes:
    sizes = b"".join(_joined(ShapeField.DIMENSION, _integer(DimensionField.SIZE, size)) for size in value.shape)
    tensor = _integer(TensorTypeField.DTYPE, _dtype(value.dtype)) + _joined(TensorTypeField.SHAPE, sizes)
    return _text(ValueField.NAME, value.name) + _joined(ValueField.TYPE, _joined(TypeField.TENSOR, tensor))


def _dtype(name: str) -> int:
    if name not in DTYPES or name == "bfloat16":  # which is read as float32
        raise ValueError(f"tensors of {name} are not written")
    return DTYPES[name]


# Fields


def _message(number: int, parts: Sequence[_Part]) -> list[_Part]:
    return [_bytes_header(number, sum(map(len, parts))), *parts]


def _joined(number: int, data: bytes) -> bytes:
    return _bytes_header(number, len(data)) + data


def _text(number: int, text: str) -> bytes:
    return _joined(number, text.encode("utf-8"))


def _integer(number: int, value: int) -> bytes:
    return varint(number << 3 | Wire.VARINT) + varint(value)


def _float(number: int, value: float) -> bytes:
    return varint(number << 3 | Wire.FIXED32) + struct.pack("<f", value)


def _bytes_header(number: int, length: int) -> bytes:
    return varint(number << 3 | Wire.BYTES) + varint(length)
