"""The machine that interprets a pickle's instructions. It does not recurse, so nesting costs no stack."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from demixer.graphs.pickles.builders import BUILDERS, set_array
from demixer.graphs.pickles.limits import LONGEST, LONGEST_INTEGER, LONGEST_NAME, MOST_OPCODES, Limits
from demixer.graphs.pickles.values import Global, Inert, PickledArray, Tensor, Type
from demixer.graphs.reading import Cursor, damaged, unsupported


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
        self._limits = Limits()

    def run(self) -> object:
        cursor = self._cursor
        stop = cursor.position + LONGEST
        try:
            for _ in range(MOST_OPCODES):
                opcode = cursor.byte()
                if opcode == 0x2E:  # STOP
                    return self._stack.pop()
                if opcode not in OPCODES:
                    raise damaged(f"its pickle has an unknown instruction, {opcode:#04x}")
                OPCODES[opcode](self)
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
        self._limits.count()

    def above_mark(self) -> list[object]:
        values, self._stack = self._stack, self._marked.pop()
        return values

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
        self._limits.count()
        self.push(value)

    def tuple_of(self, length: int) -> None:
        if length > len(self._stack):
            raise IndexError
        values = tuple(self._stack[-length:])
        del self._stack[-length:]
        self.container(values)

    def append(self, values: Iterable[object]) -> None:
        """Add values to the list or set on top."""
        target = self.top()
        if isinstance(target, list):
            target.extend(values)
        elif isinstance(target, Inert):
            target.values.extend(values)
        elif isinstance(target, set):
            target.update([self._limits.key(value) for value in values])
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
            items[self._limits.key(key)] = value

    def dict_of_marked(self) -> None:
        values = self.above_mark()
        self.container({})
        self.set_items(values)

    def frozen(self) -> None:
        self.container(frozenset(self._limits.key(value) for value in self.above_mark()))

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
        if isinstance(made, Global) and (build := BUILDERS.get((made.module, made.name))):
            self.container(build(self._limits, *arguments))
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
            self._limits.copies(len(arguments))
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
            set_array(target, state)
        elif isinstance(target, Type):
            if not isinstance(state, tuple):
                raise TypeError
            target.big_endian = state[1] == ">"
        elif not isinstance(target, dict | list | set | Tensor):  # attributes of these are not needed
            raise TypeError


def _pushing(read: Callable[[_Machine], object]) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(read(machine))


OPCODES: Final[dict[int, Callable[[_Machine], object]]] = {
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
