"""The pickle machine: plain values come back, nothing is ever called, and every attack is one cheap error."""

from __future__ import annotations

import builtins
import importlib
import os
import pickle
import pickletools
import struct
import tracemalloc
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demixer.errors import DemixError
from demixer.graphs.pickles import Global, Inert, unpickle
from demixer.graphs.pickles.machine import OPCODES
from demixer.graphs.reading import Cursor, Memory, Section
from demixer.graphs.state import split


def load(data: bytes) -> object:
    return unpickle(Cursor(Section(Memory(data), 0, len(data))))


def refusal(data: bytes) -> DemixError:
    with pytest.raises(DemixError) as caught:
        load(data)
    assert caught.value.code in ("model/integrity", "model/incompatible")
    return caught.value


PROTOCOLS: Final = pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])

PLAIN: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 200), 1 << 200)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=5) | st.integers() | st.tuples(st.integers(), st.text()), inner, max_size=5)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(st.integers() | st.text(), max_size=5)
        | st.frozensets(st.integers(), max_size=5)
    ),
    max_leaves=20,
)


@PROTOCOLS
@given(value=PLAIN)
@settings(max_examples=settings().max_examples // 2)
def test_plain_values_come_back(protocol: int, value: object) -> None:
    assert load(pickle.dumps(value, protocol)) == value


@PROTOCOLS
def test_shared_and_circular_values_stay_so(protocol: int) -> None:
    shared = ["x"]
    circle: list[object] = [shared, shared]
    circle.append(circle)
    found = load(pickle.dumps(circle, protocol))
    assert isinstance(found, list)
    assert found[0] is found[1]
    assert found[2] is found


def test_ordered_dicts_keep_their_order() -> None:
    found = load(pickle.dumps(OrderedDict([("b", 1), ("a", 2)]), 2))
    assert list(found.items()) == [("b", 1), ("a", 2)]  # type: ignore[attr-defined]


class Thing:
    """A class that records its construction."""

    made = False

    def __init__(self) -> None:
        Thing.made = True

    def __setstate__(self, state: object) -> None:
        Thing.made = True

    def __reduce__(self) -> tuple[Any, ...]:
        return Thing, (), {"a": 1}, iter([1, 2]), iter([("k", "v")])


@PROTOCOLS
def test_objects_of_other_classes_are_inert(protocol: int) -> None:
    data = pickle.dumps(Thing(), protocol)
    Thing.made = False
    found = load(data)
    assert not Thing.made
    assert isinstance(found, Inert)
    assert found.name == f"{Thing.__module__}.Thing"
    assert (found.arguments, found.state, found.values, found.items) == ((), {"a": 1}, [1, 2], {"k": "v"})


@PROTOCOLS
@pytest.mark.parametrize("value", [date(2026, 11, 27), deque([1, 2]), PurePosixPath("a/b"), ValueError("x"), 1 + 2j])
def test_objects_of_the_standard_library_are_inert(protocol: int, value: object) -> None:
    assert isinstance(load(pickle.dumps(value, protocol)), Inert)


def test_classes_are_names() -> None:
    assert load(pickle.dumps(os.path.join, 2)) == Global("posixpath", "join")


def test_the_cursor_is_left_behind_the_pickle() -> None:
    data = pickle.dumps([1], 2) + b"rest"
    cursor = Cursor(Section(Memory(data), 0, len(data)))
    assert unpickle(cursor) == [1]
    assert cursor.take(4) == b"rest"


# Attacks


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


COMMAND: Final = "touch attacked"
CALLS: Final = {
    "GLOBAL and REDUCE": b"cos\nsystem\n(" + short(COMMAND) + b"tR.",
    "STACK_GLOBAL": short("os") + short("system") + b"\x93" + short(COMMAND) + b"\x85R.",
    "builtins.eval": b"c__builtin__\neval\n" + short(f"__import__('os').system('{COMMAND}')") + b"\x85R.",
    "builtins.getattr": b"cbuiltins\ngetattr\n(cos\nenviron\n" + short("clear") + b"tR)R.",
    "INST": b"(" + short(COMMAND) + b"ios\nsystem\n.",
    "OBJ": b"(cos\nsystem\n" + short(COMMAND) + b"o.",
    "NEWOBJ": b"csubprocess\nPopen\n" + short(COMMAND) + b"\x85\x81.",
    "NEWOBJ_EX": b"csubprocess\nPopen\n)}" + short("args") + short(COMMAND) + b"s\x92.",
    "BUILD": b"cos\nsystem\n)R}" + short("__class__") + b"cos\nsystem\nsb.",
    "BUILD of a pair": b"cos\nsystem\n)R}}" + short("__setstate__") + b"cos\nsystem\ns\x86b.",
    "a name with dots": short("demixer.graphs.pickles") + short("unpickle.__globals__") + b"\x93)R.",
    "our own functions": b"cdemixer.graphs.checkpoints\nopen_checkpoint\n" + short("/etc/passwd") + b"\x85R.",
    "torch's loader": b"ctorch.storage\n_load_from_bytes\nC\x04\x80\x02N.\x85R.",
    "a function in a tensor": b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN" + short(COMMAND) + b"\x85NtR.",
    "a default factory": b"ccollections\ndefaultdict\ncos\nsystem\n\x85R" + short("x") + b"Ns.",
}


@contextmanager
def nothing_runs(folder: Path) -> Iterator[None]:
    """Fail when anything is imported, compiled or started, or when the folder is written to."""
    run = []

    def note(*what: object, **_: object) -> None:
        run.append(what)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for module, name in ((os, "system"), (importlib, "import_module"), (pickle, "loads"), (pickle, "Unpickler")):
            patch.setattr(module, name, note)
        for name in ("eval", "exec", "compile", "__import__"):
            patch.setattr(builtins, name, note)
        yield
    assert not run
    assert not list(folder.iterdir())


@pytest.mark.parametrize("attack", CALLS)
def test_nothing_is_called(attack: str, tmp_path: Path) -> None:
    with nothing_runs(tmp_path):
        value = load(CALLS[attack])
        with suppress(DemixError):
            split(value)
    assert isinstance(value, Inert) or value == {"x": None}


@pytest.mark.parametrize("opcode", [b"\x82\x01.", b"\x83\x01\x00.", b"\x84\x01\x00\x00\x00."])
def test_registered_extensions_are_refused(opcode: bytes) -> None:
    refusal(b"\x80\x02" + opcode)


LARGE: Final = b"\xff\xff\xff\x7f"
MANY: Final = 100_000

BOMBS: Final = {
    "bytes that are not there": b"B" + LARGE + b"x.",
    "bytes of 2^63": b"\x8e" + b"\xff" * 7 + b"\x7f.",
    "text that is not there": b"X" + LARGE + b"x.",
    "text of 2^63": b"\x8d" + b"\xff" * 7 + b"\x7f.",
    "a bytearray of 2^63": b"\x96" + b"\xff" * 7 + b"\x7f.",
    "an integer that is not there": b"\x8b" + LARGE + b"x.",
    "an integer of negative length": b"\x8b\xff\xff\xff\xff.",
    "an integer of a megabyte": b"\x8b" + struct.pack("<i", 1 << 20) + bytes(1 << 20) + b".",
    "decimals": b"I" + b"9" * MANY + b"\n.",
    "a name without end": b"c" + b"x" * MANY,
    "marks": b"(" * 3 * MANY + b".",
    "dicts": b"}" * 3 * MANY + b".",
    "sets": b"\x8f" * 3 * MANY + b".",
    "a pickle without end": b"N0" * 500_000 + b"N.",
    "an empty stack": b".",
    "pop of nothing": b"0.",
    "no mark": b"t.",
    "a memo that is empty": b"h\x05.",
    "append to a number": b"K\x01K\x02a.",
    "items of a list": b"]K\x01K\x02s.",
    "half an item": b"}(K\x01u.",
    "call without arguments": b"cos\nsystem\nNR.",
    "state of a list's": b"cos\nsystem\nNb.",
    "a key that is a list": b"}]Ns.",
    "a key that is a dict": b"}}Ns.",
    "a deep key": b"})" + b"\x85" * 50_000 + b"Ns.",
    "unknown instructions": b"\xff.",
    "a persistent identity": b"K\x01Q.",
    "a textual persistent identity": b"P1\n.",
    "a name that is no text": b"K\x01K\x02\x93.",
    "text that is no UTF-8": b"X\x01\x00\x00\x00\xff.",
    # The same long list copied again and again, the same text encoded again and again.
    "copies": b"](" + b"N" * MANY + b"eq\x000cbuiltins\nlist\nq\x010" + b"h\x01h\x00\x85R0" * 1000 + b"N.",
    "ordered dicts": b"](" + b"))" * 0 + b"(NNt" * 1000 + b"eq\x000ccollections\nOrderedDict\nq\x010"
    b"" + b"h\x01h\x00\x85R0" * 20_000 + b"N.",
    "encodings": b"X" + struct.pack("<I", 1 << 20) + b"x" * (1 << 20) + b"q\x000c_codecs\nencode\nq\x010"
    b"" + b"h\x01h\x00" + short("latin1") + b"q\x02" + b"\x86R0" + b"h\x01h\x00h\x02\x86R0" * 2000 + b"N.",
    # Integers that share one hash, floats that do, and tuples.
    "equal hashes": b"}("
    b""
    + b"".join(pickle.dumps(n * ((1 << 61) - 1), 2)[2:-1] + b"N" for n in range(1 << 20, (1 << 20) + 20_000))
    + b"u.",
    "floats as keys": b"}(" + b"".join(b"G" + struct.pack(">d", n + 0.5) + b"N" for n in range(20_000)) + b"u.",
    "tuples as keys": b"}(" + b"".join(b"J" + struct.pack("<i", n) + b"\x85N" for n in range(20_000)) + b"u.",
}


@pytest.mark.parametrize("attack", BOMBS)
def test_bombs_are_one_error(attack: str) -> None:
    refusal(BOMBS[attack])


@pytest.mark.parametrize("attack", [attack for attack, data in BOMBS.items() if len(data) < 20])
def test_lengths_that_lie_take_no_memory(attack: str) -> None:
    data = BOMBS[attack]
    tracemalloc.start()
    try:
        refusal(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def nested(opener: bytes, depth: int) -> bytes:
    return b"N" + opener * depth + b"."


@pytest.mark.parametrize(
    "data",
    [
        nested(b"\x85", 200_000),
        b"]" * 60_000 + b"a" * 59_999 + b".",
        (b"}" + short("x")) * 60_000 + b"N" + b"s" * 60_000 + b".",
        nested(b"q\x00cos\nsystem\nh\x00\x85R", 60_000),
    ],
    ids=["tuples", "lists", "dicts", "objects"],
)
def test_deep_nesting_is_read_and_then_refused(data: bytes) -> None:
    value = load(data)
    with pytest.raises(DemixError) as caught:
        split({"state_dict": {}, "rest": value})
    assert caught.value.code == "model/incompatible"
    del value  # freed without recursion


@pytest.mark.parametrize("place", ["state", "rest"])
def test_lists_of_the_same_lists_are_refused(place: str) -> None:
    """Thirty lists of two: a billion values for whoever walks through them."""
    data = b"]q\x00" + b"0](h\x00h\x00eq\x00" * 30 + b"."
    with pytest.raises(DemixError) as caught:
        split({"state": {}, place: {"x": load(data)}})
    assert caught.value.code == "model/incompatible"


def test_the_same_long_text_many_times_is_refused() -> None:
    text = "x" * (1 << 20)
    with pytest.raises(DemixError):
        split({"rest": [text] * 1000})


def test_circles_end() -> None:
    circle: dict[object, object] = {"a": 1}
    circle["self"] = circle
    tensors, metadata = split(circle)
    assert tensors == {}
    assert metadata == {"a": 1, "self": {"a": 1, "self": None}}


def test_errors_do_not_show_what_is_in_the_file() -> None:
    """Printing the cause of an error must not print a list of a billion lists."""
    data = b"]q\x00" + b"0](h\x00h\x00eq\x00" * 30 + b"NNR."
    error: BaseException | None = refusal(data)
    while error is not None:
        assert len(str(error)) < 500
        error = error.__cause__


SEEDS: Final = [
    pickle.dumps({"a": [1, (2.5, "x"), {3}, b"y"], "b": Thing()}, protocol) for protocol in (1, 2, 4)
] + list(CALLS.values())


@given(data=st.data())
@settings(max_examples=3 * settings().max_examples)
def test_changed_pickles(data: st.DataObject) -> None:
    changed = bytearray(data.draw(st.sampled_from(SEEDS)))
    opcodes = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(changed)))
        if data.draw(st.booleans()):
            changed[place:place] = data.draw(st.sampled_from(opcodes) | st.binary(max_size=5))
        else:
            changed[place : place + data.draw(st.integers(1, 3))] = data.draw(st.binary(max_size=2))
    try:
        split(load(bytes(changed)))
    except DemixError as error:
        if error.code not in ("model/integrity", "model/incompatible"):
            raise


@given(data=st.binary(max_size=200))
@settings(max_examples=3 * settings().max_examples)
def test_random_bytes(data: bytes) -> None:
    try:
        split(load(data))
    except DemixError as error:
        if error.code not in ("model/integrity", "model/incompatible"):
            raise


def test_every_instruction_of_torch_is_known() -> None:
    """All but those of protocol 0's text, of extensions and of buffers outside of the pickle."""
    left_out = {
        "STRING",
        "UNICODE",
        "PERSID",
        "EXT1",
        "EXT2",
        "EXT4",
        "NEXT_BUFFER",
        "READONLY_BUFFER",
        "STOP",
    }
    missing = {opcode.name for opcode in pickletools.opcodes if ord(opcode.code) not in OPCODES}
    assert missing == left_out
