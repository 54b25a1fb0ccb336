"""A pickle machine that builds values and calls nothing.

A pickle is a program, and Python's own unpickler runs whatever function it names. This machine shares no code with
it. It interprets the opcodes of protocols 1 to 5; a name in the pickle becomes a `Global`, which is two strings, and
nothing is ever imported. "Calling" a `Global` looks its name up in a table of functions of this module, which build
plain values, tensors and storages from arguments they have checked; any other name becomes an `Inert` object, which
keeps its arguments and its state and has no behaviour.

Everything is bounded: the pickle's length, opcodes, containers, values copied from one container to another, lengths of
integers and names, and keys whose hashes a file can make collide. A length is compared with what is left of the file
before anything is allocated. The machine does not recurse, so nesting costs no stack.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from demixer.graphs.dtypes import STORED, Array, Shape, byte_length, checked_shape, decode, elements, item_size
from demixer.graphs.reading import Cursor, damaged, unsupported

#: Bytes of a pickle. A checkpoint of torch has its weights beside it; one of numpy arrays has them inside.
LONGEST: Final = 128 << 20
MOST_OPCODES: Final = 1_000_000
MOST_CONTAINERS: Final = 250_000
#: Values, and bytes of strings, that are copied out of one object into another.
MOST_COPIED: Final = 1_000_000
MOST_COPIED_BYTES: Final = 2 * LONGEST
#: Keys that are neither text nor small integers: their hashes are not random, so many could be made to collide.
MOST_ODD_KEYS: Final = 4096
LONGEST_NAME: Final = 1024
LONGEST_INTEGER: Final = 128


@dataclass(frozen=True, slots=True)
class Global:
    """A name in a module, never resolved."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Inert:
    """An object of a class that is not known here.

    Parameters
    ----------
    kind : Global
        The class, or the function that was to make the object.
    arguments : tuple
    state : object
        The object's attributes, mostly.
    items : dict
        Entries of what was a mapping.
    values : list
        Elements of what was a sequence or a set.
    """

    kind: Global
    arguments: tuple[object, ...] = ()
    state: object = None
    items: dict[object, object] = field(default_factory=dict)
    values: list[object] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.kind)


@dataclass(frozen=True, eq=False, slots=True)
class Storage:
    """The memory that tensors are views of.

    Parameters
    ----------
    key : str
        Name of the data in the file.
    dtype : str, optional
        None for bytes without a type.
    start, count : int
        Position in the data and length, in elements.
    """

    key: str
    dtype: str | None
    start: int
    count: int


@dataclass(frozen=True, eq=False, slots=True)
class Tensor:
    """A view of a storage; offset and strides are in elements."""

    storage: Storage
    dtype: str
    offset: int
    shape: Shape
    strides: Shape


@dataclass(eq=False, slots=True)
class Type:
    """A dtype of numpy; `dtype` is None for one that is not read."""

    dtype: str | None
    big_endian: bool = False


@dataclass(eq=False, slots=True)
class PickledArray:
    """An array of numpy whose data are inside the pickle; `dtype` is None for one that is not read."""

    dtype: str | None = None
    shape: Shape = ()
    big_endian: bool = False
    column_major: bool = False
    data: bytes = b""

    def array(self) -> Array:
        assert self.dtype is not None
        stored = elements(self.data, self.dtype, big_endian=self.big_endian)
        return decode(stored.reshape(self.shape, order="F" if self.column_major else "C"), self.dtype)


def _refuse(_identity: object) -> object:
    raise unsupported("its pickle refers to data outside")


def unpickle(cursor: Cursor, persistent: Callable[[object], object] = _refuse) -> object:
    """Read one pickle and leave the cursor behind it.

    Parameters
    ----------
    cursor : Cursor
    persistent : callable
        The object that a persistent identity stands for; must check what it gets.

    Returns
    -------
    object
        None, bool, int, float, str, bytes, list, tuple, dict, set, `Fraction` or numpy scalar, and the classes of this
        module. Containers may share and contain each other in any way, themselves included.

    Raises
    ------
    ModelError
        `model/integrity` for a broken pickle, `model/incompatible` for one beyond the limits.
    """
    return _Machine(cursor, persistent).run()


class _Machine:
    """The state of one run: a stack cut into parts by marks, and a memo."""

    def __init__(self, cursor: Cursor, persistent: Callable[[object], object]) -> None:
        self._cursor = cursor
        self._persistent = persistent
        self._stack: list[object] = []
        self._marked: list[list[object]] = []  # the parts of the stack below each mark
        self._memo: dict[int, object] = {}
        self._containers = 0
        self._copied = 0
        self._copied_bytes = 0
        self._odd_keys = 0

    def run(self) -> object:
        cursor = self._cursor
        stop = cursor.position + LONGEST
        try:
            for _ in range(MOST_OPCODES):
                opcode = cursor.byte()
                if opcode == 0x2E:  # STOP
                    return self._stack.pop()
                if opcode not in _OPCODES:
                    raise damaged(f"its pickle has an unknown instruction, {opcode:#04x}")
                _OPCODES[opcode](self)
                if cursor.position > stop:
                    break
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, struct.error) as e:
            raise damaged("its pickle contradicts itself") from e
        raise unsupported("its pickle is too long")

    # Reading operands

    def number(self, form: str) -> int:
        (value,) = struct.unpack(form, self._cursor.take(struct.calcsize(form)))
        return int(value)

    def data(self, length: int) -> bytes:
        if length > LONGEST:
            raise unsupported("its pickle is too long")
        return self._cursor.take(length)

    def text(self, length: int) -> str:
        return self.data(length).decode("utf-8", "surrogatepass")

    def old_text(self, length: int) -> str:
        """A string of Python 2, which may have meant bytes."""
        data = self.data(length)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("latin-1")

    def name(self) -> str:
        return self._cursor.line(LONGEST_NAME).decode("utf-8")

    def long(self, length: int) -> int:
        if not 0 <= length <= LONGEST_INTEGER:
            raise damaged("its pickle has an integer that is too long")
        return int.from_bytes(self._cursor.take(length), "little", signed=True)

    def decimal(self) -> int | bool:
        text = self._cursor.line(LONGEST_INTEGER).rstrip(b"L").decode("ascii")
        return text == "01" if text in ("00", "01") else int(text)

    # Stack and memo

    def push(self, value: object) -> None:
        self._stack.append(value)

    def pop(self) -> object:
        return self._stack.pop()

    def drop(self) -> None:
        """Drop the top, which is the mark when nothing lies above it."""
        if self._stack:
            self._stack.pop()
        else:
            self._stack = self._marked.pop()

    def top(self) -> object:
        return self._stack[-1]

    def mark(self) -> None:
        self._marked.append(self._stack)
        self._stack = []
        self.count()

    def above_mark(self) -> list[object]:
        values, self._stack = self._stack, self._marked.pop()
        return values

    def count(self) -> None:
        """Count a container that is made."""
        self._containers += 1
        if self._containers > MOST_CONTAINERS:
            raise unsupported("its pickle has too many objects")

    def copies(self, values: int = 0, length: int = 0) -> None:
        """Count what is copied: a short pickle can ask for the same long copy again and again."""
        self._copied += values
        self._copied_bytes += length
        if self._copied > MOST_COPIED or self._copied_bytes > MOST_COPIED_BYTES:
            raise unsupported("its pickle copies too much")

    def put(self, index: int) -> None:
        self._memo[index] = self.top()

    def get(self, index: int) -> None:
        self.push(self._memo[index])

    def memoise(self) -> None:
        self._memo[len(self._memo)] = self.top()

    def persist(self) -> None:
        self.push(self._persistent(self.pop()))

    # Containers

    def container(self, value: object) -> None:
        self.count()
        self.push(value)

    def tuple_of(self, length: int) -> None:
        if length > len(self._stack):
            raise IndexError
        values = tuple(self._stack[-length:])
        del self._stack[-length:]
        self.container(values)

    def key(self, value: object) -> object:
        """A value, once it can be a key: hashable, flat, and none of too many whose hashes a file can choose."""
        if isinstance(value, str | bytes | Inert | Tensor | Global) or (
            isinstance(value, int) and abs(value) < 1 << 60
        ):
            return value
        self._odd_keys += 1
        if self._odd_keys > MOST_ODD_KEYS:
            raise unsupported("its pickle has too many keys that are not text")
        parts: Sequence[object] = (value,)
        if isinstance(value, tuple) and len(value) <= 16:
            parts = value
        if all(part is None or isinstance(part, str | bytes | int | float | Fraction | Global) for part in parts):
            return value
        raise unsupported("its pickle has a key that is not a plain value")

    def append(self, values: Iterable[object]) -> None:
        """Add values to the list or set on top."""
        target = self.top()
        if isinstance(target, list):
            target.extend(values)
        elif isinstance(target, Inert):
            target.values.extend(values)
        elif isinstance(target, set):
            target.update([self.key(value) for value in values])
        else:
            raise TypeError

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.set_items([key, value])

    def set_items(self, values: Sequence[object]) -> None:
        """Add keys and values, in turns, to the dict on top."""
        target = self.top()
        items = target.items if isinstance(target, Inert) else target
        if not isinstance(items, dict):
            raise TypeError
        for key, value in zip(values[::2], values[1::2], strict=True):
            items[self.key(key)] = value

    def dict_of_marked(self) -> None:
        values = self.above_mark()
        self.container({})
        self.set_items(values)

    def frozen(self) -> None:
        self.container(frozenset(self.key(value) for value in self.above_mark()))

    # Objects

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        if not (isinstance(module, str) and isinstance(name, str) and len(module) + len(name) <= LONGEST_NAME):
            raise TypeError
        self.push(Global(module, name))

    def make(self, made: object, arguments: object) -> None:
        """Build the result of a call in the pickle."""
        if not isinstance(arguments, tuple):
            raise TypeError
        if isinstance(made, Global) and (build := _BUILDERS.get((made.module, made.name))):
            self.container(build(self, *arguments))
        else:  # calling an object that was never callable is no more harmful than the rest
            self.container(Inert(made if isinstance(made, Global) else Global("builtins", "object"), arguments))

    def reduce(self) -> None:
        arguments = self.pop()
        self.make(self.pop(), arguments)

    def new_with_keywords(self) -> None:
        keywords, arguments = self.pop(), self.pop()
        if not isinstance(keywords, dict) or not isinstance(arguments, tuple):
            raise TypeError
        if keywords:
            arguments = (*arguments, keywords)
            self.copies(len(arguments))
        self.make(self.pop(), arguments)

    def object_of_marked(self) -> None:
        made, *arguments = self.above_mark()
        self.make(made, tuple(arguments))

    def build(self) -> None:
        """Give the object below the top its state."""
        state = self.pop()
        target = self.top()
        if isinstance(target, Inert):
            target.state = state
        elif isinstance(target, PickledArray):
            _set_array(target, state)
        elif isinstance(target, Type):
            if not isinstance(state, tuple):
                raise TypeError
            target.big_endian = state[1] == ">"
        elif not isinstance(target, dict | list | set | Tensor):  # attributes of these are not needed
            raise TypeError


def _pushing(read: Callable[[_Machine], object]) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(read(machine))


_OPCODES: Final[dict[int, Callable[[_Machine], object]]] = {
    # values
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("I"): _pushing(lambda m: m.decimal()),
    ord("L"): _pushing(lambda m: m.decimal()),
    ord("J"): _pushing(lambda m: m.number("<i")),
    ord("K"): _pushing(lambda m: m.number("<B")),
    ord("M"): _pushing(lambda m: m.number("<H")),
    0x8A: _pushing(lambda m: m.long(m.number("<B"))),
    0x8B: _pushing(lambda m: m.long(m.number("<i"))),
    ord("F"): _pushing(lambda m: float(m.name())),
    ord("G"): _pushing(lambda m: struct.unpack(">d", m.data(8))[0]),
    ord("U"): _pushing(lambda m: m.old_text(m.number("<B"))),
    ord("T"): _pushing(lambda m: m.old_text(m.number("<I"))),
    ord("X"): _pushing(lambda m: m.text(m.number("<I"))),
    0x8C: _pushing(lambda m: m.text(m.number("<B"))),
    0x8D: _pushing(lambda m: m.text(m.number("<Q"))),
    ord("B"): _pushing(lambda m: m.data(m.number("<I"))),
    ord("C"): _pushing(lambda m: m.data(m.number("<B"))),
    0x8E: _pushing(lambda m: m.data(m.number("<Q"))),
    0x96: _pushing(lambda m: m.data(m.number("<Q"))),  # a bytearray; nothing here changes it
    # containers
    ord("]"): lambda m: m.container([]),
    ord("}"): lambda m: m.container({}),
    0x8F: lambda m: m.container(set()),
    ord(")"): lambda m: m.push(()),
    0x85: lambda m: m.tuple_of(1),
    0x86: lambda m: m.tuple_of(2),
    0x87: lambda m: m.tuple_of(3),
    ord("t"): lambda m: m.container(tuple(m.above_mark())),
    ord("l"): lambda m: m.container(m.above_mark()),
    ord("d"): lambda m: m.dict_of_marked(),
    0x91: lambda m: m.frozen(),
    ord("a"): lambda m: m.append([m.pop()]),
    ord("e"): lambda m: m.append(m.above_mark()),
    0x90: lambda m: m.append(m.above_mark()),
    ord("s"): lambda m: m.set_item(),
    ord("u"): lambda m: m.set_items(m.above_mark()),
    # stack and memo
    ord("("): lambda m: m.mark(),
    ord("0"): lambda m: m.drop(),
    ord("1"): lambda m: m.above_mark(),
    ord("2"): lambda m: m.push(m.top()),
    ord("p"): lambda m: m.put(int(m.decimal())),
    ord("q"): lambda m: m.put(m.number("<B")),
    ord("r"): lambda m: m.put(m.number("<I")),
    0x94: lambda m: m.memoise(),
    ord("g"): lambda m: m.get(int(m.decimal())),
    ord("h"): lambda m: m.get(m.number("<B")),
    ord("j"): lambda m: m.get(m.number("<I")),
    ord("Q"): lambda m: m.persist(),
    # objects
    ord("c"): _pushing(lambda m: Global(m.name(), m.name())),
    0x93: lambda m: m.stack_global(),
    ord("R"): lambda m: m.reduce(),
    0x81: lambda m: m.reduce(),  # NEWOBJ: class and arguments instead of function and arguments
    0x92: lambda m: m.new_with_keywords(),
    ord("i"): lambda m: m.make(Global(m.name(), m.name()), tuple(m.above_mark())),
    ord("o"): lambda m: m.object_of_marked(),
    ord("b"): lambda m: m.build(),
    # protocol
    0x80: lambda m: m.number("<B"),
    0x95: lambda m: m.number("<Q"),  # a frame's length only helps to read ahead
}


# Builders of the known functions and classes. Each checks its arguments; a wrong number or kind of them raises
# TypeError or ValueError, which `_Machine.run` reports as a contradiction.


def _ordered_dict(machine: _Machine, pairs: object = ()) -> object:
    if not isinstance(pairs, list | tuple):
        raise TypeError
    machine.copies(len(pairs))
    items = {}
    for pair in pairs:
        if not isinstance(pair, list | tuple):
            raise TypeError
        key, value = pair
        items[machine.key(key)] = value
    return items


def _default_dict(_machine: _Machine, _factory: object = None) -> object:
    return {}


def _sequence(machine: _Machine, values: object = ()) -> Sequence[object]:
    if not isinstance(values, list | tuple):
        raise TypeError
    machine.copies(len(values))
    return values


def _tuple(machine: _Machine, values: object = ()) -> object:
    return tuple(_sequence(machine, values))


def _list(machine: _Machine, values: object = ()) -> object:
    return list(_sequence(machine, values))


def _set(machine: _Machine, values: object = ()) -> object:
    return {machine.key(value) for value in _sequence(machine, values)}


def _frozenset(machine: _Machine, values: object = ()) -> object:
    return frozenset(machine.key(value) for value in _sequence(machine, values))


def _bytes(machine: _Machine, text: object = "", encoding: object = "latin1") -> object:
    """`_codecs.encode`: protocols below 3 write bytes as text."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise TypeError
    machine.copies(length=len(text))
    return text.encode("latin-1")


def _bytes_of(machine: _Machine, value: object = b"", encoding: object = "latin-1") -> object:
    if isinstance(value, bytes):
        return value
    return _bytes(machine, value, encoding) if isinstance(value, str) else Inert(Global("builtins", "bytes"))


def _fraction(_machine: _Machine, *parts: object) -> object:
    """A fraction: as text, or since Python 3.11 as numerator and denominator."""
    text = _joined(parts, "/")
    if not re.fullmatch(r"-?[0-9]{1,18}(/[0-9]{1,18})?", text):
        return Inert(Global("fractions", "Fraction"), parts)
    return Fraction(text)


def _device(_machine: _Machine, *parts: object) -> object:
    return _joined(parts, ":") or Inert(Global("torch", "device"), parts)


def _joined(parts: tuple[object, ...], separator: str) -> str:
    """Short texts and integers in one text; empty if there is anything else."""
    short = [part for part in parts[:2] if isinstance(part, int) or (isinstance(part, str) and len(part) < 64)]
    return separator.join(map(str, short)) if len(short) == len(parts) else ""


def _dtype(_machine: _Machine, code: object, *_: object) -> object:
    names = {"b1": "bool"} | {form: name for name, form in STORED.items() if name not in ("bool", "bfloat16")}
    return Type(names.get(code) if isinstance(code, str) else None)


def _scalar(_machine: _Machine, kind: object, data: object = b"") -> object:
    if not isinstance(kind, Type):
        raise TypeError
    if kind.dtype is None or not isinstance(data, bytes):
        return Inert(Global("numpy", "generic"))
    if len(data) != item_size(kind.dtype):
        raise ValueError
    return decode(elements(data, kind.dtype, big_endian=kind.big_endian), kind.dtype)[0]


def _reconstruct(_machine: _Machine, *_: object) -> object:
    return PickledArray()


def _set_array(array: PickledArray, state: object) -> None:
    if not isinstance(state, tuple):
        raise TypeError
    _version, shape, kind, column_major, data = state
    _fill_array(array, shape, kind, data, column_major=bool(column_major))


def _from_buffer(_machine: _Machine, data: object, kind: object, shape: object, order: object) -> object:
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
    _machine: _Machine,
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
    _machine: _Machine,
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


def _parameter(_machine: _Machine, data: object, *_: object) -> object:
    return data


def _tensor_with_attributes(
    machine: _Machine, function: object, _type: object, arguments: object, *_: object
) -> object:
    """`_rebuild_from_type_v2`: a tensor that Python code hung attributes on."""
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        raise TypeError
    if function.module != "torch._utils" or not (build := _BUILDERS.get((function.module, function.name))):
        return Inert(Global("torch._tensor", "_rebuild_from_type_v2"))
    return build(machine, *arguments)


_BUILDERS: Final[dict[tuple[str, str], Callable[..., object]]] = {
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
