"""Finds the frames of MP3 among tags, zeros and junk, and the delay and padding that an encoder added.

`web/decode/worker/mpeg-frames.js` and `mp3-padding.js` do the same for the page.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from mmap import mmap
from typing import Final, NamedTuple

from demixer.runtimes.parts import Link

#: Frames alike in a row that tell a stream from junk, and bytes of junk before the first one; zeros do not count.
_ALIKE: Final = 3
_MAX_JUNK: Final = 1 << 16

#: In kbit/s, of layer III: of MPEG-1, and of the halved rates.
_BITRATES: Final = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_RATES: Final = (44_100, 48_000, 32_000)

#: Samples by which the filter bank of an MP3 decoder delays its output.
_DECODER_DELAY: Final = 529

#: Offset of Fraunhofer's header in a frame, and of the delays in the tag of LAME.
_VBRI: Final = 36
_LAME_DELAYS: Final = 21

#: Bytes of ID3 tags among which iTunes' note is sought; pictures follow.
_NOTE_BYTES: Final = 1 << 20


class _Frame(NamedTuple):
    start: int
    end: int
    stream: tuple[float, bool]
    samples: int
    xing: int
    opens: bool
    is_cut: bool


class _Told(NamedTuple):
    """Frames that a file counts (0 if unknown), and the samples that its encoder added."""

    frames: int = 0
    delay: int | None = None
    padding: int = 0


def mp3_links(data: mmap) -> list[Link]:
    """The songs of a bare MP3, without headers and anything between their frames; empty for AAC."""
    start = _after_tags(data, 0)
    if len(data) > start + 1 and data[start] == 0xFF and data[start + 1] & 0xF6 == 0xF0:
        return []  # AAC, which FFmpeg reads past junk
    found: list[Link] = []
    first: list[_Frame] = []
    last: _Frame | None = None
    for frame in _frames(data):
        if last is None or frame.opens or frame.stream != last.stream:
            found.append(Link(data, is_mp3=True))
            first.append(frame)
        link = found[-1]
        link.is_cut = frame.is_cut
        if not (frame.opens or frame.is_cut):
            link.add(frame.start, frame.end)
            link.samples += frame.samples
        last = frame
    for link, frame in zip(found, first, strict=True):
        _measure(link, frame, is_tagged=link is found[0])
    return [link for link in found if link.samples]


def _measure(link: Link, first: _Frame, *, is_tagged: bool) -> None:
    """Find the gaps of a link and the samples that it lacks, by the header in its first frame or iTunes' note."""
    told = _header(link.data, first) if first.opens else _Told()
    missing = told.frames * first.samples - link.samples
    slack = first.samples if told.delay is None else 0  # some headers count themselves, but not those of LAME
    link.missing = missing if missing > slack else 0
    if told.delay is None and is_tagged:
        told = _note(link.data, first.samples)
    if told.delay is not None:
        end = told.frames * first.samples or link.samples
        link.gaps = ((0, told.delay + _DECODER_DELAY), (end - max(0, told.padding - _DECODER_DELAY), end))


def _header(data: mmap, frame: _Frame) -> _Told:
    """The header of an MP3 song: of Xing, to which LAME adds the delays, or of Fraunhofer."""
    content = data[frame.start : frame.end]
    if content[_VBRI : _VBRI + 4] == b"VBRI":
        if len(content) < _VBRI + 18:
            return _Told()
        return _Told(*struct.unpack_from(">I", content, _VBRI + 14), *struct.unpack_from(">H", content, _VBRI + 6))
    if len(content) < frame.xing + 12:
        return _Told()
    (flags,) = struct.unpack_from(">I", content, frame.xing + 4)
    frames = struct.unpack_from(">I", content, frame.xing + 8)[0] if flags & 1 else 0
    # The number of frames, the number of bytes, the seek table and the quality are optional.
    lame = frame.xing + 8 + sum(size for bit, size in enumerate((4, 4, 100, 4)) if flags & 1 << bit)
    if len(content) < lame + _LAME_DELAYS + 4 or content[lame] == 0:
        return _Told(frames)
    delays = struct.unpack_from(">I", content, lame + _LAME_DELAYS)[0] >> 8
    return _Told(frames, delays >> 12, delays & 0xFFF)


def _note(data: mmap, samples: int) -> _Told:
    """The note of iTunes in an ID3 tag."""
    # UTF-16 has a zero in each character, and a mark before the first.
    tags = data[: min(_NOTE_BYTES, _after_tags(data, 0))].replace(b"\0", b"").replace(b"\xff\xfe", b" ")
    fields = re.search(rb"iTunSMPB\s*[0-9A-F]+\s+([0-9A-F]+)\s+([0-9A-F]+)\s+([0-9A-F]+)", tags)
    if not fields:
        return _Told()
    delay, padding, length = (int(field, 16) for field in fields.groups())
    return _Told(round((delay + padding + length) / samples), delay, padding) if length else _Told()


def _frames(data: mmap) -> Iterator[_Frame]:
    at = _after_zeros(data, _after_tags(data, 0))
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


def _is_stream(data: mmap, frame: _Frame) -> bool:
    following: _Frame | None = frame
    for _ in range(_ALIKE - 1):
        if frame.opens or (following and following.end == len(data)):
            return True
        following = _frame(data, following.end) if following else None
        if following is None or following.stream != frame.stream:
            return False
    return True


def _after_tags(data: mmap, at: int) -> int:
    while data[at : at + 3] == b"ID3" and at + 10 <= len(data):
        size = 0
        for byte in data[at + 6 : at + 10]:
            size = size * 0x80 + (byte & 0x7F)
        at += 10 + (size if at + 10 + size <= len(data) else 0)  # a claim beyond the end is damage
    return at


def _after_zeros(data: mmap, at: int) -> int:
    other = re.compile(rb"[^\0]").search(data, at)
    return other.start() if other else len(data)


def _frame(data: mmap, at: int) -> _Frame | None:
    if at + 4 > len(data):
        return None
    (header,) = struct.unpack_from(">I", data, at)
    version, bitrate, rate = (header >> 19) & 3, (header >> 12) & 15, (header >> 10) & 3
    if header >> 21 != 0x7FF or version == 1 or (header >> 17) & 3 != 1 or bitrate in {0, 15} or rate == 3:
        return None
    first, mono = version == 3, (header >> 6) & 3 == 3
    samples = 1152 if first else 576
    hertz = _RATES[rate] / (4, 0, 2, 1)[version]
    end = at + int(samples * 125 * _BITRATES[not first][bitrate] // hertz) + ((header >> 9) & 1)
    xing = 4 + ((17 if mono else 32) if first else (9 if mono else 17))
    opens = data[at + xing : at + xing + 4] in {b"Xing", b"Info"} or data[at + _VBRI : at + _VBRI + 4] == b"VBRI"
    return _Frame(at, min(end, len(data)), (hertz, mono), samples, xing, opens, end > len(data))
