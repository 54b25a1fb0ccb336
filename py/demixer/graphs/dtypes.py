"""Element types of stored tensors, and numpy arrays from their bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from demixer.graphs.reading import damaged, unsupported

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

#: Name -> how the elements are stored, without byte order. numpy has no bfloat16: it is read as float32.
STORED: Final[dict[str, str]] = {
    "bool": "u1",
    "uint8": "u1",
    "int8": "i1",
    "uint16": "u2",
    "int16": "i2",
    "uint32": "u4",
    "int32": "i4",
    "uint64": "u8",
    "int64": "i8",
    "bfloat16": "u2",
    "float16": "f2",
    "float32": "f4",
    "float64": "f8",
    "complex64": "c8",
    "complex128": "c16",
}

#: One array of wasm32 stays below 2 GiB.
LARGEST: Final = (1 << 31) - 1
MOST_AXES: Final = 32


def item_size(dtype: str) -> int:
    """Bytes of one element."""
    return int(STORED[dtype][1:])


def byte_length(dtype: str, shape: Shape) -> int:
    """Bytes of a tensor, as it is stored."""
    return math.prod(shape) * item_size(dtype)


def checked_shape(shape: Sequence[object], dtype: str) -> Shape:
    """A shape as a file states it, once it is known to be one.

    Raises
    ------
    ModelError
        `model/integrity` when it is no shape, `model/incompatible` when its tensor is too large for one array.
    """
    if len(shape) > MOST_AXES or not all(type(size) is int and 0 <= size < 1 << 62 for size in shape):
        raise damaged("a tensor has a shape that is none")
    sizes: Shape = tuple(size for size in shape if isinstance(size, int))
    if byte_length(dtype, tuple(filter(None, sizes))) > LARGEST:
        raise unsupported("a tensor of it is larger than 2 GiB")
    return sizes


def elements(data: bytes, dtype: str, *, big_endian: bool = False) -> Array:
    """Stored elements, not yet decoded: one dimension, read-only."""
    return np.frombuffer(data, np.dtype((">" if big_endian else "<") + STORED[dtype]))


def decode(stored: Array, dtype: str) -> Array:
    """Elements as numpy computes with them: in native byte order, bfloat16 as float32."""
    if dtype == "bool":
        return np.not_equal(stored, 0)
    if dtype == "bfloat16":
        wide = stored.astype(np.uint32)
        wide <<= 16
        return wide.view(np.float32)
    return stored.astype(stored.dtype.newbyteorder("="), order="C", copy=False)
