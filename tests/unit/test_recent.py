"""A song is read once by all its readers."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from demixer.audio import Clip, Samples
from demixer.recent import Recent


class Counted(Clip):
    """A song that counts the samples read, and yields to other tasks while reading."""

    taken = 0

    async def read(self, start: int, stop: int) -> Samples:
        object.__setattr__(self, "taken", self.taken + stop - start)
        await asyncio.sleep(0)
        return await super().read(start, stop)


def song(length: int) -> Counted:
    return Counted(np.random.default_rng(length).normal(size=(2, length)).astype(np.float32), 44_100)


@given(
    length=st.integers(1, 300),
    span=st.integers(1, 100),
    reads=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=20),
    at_once=st.integers(1, 4),
)
def test_gives_the_song(length: int, span: int, reads: list[tuple[int, int]], at_once: int) -> None:
    """Whatever is read, in any order, by several at once, and before what is kept."""
    source = song(length)
    recent = Recent(source, span)
    requested = [(min(a, b, length), min(max(a, b), length)) for a, b in reads]

    async def read() -> list[Samples]:
        found: list[Samples] = []
        for first in range(0, len(requested), at_once):
            found += await asyncio.gather(*(recent.read(*part) for part in requested[first : first + at_once]))
        return found

    for (start, stop), samples in zip(requested, asyncio.run(read()), strict=True):
        np.testing.assert_array_equal(samples, source.samples[:, start:stop])


def test_overlapping_windows_and_their_follower_read_the_song_once() -> None:
    source = song(1000)
    recent = Recent(source, 300)

    async def read() -> None:
        ends = [*range(100, 1000, 75), 1000]
        for end in ends:
            await recent.read(end - 100, end)
        for start, stop in pairwise(range(700, 1001, 50)):
            await recent.read(start, stop)

    asyncio.run(read())
    assert source.taken == 1000
