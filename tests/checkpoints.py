"""Writes checkpoints in the formats of torch, safetensors and Lightning, without these packages."""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: numpy's name -> torch's class of storage.
STORAGES = {
    "bool": "BoolStorage",
    "uint8": "ByteStorage",
    "int8": "CharStorage",
    "int16": "ShortStorage",
    "int32": "IntStorage",
    "int64": "LongStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "complex64": "ComplexFloatStorage",
}


@dataclass(frozen=True)
class Name:
    """A class or function, by name."""

    module: str
    name: str


@dataclass(frozen=True)
class Call:
    """An object: its maker, the maker's arguments, and perhaps a state."""

    made: Name
    arguments: tuple[object, ...] = ()
    state: object = None


@dataclass(frozen=True)
class Persistent:
    """An object outside of the pickle."""

    identity: tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Storage:
    """Memory of a tensor; uint16 data with dtype `bfloat16` for those."""

    data: Array
    dtype: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """A tensor: offset, shape and strides in elements."""

    storage: Storage
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0


def tensor(array: Array, dtype: str = "") -> View:
    """A tensor with a storage of its own."""
    strides = tuple(math.prod(array.shape[axis + 1 :]) for axis in range(array.ndim))
    return View(Storage(np.ascontiguousarray(array).reshape(-1), dtype), array.shape, strides)


def as_bfloat16(array: npt.NDArray[np.float32]) -> Array:
    """The upper halves of float32 numbers."""
    return (array.view(np.uint32) >> 16).astype(np.uint16)


class Pickler:
    """Protocol 2, as torch writes it; keeps the storages it has met."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}

    def dumps(self, value: object) -> bytes:
        return b"\x80\x02" + self._encode(value) + b"."

    def _encode(self, value: object) -> bytes:
        match value:
            case None:
                return b"N"
            case bool():
                return b"\x88" if value else b"\x89"
            case int():
                data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
                return b"\x8a" + bytes([len(data)]) + data
            case float():
                return b"G" + struct.pack(">d", value)
            case str():
                data = value.encode()
                return b"X" + struct.pack("<I", len(data)) + data
            case bytes():
                return self._encode(Call(Name("_codecs", "encode"), (value.decode("latin-1"), "latin1")))
            case tuple():
                return b"(" + b"".join(map(self._encode, value)) + b"t"
            case list():
                return b"](" + b"".join(map(self._encode, value)) + b"e"
            case OrderedDict():
                return self._encode(Call(Name("collections", "OrderedDict"))) + self._items(value)
            case dict():
                return b"}" + self._items(value)
            case Name(module, name):
                return f"c{module}\n{name}\n".encode()
            case Call(made, arguments, state):
                built = b"" if state is None else self._encode(state) + b"b"
                return self._encode(made) + self._encode(arguments) + b"R" + built
            case Persistent(identity):
                return self._encode(identity) + b"Q"
            case View(storage, shape, strides, offset):
                arguments = (self._stored(storage), offset, shape, strides, False, OrderedDict())
                return self._encode(Call(Name("torch._utils", "_rebuild_tensor_v2"), arguments))
            case np.ndarray():
                return self._encode(numpy_array(value))
        raise TypeError(value)

    def _items(self, items: Mapping[Any, object]) -> bytes:
        return b"(" + b"".join(self._encode(key) + self._encode(value) for key, value in items.items()) + b"u"

    def _stored(self, storage: Storage) -> Persistent:
        key = next((key for key, known in self.storages.items() if known is storage), str(len(self.storages)))
        self.storages[key] = storage
        kind = Name("torch", STORAGES[storage.dtype or storage.data.dtype.newbyteorder("=").name])
        return Persistent(("storage", kind, key, "cpu", storage.data.size))


def numpy_array(array: Array) -> Call:
    """A numpy array, as numpy 1 pickles it with protocol 2."""
    dtype = Call(Name("numpy", "dtype"), (array.dtype.str[1:], False, True), (3, "<", None, None, None, -1, -1, 0))
    made = Name("numpy.core.multiarray", "_reconstruct")
    state = (1, array.shape, dtype, False, array.tobytes())
    return Call(made, (Name("numpy", "ndarray"), (0,), b"b"), state)


def torch_zip(content: object, *, byte_order: str = "little", root: str = "archive") -> bytes:
    """A file as `torch.save` writes it."""
    pickler = Pickler()
    pickled = pickler.dumps(content)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{root}/data.pkl", pickled)
        archive.writestr(f"{root}/byteorder", byte_order)
        for key, storage in pickler.storages.items():
            data = storage.data.astype(storage.data.dtype.newbyteorder(">" if byte_order == "big" else "<"))
            archive.writestr(f"{root}/data/{key}", data.tobytes())
        archive.writestr(f"{root}/version", "3\n")
    return file.getvalue()


def torch_stream(content: object) -> bytes:
    """A file as `torch.save` wrote it before version 1.6."""
    pickler = Pickler()
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    head = [Pickler().dumps(value) for value in (0x1950A86A20F9469CFC6C, 1001, system)]

    class Old(Pickler):
        def _stored(self, storage: Storage) -> Persistent:
            return Persistent((*super()._stored(storage).identity, None))

    pickler = Old()
    pickled = pickler.dumps(content)
    data = [
        struct.pack("<q", storage.data.size) + storage.data.astype(storage.data.dtype.newbyteorder("<")).tobytes()
        for storage in pickler.storages.values()
    ]
    return b"".join([*head, pickled, Pickler().dumps(list(pickler.storages)), *data])


def safetensors(tensors: Mapping[str, tuple[str, Array]], metadata: Mapping[str, str] | None = None) -> bytes:
    """A file of tensors with the format's names of their types."""
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, (dtype, array) in tensors.items():
        stored = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [len(data), len(data) + len(stored)]}
        data += stored
    described = json.dumps(header).encode()
    return struct.pack("<Q", len(described)) + described + data


def demucs_package(state: Mapping[str, npt.NDArray[np.float32]], **arguments: object) -> dict[str, object]:
    """What the reference implementation of HT-Demucs saves: class, arguments, and weights in half precision."""
    if isinstance(seconds := arguments.get("segment"), Fraction):
        arguments["segment"] = Call(Name("fractions", "Fraction"), (str(seconds),))
    return {
        "klass": Name("demucs.htdemucs", "HTDemucs"),
        "args": (),
        "kwargs": arguments,
        "state": OrderedDict((name, tensor(array.astype(np.float16))) for name, array in state.items()),
        "training_args": {"dset": {"samplerate": 44100}},
    }
