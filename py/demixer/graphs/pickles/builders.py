"""Builders of the functions and classes that checkpoints name.

Each checks its arguments; a wrong number or kind of them raises TypeError or ValueError, which the machine reports as a
pickle that contradicts itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from demixer.graphs.dtypes import STORED, byte_length, checked_shape, decode, elements, item_size
from demixer.graphs.pickles.limits import Limits
from demixer.graphs.pickles.values import Global, Inert, PickledArray, Storage, Tensor, Type
from demixer.graphs.reading import damaged


def _ordered_dict(limits: Limits, pairs: object = ()) -> object:
    if not isinstance(pairs, list | tuple):
        raise TypeError
    limits.copies(len(pairs))
    items = {}
    for pair in pairs:
        if not isinstance(pair, list | tuple):
            raise TypeError
        key, value = pair
        items[limits.key(key)] = value
    return items


def _default_dict(_limits: Limits, _factory: object = None) -> object:
    return {}


def _sequence(limits: Limits, values: object = ()) -> Sequence[object]:
    if not isinstance(values, list | tuple):
        raise TypeError
    limits.copies(len(values))
    return values


def _tuple(limits: Limits, values: object = ()) -> object:
    return tuple(_sequence(limits, values))


def _list(limits: Limits, values: object = ()) -> object:
    return list(_sequence(limits, values))


def _set(limits: Limits, values: object = ()) -> object:
    return {limits.key(value) for value in _sequence(limits, values)}


def _frozenset(limits: Limits, values: object = ()) -> object:
    return frozenset(limits.key(value) for value in _sequence(limits, values))


def _bytes(limits: Limits, text: object = "", encoding: object = "latin1") -> object:
    """`_codecs.encode`: protocols below 3 write bytes as text."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise TypeError
    limits.copies(length=len(text))
    return text.encode("latin-1")


def _bytes_of(limits: Limits, value: object = b"", encoding: object = "latin-1") -> object:
    if isinstance(value, bytes):
        return value
    return _bytes(limits, value, encoding) if isinstance(value, str) else Inert(Global("builtins", "bytes"))


def _fraction(_limits: Limits, *parts: object) -> object:
    """A fraction: as text, or since Python 3.11 as numerator and denominator."""
    text = _joined(parts, "/")
    if not re.fullmatch(r"-?[0-9]{1,18}(/[0-9]{1,18})?", text):
        return Inert(Global("fractions", "Fraction"), parts)
    return Fraction(text)


def _device(_limits: Limits, *parts: object) -> object:
    return _joined(parts, ":") or Inert(Global("torch", "device"), parts)


def _joined(parts: tuple[object, ...], separator: str) -> str:
    """Short texts and integers in one text; empty if there is anything else."""
    short = [part for part in parts[:2] if isinstance(part, int) or (isinstance(part, str) and len(part) < 64)]
    return separator.join(map(str, short)) if len(short) == len(parts) else ""


def _dtype(_limits: Limits, code: object, *_: object) -> object:
    names = {"b1": "bool"} | {form: name for name, form in STORED.items() if name not in ("bool", "bfloat16")}
    return Type(names.get(code) if isinstance(code, str) else None)


def _scalar(_limits: Limits, kind: object, data: object = b"") -> object:
    if not isinstance(kind, Type):
        raise TypeError
    if kind.dtype is None or not isinstance(data, bytes):
        return Inert(Global("numpy", "generic"))
    if len(data) != item_size(kind.dtype):
        raise ValueError
    return decode(elements(data, kind.dtype, big_endian=kind.big_endian), kind.dtype)[0]


def _reconstruct(_limits: Limits, *_: object) -> object:
    return PickledArray()


def set_array(array: PickledArray, state: object) -> None:
    """Fill an array from the state that numpy pickles."""
    if not isinstance(state, tuple):
        raise TypeError
    _version, shape, kind, column_major, data = state
    _fill_array(array, shape, kind, data, column_major=bool(column_major))


def _from_buffer(_limits: Limits, data: object, kind: object, shape: object, order: object) -> object:
    """`numpy.core.numeric._frombuffer`, which protocol 5 writes."""
    array = PickledArray()
    _fill_array(array, shape, kind, data, column_major=order == "F")
    return array


def _fill_array(array: PickledArray, shape: object, kind: object, data: object, *, column_major: bool) -> None:
    if not isinstance(kind, Type) or not isinstance(shape, tuple):
        raise TypeError
    if kind.dtype is None or not isinstance(data, bytes):
        return  # objects, text or dates
    array.shape = checked_shape(shape, kind.dtype)
    if byte_length(kind.dtype, array.shape) != len(data):
        raise ValueError
    array.dtype, array.data = kind.dtype, data
    array.big_endian, array.column_major = kind.big_endian, column_major


def _tensor(
    _limits: Limits,
    storage: object,
    offset: object,
    shape: object,
    strides: object,
    _requires_grad: object = None,
    _hooks: object = None,
    metadata: object = None,
) -> object:
    return _view("_rebuild_tensor_v2", storage, None, offset, shape, strides, metadata)


def _typed_tensor(
    _limits: Limits,
    storage: object,
    offset: object,
    shape: object,
    strides: object,
    _requires_grad: object,
    _hooks: object,
    dtype: object,
    metadata: object = None,
) -> object:
    """`_rebuild_tensor_v3`, for dtypes without a class of storage of their own."""
    return _view("_rebuild_tensor_v3", storage, dtype, offset, shape, strides, metadata)


def _view(
    name: str, storage: object, kind: object, offset: object, shape: object, strides: object, metadata: object
) -> object:
    """A tensor, once it lies inside its storage; an inert object when its storage or dtype is of an unknown kind."""
    dtype = storage.dtype if isinstance(storage, Storage) else None
    if isinstance(kind, Global):
        dtype = kind.name if kind.module == "torch" and kind.name in STORED else None
    conjugate_or_negative = isinstance(metadata, dict) and any(value is True for value in metadata.values())
    if not isinstance(storage, Storage) or dtype is None or conjugate_or_negative:
        return Inert(Global("torch._utils", name), (kind,))
    if not (isinstance(shape, tuple) and isinstance(strides, tuple) and isinstance(offset, int)):
        raise TypeError
    sizes = checked_shape(shape, dtype)
    if len(strides) != len(sizes) or not all(type(step) is int and 0 <= step < 1 << 62 for step in strides):
        raise ValueError
    last = 0 if 0 in sizes else offset + sum((size - 1) * step for size, step in zip(sizes, strides, strict=True)) + 1
    count = storage.count if storage.dtype else storage.count // item_size(dtype)
    if offset < 0 or last > count:
        raise damaged("a tensor lies outside its data")
    return Tensor(storage, dtype, offset, sizes, strides)


def _parameter(_limits: Limits, data: object, *_: object) -> object:
    return data


def _tensor_with_attributes(limits: Limits, function: object, _type: object, arguments: object, *_: object) -> object:
    """`_rebuild_from_type_v2`: a tensor that Python code hung attributes on."""
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        raise TypeError
    if function.module != "torch._utils" or not (build := BUILDERS.get((function.module, function.name))):
        return Inert(Global("torch._tensor", "_rebuild_from_type_v2"))
    return build(limits, *arguments)


BUILDERS: Final[dict[tuple[str, str], Callable[..., object]]] = {
    ("collections", "OrderedDict"): _ordered_dict,
    ("collections", "defaultdict"): _default_dict,
    **{
        (module, name): build
        for module in ("builtins", "__builtin__")
        for name, build in (
            ("set", _set),
            ("frozenset", _frozenset),
            ("list", _list),
            ("tuple", _tuple),
            ("bytes", _bytes_of),
            ("bytearray", _bytes_of),
        )
    },
    ("_codecs", "encode"): _bytes,
    ("fractions", "Fraction"): _fraction,
    ("torch", "device"): _device,
    ("torch", "Size"): _tuple,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _typed_tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _tensor_with_attributes,
    ("numpy", "dtype"): _dtype,
    **{
        (f"{module}.{part}", name): build
        for module in ("numpy.core", "numpy._core")
        for part, name, build in (
            ("multiarray", "scalar", _scalar),
            ("multiarray", "_reconstruct", _reconstruct),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
}
