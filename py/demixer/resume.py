"""Resume points: everything between two segments of a job, saved so that an interrupted job can go on.

A saved state is a header and a pickle. The header names the job and the sources that wrote it, and holds the length
and CRC-32 of the pickle: a torn state, or one of another job, is ignored. This is no protection against forgery; states
are read only from where the page keeps its own files.
"""

from __future__ import annotations

import pickle
import struct
import zlib
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

_MAGIC: Final = b"demixer1"

#: Magic, fingerprint of the job, length and CRC-32 of the pickle.
_HEADER: Final = struct.Struct("<8s32sQI")


class ResumePoints(Protocol):
    """Storage for the latest state of one job, together with the sink that takes its samples."""

    @property
    def key(self) -> str:
        """Identifies inputs that the pipeline does not see: the weights, and the sink's settings."""
        ...

    async def load(self) -> bytes | None:
        """The state that was saved last, possibly damaged."""
        ...

    async def save(self, state: bytes) -> None:
        """Replace the saved state, either completely or not at all."""
        ...

    def snapshot(self) -> Any:
        """The sink's own state after the samples it has taken so far; can be pickled."""
        ...

    async def resume(self, start: int, snapshot: Any) -> None:
        """Return the sink to a snapshot; the next sample it takes is `start`."""
        ...


class ResumableStream:
    """Saves the stream of a job with the snapshot of its sink, and loads both again.

    Parameters
    ----------
    points : ResumePoints, optional
        None saves nothing.
    job : tuple of object
        Everything that the results depend on, compared by `repr`.
    """

    def __init__(self, points: ResumePoints | None, job: tuple[object, ...]) -> None:
        self._points = points
        self._job = repr((*job, points.key)) if points else ""

    async def load(self) -> Any | None:
        """The stream to continue, after returning the sink to its snapshot; None to start from the beginning."""
        if self._points is None:
            return None
        sealed = await self._points.load()
        state = unseal(sealed, self._job) if sealed else None
        if state is None:
            return None
        stream, written, snapshot = state
        await self._points.resume(written, snapshot)
        return stream

    async def save(self, stream: object, written: int) -> None:
        """Save the stream and the sink's snapshot together: one without the other would lose or repeat samples."""
        if self._points is not None:
            await self._points.save(seal((stream, written, self._points.snapshot()), self._job))


def seal(state: object, job: str) -> bytes:
    """Pack a job's state into bytes."""
    body = pickle.dumps(state, protocol=5)
    return b"".join((_HEADER.pack(_MAGIC, _fingerprint(job), len(body), zlib.crc32(body)), body))


def unseal(sealed: bytes, job: str) -> Any | None:
    """Unpack a state; None unless it is whole and was saved by the same sources for the same job."""
    if len(sealed) < _HEADER.size:
        return None
    magic, fingerprint, length, checksum = _HEADER.unpack_from(sealed)
    body = memoryview(sealed)[_HEADER.size :]
    if (magic, fingerprint, length, checksum) != (_MAGIC, _fingerprint(job), len(body), zlib.crc32(body)):
        return None
    return pickle.loads(body)


def _fingerprint(job: str) -> bytes:
    return sha256(f"{job}\0{_sources()}".encode()).digest()


@lru_cache(maxsize=1)
def _sources() -> str:
    """Hash of this package, since a state is meaningless to any other sources."""
    folder = Path(__file__).parent
    digest = sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()
