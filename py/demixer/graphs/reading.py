"""Random access to files in any storage, and the two errors of unreadable files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Protocol

from demixer.errors import ModelError

#: Bytes that a `Cursor` reads ahead.
_AHEAD: Final = 1 << 16


class Readable(Protocol):
    """Bytes that are read in pieces: a file on disk, a browser's `File`, a handle in its private storage."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read_at(self, start: int, length: int) -> bytes:
        """The `length` bytes from `start` on; fewer at the end of the file."""
        ...


class FileReader:
    """A `Readable` on disk.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ModelError
        `model/unknown` when there is no such file.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise ModelError("model/unknown", f"{path} cannot be opened: {error.strerror}.") from error
        self.size: int = os.fstat(self._file.fileno()).st_size

    def read_at(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)

    def close(self) -> None:
        self._file.close()


class Memory:
    """A `Readable` in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size: int = len(data)

    def read_at(self, start: int, length: int) -> bytes:
        return self._data[start : start + length]


class Section:
    """A part of a `Readable`, itself readable; every read is complete or fails.

    Parameters
    ----------
    source : Readable
    start, stop : int
        Must lie inside the source.
    """

    def __init__(self, source: Readable, start: int, stop: int) -> None:
        if not 0 <= start <= stop <= source.size:
            raise damaged("it ends too early")
        self._source = source
        self._start = start
        self.size: int = stop - start

    def read_at(self, start: int, length: int) -> bytes:
        """Exactly `length` bytes; asks nothing of the source, and allocates nothing, when they are not there."""
        if start < 0 or length < 0 or start + length > self.size:
            raise damaged("it ends too early")
        data = self._source.read_at(self._start + start, length)
        if len(data) != length:
            raise damaged("it ends too early")
        return data

    def section(self, start: int, stop: int) -> Section:
        return Section(self, start, stop)


class Cursor:
    """Sequential, buffered reading of a `Section`.

    Parameters
    ----------
    section : Section
    """

    def __init__(self, section: Section) -> None:
        self._section = section
        self._buffer = b""
        self._base = 0  # position of the buffer in the section
        self._next = 0  # position in the buffer

    @property
    def position(self) -> int:
        return self._base + self._next

    @property
    def remaining(self) -> int:
        return self._section.size - self.position

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        stop = self._next + length
        if length >= 0 and stop <= len(self._buffer):
            data = self._buffer[self._next : stop]
            self._next = stop
            return data
        if not 0 <= length <= self.remaining:
            raise damaged("it ends too early")
        self._fill(max(length, _AHEAD))
        self._next = length
        return self._buffer[:length]

    def byte(self) -> int:
        if self._next == len(self._buffer):
            if not self.remaining:
                raise damaged("it ends too early")
            self._fill(_AHEAD)
        self._next += 1
        return self._buffer[self._next - 1]

    def skip(self, length: int) -> None:
        """Move on; reads nothing."""
        if not 0 <= length <= self.remaining:
            raise damaged("it ends too early")
        self._next += length
        if self._next > len(self._buffer):
            self._base, self._buffer, self._next = self.position, b"", 0

    def line(self, longest: int) -> bytes:
        """The bytes up to the next line feed, which is dropped."""
        line = bytearray()
        while (byte := self.byte()) != 0x0A:
            line.append(byte)
            if len(line) > longest:
                raise damaged("a line of it is too long")
        return bytes(line)

    def _fill(self, length: int) -> None:
        self._base = self.position
        self._buffer = self._section.read_at(self._base, min(length, self._section.size - self._base))
        self._next = 0


def damaged(reason: str) -> ModelError:
    """A file that breaks the rules of its own format."""
    return ModelError(
        "model/integrity", f"This checkpoint is damaged: {reason}.", "Download it again, from a source that you trust."
    )


def unsupported(reason: str) -> ModelError:
    """A file that may be sound, and that this version does not read."""
    return ModelError("model/incompatible", f"This file cannot be opened as a checkpoint: {reason}.")
