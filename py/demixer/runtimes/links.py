"""Splits files into the songs of which they consist: Ogg is chained, and MP3 joined, with junk in between.

`web/decode/worker/ogg-links.js` and `mpeg-frames.js` do the same for the page.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_OGG_HEADER: Final = 27
_BEGINS: Final = 2

#: MP3 frames alike in a row that tell a stream from junk, and bytes of junk before the first one; zeros do not count.
_ALIKE: Final = 3
_MAX_JUNK: Final = 1 << 16

#: In kbit/s, of layer III: of MPEG-1, and of the halved rates.
_BITRATES: Final = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_RATES: Final = (44_100, 48_000, 32_000)


def links(path: Path) -> list[bytes]:
    """The songs in a file, one after the other, without anything between their pages or frames.

    Empty for other formats than Ogg and bare MP3.
    """
    with path.open("rb") as file:
        head = file.read(1 << 12)
        if not (head.startswith((b"OggS", b"ID3", bytes(8))) or head[:1] == b"\xff"):
            return []
        data = head + file.read()
    return _ogg_links(data) if head.startswith(b"OggS") else _mp3_links(data)


def _ogg_links(data: bytes) -> list[bytes]:
    found: list[list[bytes]] = []
    is_header = False
    for page in _pages(data):
        begins = bool(page[5] & _BEGINS)
        if not found or (begins and not is_header):
            found.append([])
        is_header = begins
        found[-1].append(page)
    return [b"".join(pages) for pages in found]


def _pages(data: bytes) -> Iterator[bytes]:
    at = data.find(b"OggS")
    while 0 <= at <= len(data) - _OGG_HEADER:
        table = data[at + _OGG_HEADER : at + _OGG_HEADER + data[at + _OGG_HEADER - 1]]
        end = at + _OGG_HEADER + len(table) + sum(table)
        if end <= len(data):
            yield data[at:end]
        at = data.find(b"OggS", end if data[end : end + 4] == b"OggS" else at + 4)


class _Frame(NamedTuple):
    start: int
    end: int
    stream: tuple[float, bool]
    opens: bool


def _mp3_links(data: bytes) -> list[bytes]:
    start = _after_tags(data, 0)
    if len(data) > start + 1 and data[start] == 0xFF and data[start + 1] & 0xF6 == 0xF0:
        return []  # AAC, which FFmpeg reads past junk
    found: list[list[bytes]] = []
    last: _Frame | None = None
    for frame in _frames(data):
        if last is None or frame.opens or frame.stream != last.stream:
            found.append([])
        found[-1].append(data[frame.start : frame.end])
        last = frame
    return [b"".join(frames) for frames in found]


def _frames(data: bytes) -> Iterator[_Frame]:
    at = _after_tags(data, 0)
    at = len(data) - len(data[at:].lstrip(b"\0"))
    limit = at + _MAX_JUNK
    last: _Frame | None = None
    while 0 <= at < (limit if last is None else len(data)):
        frame = _frame(data, at)
        if frame and ((last and frame.stream == last.stream and frame.start == last.end) or _is_stream(data, frame)):
            yield frame
            last, at = frame, frame.end
            continue
        past = _after_tags(data, at)
        candidates = (data.find(b"\xff", at + 1), data.find(b"ID3", at + 1))
        at = past if past > at else min((place for place in candidates if place >= 0), default=-1)


def _is_stream(data: bytes, frame: _Frame) -> bool:
    following: _Frame | None = frame
    for _ in range(_ALIKE - 1):
        if frame.opens or (following and following.end == len(data)):
            return True
        following = _frame(data, following.end) if following else None
        if following is None or following.stream != frame.stream:
            return False
    return True


def _after_tags(data: bytes, at: int) -> int:
    while data[at : at + 3] == b"ID3" and at + 10 <= len(data):
        size = 0
        for byte in data[at + 6 : at + 10]:
            size = size * 0x80 + (byte & 0x7F)
        at += 10 + (size if at + 10 + size <= len(data) else 0)  # a claim beyond the end is damage
    return at


def _frame(data: bytes, at: int) -> _Frame | None:
    if at + 4 > len(data):
        return None
    (header,) = struct.unpack_from(">I", data, at)
    version, bitrate, rate = (header >> 19) & 3, (header >> 12) & 15, (header >> 10) & 3
    if header >> 21 != 0x7FF or version == 1 or (header >> 17) & 3 != 1 or bitrate in {0, 15} or rate == 3:
        return None
    first, mono = version == 3, (header >> 6) & 3 == 3
    hertz = _RATES[rate] / (4, 0, 2, 1)[version]
    size = int((1152 if first else 576) * 125 * _BITRATES[not first][bitrate] // hertz) + ((header >> 9) & 1)
    xing = at + 4 + ((17 if mono else 32) if first else (9 if mono else 17))
    opens = data[xing : xing + 4] in {b"Xing", b"Info"} or data[at + 36 : at + 40] == b"VBRI"
    return _Frame(at, min(at + size, len(data)), (hertz, mono), opens)
