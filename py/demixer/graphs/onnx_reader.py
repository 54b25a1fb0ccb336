"""Weights and interface of an ONNX graph, read without the graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from demixer.graphs.contents import Contents, Entry
from demixer.graphs.dtypes import MOST_AXES, STORED, Array, Shape, byte_length, checked_shape, decode, elements
from demixer.graphs.onnx_format import (
    DTYPES,
    DimensionField,
    GraphField,
    ModelField,
    OpsetField,
    PropertyField,
    ShapeField,
    TensorField,
    TensorTypeField,
    TypeField,
    ValueField,
    Wire,
)
from demixer.graphs.reading import Cursor, Readable, Section, damaged, unsupported

_NAMES: Final = {number: name for name, number in DTYPES.items()}
_MOST_FIELDS: Final = 500_000
_LONGEST_TEXT: Final = 1 << 16
#: Bytes of integers in protobuf's own encoding, which take several times as much while they are decoded.
_LONGEST_INTEGERS: Final = 16 << 20

#: Finds the file that has the data of tensors stored outside of the graph.
FindExternal = Callable[[str], Readable]


class _Field(NamedTuple):
    number: int
    wire: int
    value: int  # of an integer
    section: Section  # of everything else


def read_onnx(source: Readable, find_external: FindExternal | None = None) -> Contents:
    """The initialisers of an ONNX graph.

    Parameters
    ----------
    source : Readable
    find_external : callable, optional

    Returns
    -------
    Contents
        Its metadata: `ir_version`, `producer`, `opsets` (domain -> version), `properties`, and `inputs` and `outputs`
        (name -> list of sizes; a text or None where a size is open).
    """
    properties: dict[str, str] = {}
    opsets: dict[str, int] = {}
    metadata: dict[str, object] = {"opsets": opsets, "properties": properties}
    graphs = []
    for field in _fields(Section(source, 0, source.size)):
        match field.number, field.wire:
            case ModelField.IR_VERSION, Wire.VARINT:
                metadata["ir_version"] = field.value
            case ModelField.PRODUCER, Wire.BYTES:
                metadata["producer"] = _text(field.section)
            case ModelField.GRAPH, Wire.BYTES:
                graphs.append(field.section)
            case ModelField.OPSETS, Wire.BYTES:
                opset = {part.number: part for part in _fields(field.section)}
                domain = opset.get(OpsetField.DOMAIN)
                version = opset.get(OpsetField.VERSION)
                opsets[_text(domain.section) if domain else ""] = version.value if version else 0
            case ModelField.METADATA, Wire.BYTES:
                key, value = _property(field.section)
                properties[key] = value
    if len(graphs) != 1 or not opsets:
        raise unsupported("it is neither a checkpoint nor an ONNX graph")
    entries: dict[str, Entry] = {}
    inputs: dict[str, list[object]] = {}
    outputs: dict[str, list[object]] = {}
    for field in _fields(graphs[0]):
        if field.wire != Wire.BYTES:
            continue
        match field.number:
            case GraphField.INITIALISER:
                name, entry = _initialiser(field.section, find_external)
                if name in entries:
                    raise damaged(f"it has two tensors {name[:100]}")
                entries[name] = entry
            case GraphField.INPUT:
                name, sizes = _value(field.section)
                inputs[name] = sizes
            case GraphField.OUTPUT:
                name, sizes = _value(field.section)
                outputs[name] = sizes
    metadata["inputs"] = {name: sizes for name, sizes in inputs.items() if name not in entries}
    metadata["outputs"] = outputs
    return Contents("onnx", entries, metadata)


def _fields(message: Section) -> Iterator[_Field]:
    """The fields of a message in the order of the file; what is inside them is not read."""
    cursor = Cursor(message)
    for _ in range(_MOST_FIELDS):
        if not cursor.remaining:
            return
        key = _varint(cursor)
        number, wire = key >> 3, key & 7
        start = cursor.position
        match wire:
            case Wire.VARINT:
                yield _Field(number, wire, _varint(cursor), message)
                continue
            case Wire.FIXED32:
                cursor.skip(4)
            case Wire.FIXED64:
                cursor.skip(8)
            case Wire.BYTES:
                length = _varint(cursor)
                start = cursor.position
                cursor.skip(length)
            case _:
                raise damaged("it is neither a checkpoint nor an ONNX graph")
        yield _Field(number, wire, 0, message.section(start, cursor.position))
    raise unsupported("it has too many parts")


def _varint(cursor: Cursor) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = cursor.byte()
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & ((1 << 64) - 1)
    raise damaged("it has an integer that is too long")


def _text(section: Section) -> str:
    if section.size > _LONGEST_TEXT:
        raise unsupported("it has a text that is too long")
    try:
        return section.read_at(0, section.size).decode("utf-8")
    except UnicodeDecodeError as error:
        raise damaged("it has a text that is none") from error


def _texts(message: Section) -> dict[int, str]:
    return {field.number: _text(field.section) for field in _fields(message) if field.wire == Wire.BYTES}


def _property(message: Section) -> tuple[str, str]:
    texts = _texts(message)
    return texts.get(PropertyField.KEY, ""), texts.get(PropertyField.VALUE, "")


def _value(message: Section) -> tuple[str, list[object]]:
    """Name and sizes of an input or output."""
    name = ""
    sizes: list[object] = []
    for field in _fields(message):
        if field.number == ValueField.NAME and field.wire == Wire.BYTES:
            name = _text(field.section)
        elif field.number == ValueField.TYPE and field.wire == Wire.BYTES:
            for tensor in _parts(field.section, TypeField.TENSOR):
                for shape in _parts(tensor, TensorTypeField.SHAPE):
                    sizes = [_size(dimension) for dimension in _parts(shape, ShapeField.DIMENSION)]
    return name, sizes


def _parts(message: Section, number: int) -> Iterator[Section]:
    return (field.section for field in _fields(message) if field.number == number and field.wire == Wire.BYTES)


def _size(dimension: Section) -> int | str | None:
    for field in _fields(dimension):
        if field.number == DimensionField.SIZE and field.wire == Wire.VARINT:
            return field.value
        if field.number == DimensionField.NAME and field.wire == Wire.BYTES:
            return _text(field.section)
    return None


def _initialiser(message: Section, find_external: FindExternal | None) -> tuple[str, Entry]:
    """Name and description of a tensor; its data stay where they are."""
    name, dtype, location = "", 0, 0
    sizes: list[int] = []
    external: dict[str, str] = {}
    raw = None
    for field in _fields(message):
        match field.number, field.wire:
            case TensorField.SHAPE, Wire.VARINT:
                sizes.append(field.value)
            case TensorField.SHAPE, Wire.BYTES:
                sizes.extend(_integers([field.section.section(0, min(field.section.size, 10 * MOST_AXES))]).tolist())
            case TensorField.DTYPE, Wire.VARINT:
                dtype = field.value
            case TensorField.NAME, Wire.BYTES:
                name = _text(field.section)
            case TensorField.RAW, Wire.BYTES:
                raw = field.section
            case TensorField.EXTERNAL, Wire.BYTES:
                key, value = _property(field.section)
                external[key] = value
            case TensorField.LOCATION, Wire.VARINT:
                location = field.value
            case TensorField.SEGMENT, _:
                raise unsupported("it has tensors in segments")
    if dtype not in _NAMES:
        raise unsupported(f"tensor {name[:100]} is of a type that is not read")
    kind = _NAMES[dtype]
    shape = checked_shape(sizes, kind)
    if location == 1:
        return name, Entry(kind, shape, partial(_read_external, external, kind, shape, find_external))
    if raw is not None:
        if raw.size != byte_length(kind, shape):
            raise damaged(f"the data of tensor {name[:100]} do not fit its shape")
        return name, Entry(kind, shape, partial(_read_raw, raw, kind, shape))
    return name, Entry(kind, shape, partial(_read_typed, message, kind, shape))


def _read_raw(data: Section, dtype: str, shape: Shape) -> Array:
    return decode(elements(data.read_at(0, byte_length(dtype, shape)), dtype), dtype).reshape(shape)


def _read_external(about: dict[str, str], dtype: str, shape: Shape, find: FindExternal | None) -> Array:
    location = about.get("location", "")
    if find is None:
        raise unsupported(f"its weights are in another file, {location[:100]}")
    length = byte_length(dtype, shape)
    try:
        start = int(about.get("offset", "0")[:20])
        stated = int(about.get("length", str(length))[:20])
    except ValueError as error:
        raise damaged("the place of its data is none") from error
    if start < 0 or stated != length:
        raise damaged("the data of a tensor do not fit its shape")
    return _read_raw(Section(find(location), start, start + length), dtype, shape)


def _read_typed(message: Section, dtype: str, shape: Shape) -> Array:
    """A tensor from the fields of its type, where exporters put small ones."""
    number, wire = {
        "float32": (TensorField.FLOATS, Wire.FIXED32),
        "complex64": (TensorField.FLOATS, Wire.FIXED32),
        "float64": (TensorField.DOUBLES, Wire.FIXED64),
        "complex128": (TensorField.DOUBLES, Wire.FIXED64),
        "int64": (TensorField.INT64S, Wire.VARINT),
        "uint32": (TensorField.UINT64S, Wire.VARINT),
        "uint64": (TensorField.UINT64S, Wire.VARINT),
    }.get(dtype, (TensorField.INT32S, Wire.VARINT))
    packed = []
    single = []
    for field in _fields(message):
        if field.number == number and field.wire == Wire.BYTES:
            packed.append(field.section)
        elif field.number == number and field.wire == wire:
            single.append(field)
    if packed and single:
        raise unsupported("it mixes two encodings of a tensor")
    if wire == Wire.VARINT:
        single_values = np.array([field.value for field in single], np.uint64)
        values = _integers(packed) if packed else single_values.astype(np.int64)
        # float16 and bfloat16 are stored as the integers of their bits
        stored = values.astype(np.dtype(f"<u{STORED[dtype][1:]}")).view(np.dtype("<" + STORED[dtype]))
    else:
        sections = packed or [field.section for field in single]
        if sum(section.size for section in sections) != byte_length(dtype, shape):
            raise damaged("the data of a tensor do not fit its shape")
        stored = elements(b"".join(section.read_at(0, section.size) for section in sections), dtype)
    if stored.size != math.prod(shape):
        raise damaged("the data of a tensor do not fit its shape")
    return decode(stored, dtype).reshape(shape)


def _integers(packed: list[Section]) -> Array:
    """Integers from base-128 groups, all at once."""
    if sum(section.size for section in packed) > _LONGEST_INTEGERS:
        raise unsupported("it has a large tensor in an encoding for small ones")
    data = np.frombuffer(b"".join(section.read_at(0, section.size) for section in packed), np.uint8)
    if not data.size:
        return np.zeros(0, np.int64)
    last = np.flatnonzero(data < 0x80)
    if not last.size or last[-1] != data.size - 1:
        raise damaged("it has an integer that ends too early")
    first = np.concatenate(([0], last[:-1] + 1))
    length = last - first + 1
    if length.max() > 10:
        raise damaged("it has an integer that is too long")
    values = np.zeros(last.size, np.uint64)
    for group in range(int(length.max())):
        here = length > group
        part = (data[first[here] + group] & 0x7F).astype(np.uint64)
        values[here] |= part << np.uint64(7 * group)
    return values.astype(np.int64)
