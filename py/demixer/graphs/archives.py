"""Reads zip archives whose entries are stored without compression, as torch writes them.

Compressed entries are refused, so that nothing in a file grows when it is read. Overlapping entries are refused too:
every byte of the file belongs to one entry at most.

.. [1] PKWARE, "APPNOTE.TXT: .ZIP File Format Specification", 6.3.10, sections 4.3 and 4.5.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import KeysView
from dataclasses import dataclass
from typing import Final

from demixer.graphs.reading import Readable, Section, damaged, unsupported

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_END_64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64: Final = struct.Struct("<4sIQI")

_LONGEST_COMMENT: Final = (1 << 16) - 1
_LONGEST_DIRECTORY: Final = 4 << 20
_FULL_16: Final = (1 << 16) - 1
_FULL_32: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class _Entry:
    header: int
    size: int
    checksum: int
    stop: int  # end of the bytes that the entry may occupy


class Archive:
    """Read access to the entries of a zip archive.

    Parameters
    ----------
    source : Readable

    Raises
    ------
    ModelError
        `model/integrity` or `model/incompatible`.
    """

    def __init__(self, source: Readable) -> None:
        self._file = Section(source, 0, source.size)
        start, size, count = self._directory()
        if size > _LONGEST_DIRECTORY:
            raise unsupported("it is an archive of too many files")
        data = self._file.section(start, start + size).read_at(0, size)
        found: list[tuple[int, int, int, str]] = []
        position = 0
        for _ in range(count):
            name, header, length, checksum, position = _central(data, position)
            found.append((header, length, checksum, name))
        found.sort()
        self._entries: dict[str, _Entry] = {}
        stops = [*(header for header, *_ in found), start][1:]
        for (header, length, checksum, name), stop in zip(found, stops, strict=True):
            if name in self._entries or header + _LOCAL.size + length > stop:
                raise damaged("entries of its archive overlap")
            self._entries[name] = _Entry(header, length, checksum, stop)

    @property
    def names(self) -> KeysView[str]:
        return self._entries.keys()

    def size(self, name: str) -> int:
        return self._entries[name].size

    def read(self, name: str, start: int, length: int) -> bytes:
        """Read a part of an entry; a whole entry is compared with its checksum.

        torch can omit checksums, and then writes zeros.
        """
        data = self._entry(name).read_at(start, length)
        entry = self._entries[name]
        if length == entry.size and entry.checksum and zlib.crc32(data) != entry.checksum:
            raise damaged("a checksum is wrong")
        return data

    def _entry(self, name: str) -> Section:
        entry = self._entries[name]
        signature, *_, name_length, extra_length = _LOCAL.unpack(self._file.read_at(entry.header, _LOCAL.size))
        start = entry.header + _LOCAL.size + name_length + extra_length
        if signature != b"PK\x03\x04" or start + entry.size > entry.stop:
            raise damaged("an entry of its archive is broken")
        return self._file.section(start, start + entry.size)

    def _directory(self) -> tuple[int, int, int]:
        """Start, length and number of entries of the directory."""
        length = min(self._file.size, _END.size + _LONGEST_COMMENT)
        base = self._file.size - length
        tail = self._file.read_at(base, length)
        place = tail.rfind(b"PK\x05\x06", 0, max(0, length - _END.size + 4))
        if place < 0:
            raise damaged("the end of its archive is missing")
        _, disk, _, _, count, size, start, _ = _END.unpack_from(tail, place)
        end = base + place
        if _FULL_16 in (disk, count) or _FULL_32 in (size, start):
            end, start, size, count = self._directory_64(end)
        if start + size > end or count * _CENTRAL.size > size:
            raise damaged("the directory of its archive is broken")
        return start, size, count

    def _directory_64(self, end: int) -> tuple[int, int, int, int]:
        locator = end - _LOCATOR_64.size
        signature, _, record, _ = _LOCATOR_64.unpack(self._file.read_at(locator, _LOCATOR_64.size))
        if signature != b"PK\x06\x07" or record > locator:
            raise damaged("the directory of its archive is broken")
        signature, *_, count, size, start = _END_64.unpack(self._file.read_at(record, _END_64.size))
        if signature != b"PK\x06\x06":
            raise damaged("the directory of its archive is broken")
        return record, start, size, count


def _central(data: bytes, position: int) -> tuple[str, int, int, int, int]:
    """Name, position of the header, length and checksum of an entry, and the position behind its description."""
    try:
        fields = _CENTRAL.unpack_from(data, position)
        signature, flags, method, packed, size = fields[0], fields[3], fields[4], fields[8], fields[9]
        checksum, header = fields[7], fields[16]
        name_length, extra_length, comment_length = fields[10:13]
        position += _CENTRAL.size
        name = data[position : position + name_length].decode("utf-8")
        extra = data[position + name_length : position + name_length + extra_length]
        position += name_length + extra_length + comment_length
        if _FULL_32 in (size, packed, header):
            size, packed, header = _wide(extra, size, packed, header)
    except (struct.error, UnicodeDecodeError) as error:
        raise damaged("the directory of its archive is broken") from error
    if signature != b"PK\x01\x02" or position > len(data):
        raise damaged("the directory of its archive is broken")
    if flags & 1 or method != 0 or packed != size:
        raise unsupported("it is an archive with compressed or encrypted files")
    return name, header, size, checksum, position


def _wide(extra: bytes, size: int, packed: int, header: int) -> tuple[int, int, int]:
    """Numbers too large for 32 bits, from the extra field of ZIP64."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            wide = iter(struct.unpack_from(f"<{min(length, len(extra) - position - 4) // 8}Q", extra, position + 4))
            values = [next(wide, value) if value == _FULL_32 else value for value in (size, packed, header)]
            return values[0], values[1], values[2]
        position += 4 + length
    return size, packed, header
