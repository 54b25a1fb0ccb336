"""Saving a job between two segments, and telling the states that it can go on from.

A state is a header and a pickle. The header names the job and the sources that wrote it, and holds length and CRC-32
of what follows: a state that is torn, or of anything else, counts as none. It is no protection against forgery: a
state comes from where the page keeps its own files.
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


class Checkpoints(Protocol):
    """Keeps the latest state of one job, and speaks for the sink that the job's samples go to."""

    @property
    def key(self) -> str:
        """Names what the pipeline does not see, but its results depend on: the weights, how the sink is set up."""
        ...

    async def load(self) -> bytes | None:
        """The state that was saved last, in whatever condition it is."""
        ...

    async def save(self, state: bytes) -> None:
        """Keep a state in the place of the one before: either whole, or the one before stays."""
        ...

    def snapshot(self) -> Any:
        """What the sink remembers of the samples it got so far; can be pickled."""
        ...

    async def resume(self, start: int, snapshot: Any) -> None:
        """Put the sink back to where the snapshot was taken: the next sample it gets is `start`."""
        ...


class Saved:
    """A job's stream and what its sink remembers, where they outlast the job's end.

    Parameters
    ----------
    checkpoints : Checkpoints, optional
        Without, nothing is saved.
    job : tuple of object
        All that the results depend on, told apart by their `repr`.
    """

    def __init__(self, checkpoints: Checkpoints | None, job: tuple[object, ...]) -> None:
        self._checkpoints = checkpoints
        self._job = repr((*job, checkpoints.key)) if checkpoints else ""

    async def load(self) -> Any | None:
        """The stream to go on with, once the sink is back where it was; None to start from the beginning."""
        sealed = await self._checkpoints.load() if self._checkpoints else None
        state = unseal(sealed, self._job) if sealed else None
        if self._checkpoints is None or state is None:
            return None
        stream, written, snapshot = state
        await self._checkpoints.resume(written, snapshot)
        return stream

    async def save(self, stream: object, written: int) -> None:
        """Keep both together, with the samples written so far: one without the other would lose or repeat some."""
        if self._checkpoints is not None:
            await self._checkpoints.save(seal((stream, written, self._checkpoints.snapshot()), self._job))


def seal(state: object, job: str) -> bytes:
    """A job's state as bytes; arrays are saved without what they are views of."""
    body = pickle.dumps(state, protocol=5)
    return b"".join((_HEADER.pack(_MAGIC, _fingerprint(job), len(body), zlib.crc32(body)), body))


def unseal(sealed: bytes, job: str) -> Any | None:
    """The state in `sealed`; None unless it is whole and of the same job, saved by the same sources."""
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
    """A hash of this package: a state means nothing to other sources than those that wrote it."""
    folder = Path(__file__).parent
    digest = sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()
