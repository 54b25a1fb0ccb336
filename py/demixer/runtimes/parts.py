"""A song inside a file: runs of bytes that are read as a file of their own."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from itertools import accumulate
from mmap import mmap
from typing import Any


@dataclass
class Link:
    """One of the songs of which a file consists.

    Parameters
    ----------
    data : mmap
        The whole file.
    parts : list of (int, int)
        Where runs of the song's pages or frames start and end.
    samples : int
        Samples that the pages or frames hold, at least.
    is_cut : bool
        True when the last frame is not whole, or when pages of a stream are missing, such as its last one.
    is_mp3 : bool
        True for MP3 frames without a header; their delay and padding are `gaps`.
    missing : int
        Samples that a header counts and the file lacks.
    gaps : tuple of (int, int)
        Where samples of an MP3 start and stop that its encoder added, in order.
    """

    data: mmap
    parts: list[tuple[int, int]] = field(default_factory=list)
    samples: int = 0
    is_cut: bool = False
    is_mp3: bool = False
    missing: int = 0
    gaps: tuple[tuple[int, int], ...] = ()

    def add(self, start: int, end: int) -> None:
        """Append a page or frame."""
        if self.parts and self.parts[-1][1] == start:
            self.parts[-1] = (self.parts[-1][0], end)
        else:
            self.parts.append((start, end))

    def open(self) -> Parts:
        """The song as a file."""
        return Parts(self.data, self.parts)


class Parts(RawIOBase):
    """A file of parts of another one, of which it copies nothing."""

    def __init__(self, data: mmap, parts: list[tuple[int, int]]) -> None:
        self._data = data
        self._parts = parts
        self._starts = [0, *accumulate(end - start for start, end in parts)]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._at = max(0, offset + {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: self._starts[-1]}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        index = bisect_right(self._starts, self._at) - 1
        if index == len(self._parts):
            return 0
        start, end = self._parts[index]
        first = start + self._at - self._starts[index]
        found = self._data[first : min(end, first + len(buffer))]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
