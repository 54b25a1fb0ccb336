"""Holds a file's size against the sizes that its own structure names: IFF chunks, MP4 boxes, and EBML elements.

`web/decode/worker/structure.js` does the same for the page.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

_IFF: Final = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"RIFX": ">", b"FORM": ">"}
_EBML: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT: Final = 0x18538067


class BrokenPart(NamedTuple):
    """The part in which a file breaks off.

    Parameters
    ----------
    missing : int
        Its bytes that the file lacks.
    present : int
        Its other bytes, where they are in proportion to the song's length: in IFF; else 0.
    in_fragment : bool
        True in a fragmented MP4, which counts only the samples of the fragments that are there.
    """

    missing: int
    present: int = 0
    in_fragment: bool = False


def broken_part(path: Path) -> BrokenPart | None:
    """The part in which a file breaks off; None when it does not, or its format names no sizes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] in _IFF:
            return _broken_chunk(file, size, _IFF[head[:4]])
        if head[4:8] in {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"}:
            return _broken_box(file, size)
        return _broken_element(file, size) if head[:4] == _EBML else None


def _broken_chunk(file: BinaryIO, size: int, order: str) -> BrokenPart | None:
    at, long_size = 12, 0
    while at + 8 <= size:
        name, claimed = struct.unpack(f"{order}4sI", _read(file, at, 8))
        if name == b"ds64" and at + 24 <= size:
            (long_size,) = struct.unpack("<Q", _read(file, at + 16, 8))
        elif name == bytes(4):
            return None  # zeros of a file that was never written
        if name == b"data" and is_unknown(claimed):
            claimed = long_size or size - at - 8
        if at + 8 + claimed > size:
            return BrokenPart(at + 8 + claimed - size, size - at - 8)
        at += 8 + claimed + claimed % 2
    return None


def is_unknown(size: int) -> bool:
    """True for sizes of a chunk that stand for none: those of programs that stream and do not know it yet."""
    return size == 0 or 0x7FFF_0000 <= size < 0x8000_0000 or size >= 0xFFFF_0000


def _broken_box(file: BinaryIO, size: int) -> BrokenPart | None:
    at, in_fragment = 0, False
    while at + 8 <= size:
        claimed, name = struct.unpack(">I4s", _read(file, at, 8))
        if claimed == 1 and at + 16 <= size:
            (claimed,) = struct.unpack(">Q", _read(file, at + 8, 8))
        claimed = claimed or size - at
        if claimed < 8 or not name.isalnum():
            return None  # no box, but something behind the last one
        in_fragment = in_fragment or name == b"moof"
        if at + claimed > size:
            return BrokenPart(at + claimed - size, in_fragment=in_fragment)
        at += claimed
    return None


def _broken_element(file: BinaryIO, size: int) -> BrokenPart | None:
    at = 0
    while at + 2 <= size:
        head = _read(file, at, 12)
        id_bytes = 9 - head[0].bit_length()
        if id_bytes > 4 or id_bytes >= len(head):
            return None
        size_bytes = 9 - head[id_bytes].bit_length()
        start = at + id_bytes + size_bytes
        if size_bytes > 8 or start > size:
            return None
        claimed = int.from_bytes(head[id_bytes : id_bytes + size_bytes]) & ((1 << 7 * size_bytes) - 1)
        is_open = claimed == (1 << 7 * size_bytes) - 1
        if not is_open and start + claimed > size:
            return BrokenPart(start + claimed - size)
        is_parent = int.from_bytes(head[:id_bytes]) == _SEGMENT
        if is_open and not is_parent:
            return None
        at = start if is_parent else start + claimed
    return None


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)
