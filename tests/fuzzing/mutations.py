"""Mutations of a file, drawn from a generator of random numbers: of its bytes, its units and their fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, Literal, cast

from tests.fuzzing.units import units, with_checksums

Mutation = Callable[[Random, bytes, Sequence[bytes]], bytes]

#: Bytes at the start that hold most headers.
_HEAD: Final = 512

#: Most bytes of a file after all mutations.
MAX_BYTES: Final = 1 << 19


def flipped(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Some bits are others."""
    return _with_flips(random, data, len(data))


def flipped_head(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Some bits of the headers are others."""
    return _with_flips(random, data, min(len(data), _HEAD))


def _with_flips(random: Random, data: bytes, stop: int) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16)) if data else 0):
        changed[random.randrange(stop)] ^= 1 << random.randrange(8)
    return bytes(changed)


def overwritten(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A run of bytes is random, or of one value."""
    start, stop = _run(random, data)
    return data[:start] + _filling(random, stop - start) + data[stop:]


def truncated(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """The end is missing, or the beginning."""
    at = random.randrange(len(data) + 1)
    return data[at:] if random.random() < 0.2 else data[:at]


def without_run(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A run of bytes is missing."""
    start, stop = _run(random, data)
    return data[:start] + data[stop:]


def repeated_run(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A run of bytes comes twice, at another place perhaps."""
    start, stop = _run(random, data)
    at = random.choice((stop, random.randrange(len(data) + 1)))
    return data[:at] + data[start:stop] + data[at:]


def inserted(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Bytes are inserted."""
    at = random.choice((0, random.randrange(len(data) + 1)))
    return data[:at] + _filling(random, random.choice((1, 2, 100, 5000))) + data[at:]


def spliced(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The beginning of the file, then the end of another one."""
    other = random.choice(others)
    ends = [unit.end for unit in units(data)] or [len(data) // 2]
    starts = [unit.start for unit in units(other)] or [len(other) // 2]
    if random.random() < 0.3:
        return data + other
    return data[: random.choice(ends)] + other[random.choice(starts) :]


def misstated(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A field that sizes or counts has another value."""
    fields = [field for unit in units(data) for field in unit.fields if field.at + field.width <= len(data)]
    if not fields:
        return data
    at, width, text = random.choice(fields[:60] if random.random() < 0.7 else fields)
    order = cast('Literal["little", "big"]', text)
    value, most = int.from_bytes(data[at : at + width], order), (1 << 8 * width) - 1
    near = (value - 1, value + 1, 2 * value, value // 2, value ^ 0x80)
    far = (0, 1, most, most - 8, most // 2, 1 << (8 * width - 1), random.randrange(most + 1))
    changed = random.choice((*near, *far)) & most
    return data[:at] + changed.to_bytes(width, order) + data[at + width :]


def without_unit(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A unit is missing."""
    found = units(data)
    unit = random.choice(found) if found else None
    return data[: unit.start] + data[unit.end :] if unit else data


def repeated_unit(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A unit comes twice, or many times."""
    found = [unit for unit in units(data) if unit.end - unit.start < len(data)]
    if not found:
        return data
    unit = random.choice(found)
    return data[: unit.end] + data[unit.start : unit.end] * random.choice((1, 1, 9)) + data[unit.end :]


def swapped_units(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Two units have changed places."""
    found = units(data)
    if len(found) < 2:
        return data
    (start, end), (second_start, second_end) = sorted(unit[:2] for unit in random.sample(found, 2))
    if end > second_start:
        return data
    first, middle, second = data[start:end], data[end:second_start], data[second_start:second_end]
    return data[:start] + second + middle + first + data[second_end:]


MUTATIONS: Final[tuple[Mutation, ...]] = (
    flipped,
    flipped_head,
    overwritten,
    truncated,
    without_run,
    repeated_run,
    inserted,
    spliced,
    misstated,
    misstated,
    without_unit,
    repeated_unit,
    swapped_units,
)


def mutated(random: Random, data: bytes, others: Sequence[bytes]) -> tuple[list[str], bytes]:
    """A file after one to three mutations, and their names."""
    names = []
    for mutation in random.choices(MUTATIONS, k=random.choice((1, 1, 1, 2, 3))):
        data = mutation(random, data, others)[:MAX_BYTES]
        names.append(mutation.__name__)
    return names, with_checksums(data) if random.random() < 0.7 else data


def _run(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((1, 3, 64, 1000, len(data) // 4)))


def _filling(random: Random, length: int) -> bytes:
    return random.choice((bytes(length), b"\xff" * length, random.randbytes(length), random.randbytes(length)))
