"""The part of ONNX's format that is read and written here: field numbers, types, and protobuf's encoding of integers.

.. [1] https://github.com/onnx/onnx, `onnx/onnx.proto`.
.. [2] https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

#: Name of an element type -> `TensorProto.DataType`.
DTYPES: Final[dict[str, int]] = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
    "complex64": 14,
    "complex128": 15,
    "bfloat16": 16,
}


class Wire(IntEnum):
    """How a field is encoded."""

    VARINT = 0
    FIXED64 = 1
    BYTES = 2
    FIXED32 = 5


class ModelField(IntEnum):
    """`ModelProto`."""

    IR_VERSION = 1
    PRODUCER = 2
    GRAPH = 7
    OPSETS = 8
    METADATA = 14


class OpsetField(IntEnum):
    """`OperatorSetIdProto`."""

    DOMAIN = 1
    VERSION = 2


class PropertyField(IntEnum):
    """`StringStringEntryProto`."""

    KEY = 1
    VALUE = 2


class GraphField(IntEnum):
    """`GraphProto`."""

    NODE = 1
    NAME = 2
    INITIALISER = 5
    INPUT = 11
    OUTPUT = 12


class NodeField(IntEnum):
    """`NodeProto`."""

    INPUT = 1
    OUTPUT = 2
    NAME = 3
    OPERATOR = 4
    ATTRIBUTE = 5
    DOMAIN = 7


class AttributeField(IntEnum):
    """`AttributeProto`."""

    NAME = 1
    FLOAT = 2
    INT = 3
    STRING = 4
    FLOATS = 7
    INTS = 8
    STRINGS = 9
    TYPE = 20


class ValueField(IntEnum):
    """`ValueInfoProto`."""

    NAME = 1
    TYPE = 2


class TypeField(IntEnum):
    """`TypeProto`."""

    TENSOR = 1


class TensorTypeField(IntEnum):
    """`TypeProto.Tensor`."""

    DTYPE = 1
    SHAPE = 2


class ShapeField(IntEnum):
    """`TensorShapeProto`."""

    DIMENSION = 1


class DimensionField(IntEnum):
    """`TensorShapeProto.Dimension`."""

    SIZE = 1
    NAME = 2


class TensorField(IntEnum):
    """`TensorProto`."""

    SHAPE = 1
    DTYPE = 2
    SEGMENT = 3
    FLOATS = 4
    INT32S = 5
    INT64S = 7
    NAME = 8
    RAW = 9
    DOUBLES = 10
    UINT64S = 11
    EXTERNAL = 13
    LOCATION = 14


def varint(value: int) -> bytes:
    """A base-128 integer, least significant group first; negative ones as 64-bit two's complement."""
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
