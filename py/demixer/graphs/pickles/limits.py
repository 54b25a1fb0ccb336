"""Bounds of what a pickle may make: a short one can ask for very much."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from demixer.graphs.pickles.values import Global, Inert, Tensor
from demixer.graphs.reading import unsupported

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


class Limits:
    """Counts what one pickle has made so far; each method raises `model/incompatible` beyond its bound."""

    def __init__(self) -> None:
        self._containers = 0
        self._copied = 0
        self._copied_bytes = 0
        self._odd_keys = 0

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

    def key(self, value: object) -> object:
        """Return a value that can be a key: hashable, flat, and none of too many whose hashes a file can choose."""
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
