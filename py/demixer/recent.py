"""What was read last of a song: the model's windows overlap, and the stems are compared with what it heard."""

from __future__ import annotations

import asyncio

import numpy as np

from demixer.audio import Samples, Source


class Recent:
    """A `Source` that reads a song once while it is read from front to back by several readers.

    Parameters
    ----------
    source : Source
    span : int
        Samples to keep, of what was read last. What lies before them is read again.
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
        """Samples `start` to `stop` [shape=(channels, stop - start)], not to be written to."""
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
        """Read on to `stop`, or begin anew at `start` where that is farther on than what is known."""
        known = max(self._end, start)
        samples = await self._source.read(known, stop)
        before = self._samples if known == self._end else self._samples[:, :0]
        kept = max(0, max(self._span, stop - start) - samples.shape[-1])
        self._samples = np.concatenate([before[:, max(0, before.shape[-1] - kept) :], samples], axis=-1)
        self._samples.flags.writeable = False
        self._start = stop - int(self._samples.shape[-1])
