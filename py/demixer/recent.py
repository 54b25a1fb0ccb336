"""The most recently read part of a song: segments overlap, and stems are compared with the mixture."""

from __future__ import annotations

import asyncio

import numpy as np

from demixer.audio import Samples, Source


class Recent:
    """A `Source` that reads a song once although several readers go through it from front to back.

    Parameters
    ----------
    source : Source
    span : int
        Number of samples to keep; earlier ones are read again.
    """

    def __init__(self, source: Source, span: int) -> None:
        self.rate = source.rate
        self.channels = source.channels
        self.length = source.length
        self._source = source
        self._span = span
        self._start = 0
        self._samples: Samples = np.zeros((source.channels, 0), np.float32)
        self._reading = asyncio.Lock()

    async def read(self, start: int, stop: int) -> Samples:
        """Samples `start` to `stop` [shape=(channels, stop - start)], read-only."""
        if not self._holds(start, stop):
            async with self._reading:
                if start < self._start:
                    return await self._source.read(start, stop)
                if not self._holds(start, stop):
                    await self._extend(start, stop)
        return self._samples[:, start - self._start : stop - self._start]

    @property
    def _end(self) -> int:
        return self._start + int(self._samples.shape[-1])

    def _holds(self, start: int, stop: int) -> bool:
        return self._start <= start and stop <= self._end

    async def _extend(self, start: int, stop: int) -> None:
        """Read up to `stop`, and drop everything when `start` lies beyond the samples held."""
        if start > self._end:
            self._start, self._samples = start, self._samples[:, :0]
        samples = await self._source.read(self._end, stop)
        kept = max(self._span, stop - start)
        surplus = max(0, self._samples.shape[-1] + samples.shape[-1] - kept)
        self._samples = np.concatenate([self._samples[:, surplus:], samples], axis=-1)
        self._samples.flags.writeable = False
        self._start = stop - int(self._samples.shape[-1])
