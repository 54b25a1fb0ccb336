"""The parts of which a media file consists, with the fields that count or size them: what a mutation can aim at."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple


class Field(NamedTuple):
    """A number in a file: its position, its bytes, and its byte order as `int.to_bytes` takes it."""

    at: int
    width: int
    order: str


class Unit(NamedTuple):
    """A chunk, box, element, page, block or frame, from its header to its end, and its fields."""

    start: int
    end: int
    fields: tuple[Field, ...]


#: Bytes that a unit may claim beyond the file before its end is taken for the file's.
_DEPTH: Final = 8

_BOXES: Final = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"ilst", b"dinf", b"----"}
_TABLES: Final = {b"stsz": 8, b"stts": 4, b"stsc": 4, b"stco": 4, b"co64": 4, b"elst": 4, b"stsd": 4, b"ctts": 4}
_ELEMENTS: Final = {0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0xE1, 0xA0, 0x1549A966, 0x1C53BB6B, 0x1254C367}


def units(data: bytes) -> list[Unit]:
    """The units of a file, by its first bytes; none of an unknown kind."""
    reader = _reader(data)
    return [unit for unit in reader(data) if unit.start < unit.end <= len(data)] if reader else []


def with_checksums(data: bytes) -> bytes:
    """An Ogg file with the right sum on each page, so that readers get past it; other files as they are."""
    if not data.startswith(b"OggS"):
        return data
    whole = bytearray(data)
    for page in _ogg(data):
        whole[page.start + 22 : page.start + 26] = bytes(4)
        whole[page.start + 22 : page.start + 26] = struct.pack("<I", _checksum(whole[page.start : page.end]))
    return bytes(whole)


def _reader(data: bytes) -> Callable[[bytes], Iterator[Unit]] | None:
    if data[:4] in {b"RIFF", b"RF64", b"RIFX"}:
        return lambda whole: _chunks(whole, "little" if data[:4] != b"RIFX" else "big")
    if data[4:8] == b"ftyp":
        return lambda whole: _boxes(whole, 0, len(whole), 0)
    readers: dict[bytes, Callable[[bytes], Iterator[Unit]]] = {
        b"FORM": lambda whole: _chunks(whole, "big"),
        b"OggS": _ogg,
        b"fLaC": _flac,
        b"\x1aE\xdf\xa3": lambda whole: _elements(whole, 0, len(whole), 0),
    }
    return readers.get(data[:4]) or (_mpeg if data[:3] == b"ID3" or data[:1] == b"\xff" else None)


def _chunks(data: bytes, order: str) -> Iterator[Unit]:
    yield Unit(0, len(data), (Field(4, 4, order),))
    at = 12
    while at + 8 <= len(data):
        end = min(len(data), at + 8 + int.from_bytes(data[at + 4 : at + 8], order))  # type: ignore[arg-type]
        is_described = data[at : at + 4] in {b"fmt ", b"COMM"}
        inner = [Field(at + 8 + offset, 2, order) for offset in range(0, 16 * is_described, 2)]
        yield Unit(at, end, (Field(at + 4, 4, order), *inner))
        at = end + end % 2


def _boxes(data: bytes, start: int, stop: int, depth: int) -> Iterator[Unit]:
    at = start
    while at + 8 <= stop and depth < _DEPTH:
        size, kind = struct.unpack_from(">I4s", data, at)
        end = stop if size < 8 else min(stop, at + size)
        fields = [Field(at, 4, "big")]
        if kind in _TABLES:
            fields += [Field(at + 8 + offset, 4, "big") for offset in range(4, min(end - at - 8, 28) - 3, 4)]
        if kind in {b"mdhd", b"mvhd", b"tkhd"}:
            fields += [Field(at + offset, 4, "big") for offset in (20, 24)]
        yield Unit(at, end, tuple(fields))
        if kind in _BOXES:
            yield from _boxes(data, at + 8, end, depth + 1)
        if kind == b"meta":
            yield from _boxes(data, at + 12, end, depth + 1)
        if kind == b"stsd":
            yield from _boxes(data, at + 16, end, depth + 1)
        if kind in {b"mp4a", b"alac", b"Opus", b"fLaC"} and depth and data[at - 12 : at - 8] == b"stsd":
            yield from _boxes(data, at + 36, end, depth + 1)
        at = end


def _elements(data: bytes, start: int, stop: int, depth: int) -> Iterator[Unit]:
    at = start
    while at + 2 <= stop and depth < _DEPTH:
        id_bytes, size_at = _width(data[at]), at + _width(data[at])
        if size_at >= stop:
            return
        size_bytes = _width(data[size_at])
        name = int.from_bytes(data[at:size_at], "big")
        size = int.from_bytes(data[size_at : size_at + size_bytes], "big") & ((1 << 7 * size_bytes) - 1)
        content = at + id_bytes + size_bytes
        end = stop if size == (1 << 7 * size_bytes) - 1 else min(stop, content + size)
        yield Unit(at, end, (Field(size_at, size_bytes, "big"),))
        if name in _ELEMENTS:
            yield from _elements(data, content, end, depth + 1)
        at = max(end, content)


def _width(first: int) -> int:
    return 9 - first.bit_length()


def _ogg(data: bytes) -> Iterator[Unit]:
    at = data.find(b"OggS")
    while 0 <= at <= len(data) - 27:
        table = data[at + 27 : at + 27 + data[at + 26]]
        end = min(len(data), at + 27 + len(table) + sum(table))
        fields = [Field(at + 5, 1, "little"), Field(at + 6, 8, "little"), Field(at + 14, 4, "little")]
        fields += [Field(at + 18, 4, "little"), Field(at + 26, 1, "little"), Field(at + 27, 1, "little")]
        yield Unit(at, end, tuple(fields))
        at = data.find(b"OggS", end)


def _flac(data: bytes) -> Iterator[Unit]:
    at, last = 4, False
    while at + 4 <= len(data) and not last:
        last = data[at] >= 0x80
        end = min(len(data), at + 4 + int.from_bytes(data[at + 1 : at + 4], "big"))
        inner = (Field(at + 4, 2, "big"), Field(at + 6, 2, "big"), Field(at + 14, 4, "big"), Field(at + 18, 4, "big"))
        yield Unit(at, end, (Field(at, 1, "big"), Field(at + 1, 3, "big"), *inner))
        at = end
    yield from _runs(data, at, data[at : at + 2])


def _mpeg(data: bytes) -> Iterator[Unit]:
    at = 0
    while data[at : at + 3] == b"ID3":
        end = at + 10
        for shift, byte in zip((21, 14, 7, 0), data[at + 6 : at + 10], strict=False):
            end += (byte & 0x7F) << shift
        yield Unit(at, min(end, len(data)), (Field(at + 6, 4, "big"), Field(at + 14, 4, "big")))
        at = end
    yield from _runs(data, at, data[at : at + 2])


def _runs(data: bytes, start: int, sync: bytes) -> Iterator[Unit]:
    """Frames, from one sync word to the next; some begin inside another."""
    at = start
    while len(sync) == 2 and 0 <= at < len(data):
        following = data.find(sync, at + 2)
        end = len(data) if following < 0 else following
        yield Unit(at, end, (Field(at + 2, 1, "big"), Field(at + 3, 3, "big")))
        at = following


def _checksum(page: bytes | bytearray) -> int:
    value = 0
    for byte in page:
        value = ((value << 8) ^ _TABLE[(value >> 24) ^ byte]) & 0xFFFFFFFF
    return value


def _entry(index: int) -> int:
    value = index << 24
    for _ in range(8):
        value = ((value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


_TABLE: Final = [_entry(index) for index in range(256)]
