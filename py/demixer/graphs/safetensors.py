"""Checkpoints in Hugging Face's safetensors format: a JSON header, then the tensors' bytes.

.. [1] https://github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import json
import struct
from functools import partial
from itertools import pairwise
from typing import Final

from demixer.graphs.contents import Contents, Entry
from demixer.graphs.dtypes import Array, Shape, byte_length, checked_shape, decode, elements
from demixer.graphs.reading import Readable, Section, damaged, unsupported

_DTYPES: Final = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "U32": "uint32",
    "I32": "int32",
    "U64": "uint64",
    "I64": "int64",
    "BF16": "bfloat16",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
}
#: Bytes; a thousand tensors take some 100 kB.
LONGEST_HEADER: Final = 4 << 20


def read_safetensors(source: Readable) -> Contents:
    """A checkpoint in the safetensors format; its metadata are its `__metadata__`."""
    file = Section(source, 0, source.size)
    (length,) = struct.unpack("<Q", file.read_at(0, 8))
    if length > file.size - 8:
        raise damaged("it ends too early")
    if length > LONGEST_HEADER:
        raise unsupported("its header is too long")
    try:
        header = json.loads(file.read_at(8, length).decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise damaged("its header is not valid JSON") from error
    if not isinstance(header, dict):
        raise damaged("its header is not what it should be")
    metadata = header.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise damaged("its header is not what it should be")
    data = file.section(8 + length, file.size)
    entries = {}
    used = []
    for name, about in header.items():
        dtype, shape, start, stop = _described(about)
        if not 0 <= start <= stop <= data.size or stop - start != byte_length(dtype, shape):
            raise damaged("a tensor lies outside its data")
        used.append((start, stop))
        entries[name] = Entry(dtype, shape, partial(_read, data, dtype, shape, start))
    used.sort()
    if any(stop > start for (_, stop), (start, _) in pairwise(used)):
        raise damaged("tensors of it overlap")
    return Contents("safetensors", entries, metadata)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    items = dict(pairs)
    if len(items) != len(pairs):
        raise ValueError("a name stands twice")
    return items


def _described(about: object) -> tuple[str, Shape, int, int]:
    match about:
        case {"dtype": str(code), "shape": list(shape), "data_offsets": [int(start), int(stop)]}:
            if code not in _DTYPES:
                raise unsupported(f"it has tensors of type {code[:20]}")
            return _DTYPES[code], checked_shape(shape, _DTYPES[code]), start, stop
    raise damaged("its header is not what it should be")


def _read(data: Section, dtype: str, shape: Shape, start: int) -> Array:
    return decode(elements(data.read_at(start, byte_length(dtype, shape)), dtype), dtype).reshape(shape)
