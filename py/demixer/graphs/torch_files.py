"""Checkpoints of torch: the zip archive of today and the stream of pickles before it (torch < 1.6).

Both have a pickle that describes views of storages, and the storages as raw bytes. The pickle is read at once by
`demixer.graphs.pickles`, which runs nothing; of a storage, only the part that a tensor needs is read, on request.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from demixer.graphs.archives import Archive
from demixer.graphs.contents import Contents, Entry
from demixer.graphs.dtypes import Array, decode, elements, item_size
from demixer.graphs.pickles import LONGEST, Global, PickledArray, Storage, Tensor, unpickle
from demixer.graphs.reading import Cursor, Memory, Readable, Section, damaged, unsupported
from demixer.graphs.state import split

#: torch's magic number, as the first pickle of the older container has it.
LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
LEGACY_START: Final = re.compile(
    rb"\x80[\x01-\x05](\x95.{8})?\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\.", re.DOTALL
)

#: A tensor may show an element of its storage many times; larger ones that do are refused.
_LARGEST_REPEATED: Final = 64 << 20

#: Reads a part of a storage's data: key, start and length in bytes.
_Read = Callable[[str, int, int], bytes]

_STORAGES: Final[dict[str, str | None]] = {
    "BoolStorage": "bool",
    "ByteStorage": "uint8",
    "CharStorage": "int8",
    "ShortStorage": "int16",
    "IntStorage": "int32",
    "LongStorage": "int64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "UntypedStorage": None,
}


def read_archive(source: Readable) -> Contents:
    """A checkpoint as `torch.save` writes it since version 1.6."""
    archive = Archive(source)
    roots = [match[1] for name in archive.names if (match := re.fullmatch(r"([^/]*/)data\.pkl", name))]
    if len(roots) != 1:
        raise unsupported("it is an archive, but not one of torch")
    (root,) = roots
    if f"{root}constants.pkl" in archive.names:
        raise unsupported("it is a compiled TorchScript model; its checkpoint is needed")
    big_endian = f"{root}byteorder" in archive.names and archive.size(f"{root}byteorder") == 3  # "big"

    def persistent(identity: object) -> object:
        storage, length = _storage(identity)
        if isinstance(storage, Storage):
            name = f"{root}data/{storage.key}"
            if name not in archive.names or archive.size(name) != length:
                raise damaged("the data of a tensor are missing")
        return storage

    def read(key: str, start: int, length: int) -> bytes:
        return archive.read(f"{root}data/{key}", start, length)

    size = archive.size(f"{root}data.pkl")
    if size > LONGEST:
        raise unsupported("its pickle is too long")
    pickled = Memory(archive.read(f"{root}data.pkl", 0, size))
    content = unpickle(Cursor(Section(pickled, 0, size)), persistent)
    return _contents(content, read, big_endian=big_endian)


def read_stream(source: Readable) -> Contents:
    """A checkpoint as `torch.save` wrote it before version 1.6, and still does on request."""
    cursor = Cursor(Section(source, 0, source.size))
    if unpickle(cursor) != LEGACY_MAGIC:
        raise damaged("its beginning is not what it should be")
    if unpickle(cursor) != 1001:
        raise unsupported("it is of an unknown version of torch's container")
    unpickle(cursor)  # facts about the machine that wrote it; the data are little-endian on every machine
    lengths: dict[str, int] = {}

    def persistent(identity: object) -> object:
        if isinstance(identity, tuple) and identity[:1] == ("module",) and len(identity) > 1:
            return identity[1]  # a class, followed by its source code
        storage, length = _storage(identity)
        if not isinstance(storage, Storage):
            raise unsupported("it has tensors of a kind that is not read")
        if lengths.setdefault(storage.key, length) != length:
            raise damaged("the lengths of its data contradict each other")
        return storage

    content = unpickle(cursor, persistent)
    keys = unpickle(cursor)
    if not isinstance(keys, list) or len(keys) != len(lengths):
        raise damaged("the list of its data is broken")
    sections: dict[str, Section] = {}
    for key in keys:
        if not isinstance(key, str) or key not in lengths or key in sections:
            raise damaged("the list of its data is broken")
        cursor.take(8)  # the count again
        start = cursor.position
        cursor.skip(lengths[key])
        sections[key] = Section(source, start, cursor.position)

    def read(key: str, start: int, length: int) -> bytes:
        return sections[key].read_at(start, length)

    return _contents(content, read)


def _storage(identity: object) -> tuple[Storage | Global, int]:
    """The storage that a persistent identity describes, or the name of its type if unknown; the bytes of its data."""
    if not (isinstance(identity, tuple) and len(identity) in (5, 6) and identity[0] == "storage"):
        raise damaged("its pickle refers to data in an unknown way")
    _, kind, key, _location, count, *view = identity
    if not isinstance(kind, Global) or not isinstance(key, str) or type(count) is not int or not 0 <= count < 1 << 48:
        raise damaged("its pickle refers to data in an unknown way")
    if not kind.module.startswith("torch") or kind.name not in _STORAGES:
        return kind, 0
    dtype = _STORAGES[kind.name]
    size = count * item_size(dtype or "uint8")
    start = 0
    if view and view[0] is not None:
        _, start, length = view[0]
        if not (type(start) is int and type(length) is int and 0 <= start <= start + length <= count):
            raise damaged("a tensor lies outside its data")
        count = length
    return Storage(key, dtype, start, count), size


def _contents(content: object, read: _Read, *, big_endian: bool = False) -> Contents:
    tensors, metadata = split(content)
    entries = {}
    for name, tensor in tensors.items():
        if isinstance(tensor, PickledArray):
            assert tensor.dtype is not None
            entries[name] = Entry(tensor.dtype, tensor.shape, tensor.array)
        else:
            entries[name] = Entry(tensor.dtype, tensor.shape, partial(_view, tensor, read, big_endian=big_endian))
    return Contents("torch", entries, metadata)


def _view(tensor: Tensor, read: _Read, *, big_endian: bool) -> Array:
    """Read exactly a view's bytes where they lie in order, else everything from its first to its last element."""
    if 0 in tensor.shape:
        return decode(elements(b"", tensor.dtype), tensor.dtype).reshape(tensor.shape)
    item = item_size(tensor.dtype)
    span = 1 + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.strides, strict=True))
    count = math.prod(tensor.shape)
    if count > span and count * item > _LARGEST_REPEATED:
        raise unsupported("a tensor of it repeats a few values too often")
    start = tensor.storage.start * item_size(tensor.storage.dtype or "uint8") + tensor.offset * item
    stored = elements(read(tensor.storage.key, start, span * item), tensor.dtype, big_endian=big_endian)
    # the stride of a lone element is never used, and may be anything
    strides = tuple(step * item if size > 1 else 0 for size, step in zip(tensor.shape, tensor.strides, strict=True))
    view = np.lib.stride_tricks.as_strided(stored, tensor.shape, strides, writeable=False)
    return decode(np.ascontiguousarray(view), tensor.dtype).reshape(tensor.shape)
