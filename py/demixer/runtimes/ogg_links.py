"""Splits Ogg files into links, as Icecast chains one to another between songs, and reads their pages past damage.

`web/decode/worker/ogg-links.js` does the same for the page.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from mmap import mmap
from typing import Final, NamedTuple

from demixer.runtimes.parts import Link

_HEADER: Final = 27
_BEGINS: Final = 2
_ENDS: Final = 4


class _Page(NamedTuple):
    start: int
    end: int
    flags: int
    granule: int
    serial: bytes
    number: int


def ogg_links(data: mmap) -> list[Link]:
    """The links of an Ogg file, without anything between their pages."""
    found: list[Link] = []
    first = 0
    numbers: dict[bytes, int] = {}
    unended: set[bytes] = set()
    has_gap = is_header = False
    for page in _pages(data):
        begins = bool(page.flags & _BEGINS)
        if not found or (begins and not is_header):
            found.append(Link(data))
            first, numbers, unended, has_gap = 0, {}, set(), False
        is_header = begins
        link = found[-1]
        link.add(page.start, page.end)
        unended = unended - {page.serial} if page.flags & _ENDS else unended | {page.serial}
        # Before the first sound, a stream that was joined late has a gap, but nothing is missing.
        has_gap = has_gap or (first > 0 and page.number > numbers.get(page.serial, page.number) + 1)
        numbers[page.serial] = page.number
        link.is_cut = has_gap or bool(unended)
        if page.granule > 0:
            first = first or page.granule
            link.samples = page.granule - first  # the first page may begin anywhere
    return found


def _pages(data: mmap) -> Iterator[_Page]:
    at = data.find(b"OggS")
    while 0 <= at <= len(data) - _HEADER:
        table = data[at + _HEADER : at + _HEADER + data[at + _HEADER - 1]]
        end = at + _HEADER + len(table) + sum(table)
        if end <= len(data):
            granule, serial, number = struct.unpack_from("<q4sI", data, at + 6)
            yield _Page(at, end, data[at + 5], granule, serial, number)
        at = data.find(b"OggS", end if data[end : end + 4] == b"OggS" else at + 4)
