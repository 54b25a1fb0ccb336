"""The song's offset and scale, measured once over the whole song, as the reference normalises it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from demixer.audio import Samples, Source, check_finite
from demixer.progress import Monitor

#: Samples that are read together while measuring.
BLOCK: Final = 1 << 18


@dataclass(frozen=True)
class Normalisation:
    """Offset and scale of a song's mono sum: `demucs.api.Separator` of PyPI `demucs` 4.1.0."""

    offset: float
    scale: float

    def normalise(self, samples: Samples) -> Samples:
        """Samples without the song's offset, at unit scale."""
        return samples if self == UNITY else (samples - np.float32(self.offset)) / np.float32(self.scale)

    def restore(self, stems: Samples, *, offset: bool) -> Samples:
        """Stems at the song's scale.

        The reference gives the offset back to every stem (`offset=True`), so that their sum has it
        several times; without it the mixture consistency gives it back once.
        """
        if self == UNITY:
            return stems
        return stems * np.float32(self.scale) + np.float32(self.offset if offset else 0)


UNITY: Final = Normalisation(0.0, 1.0)


class Meter:
    """Measures a song block by block: refuses what is not a number, gives the normalisation of the rest.

    Parameters
    ----------
    length : int
        Samples of the whole song.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._total = 0.0
        self._squares = 0.0

    def add(self, samples: Samples) -> None:
        """Take the next block of `blocks` [shape=(channels, n)]; raises `audio/not-finite`."""
        check_finite(samples)
        mono = samples.mean(axis=0, dtype=np.float64)
        self._total += float(mono.sum())
        self._squares += float(mono @ mono)

    @property
    def normalisation(self) -> Normalisation:
        """The song's normalisation, once all blocks were added."""
        mean = self._total / self._length
        variance = max(0.0, self._squares - self._total * mean) / max(1, self._length - 1)
        return Normalisation(mean, math.sqrt(variance) + 1e-8)


async def blocks(source: Source) -> AsyncIterator[tuple[int, Samples]]:
    """The whole song as (start, samples), always cut alike, so that what is measured has the same bits."""
    for start in range(0, source.length, BLOCK):
        yield start, await source.read(start, min(start + BLOCK, source.length))


async def measure(source: Source, monitor: Monitor) -> Normalisation:
    """Read the whole song once and measure it.

    Raises
    ------
    AudioError
        `audio/not-finite`.
    """
    meter = Meter(source.length)
    monitor.mark("measure", 0, source.length)
    async for start, samples in blocks(source):
        meter.add(samples)
        monitor.mark("measure", start + samples.shape[-1], source.length)
    return meter.normalisation


class NormalisedSource:
    """A song at a normalisation, as a `Source`."""

    def __init__(self, source: Source, normalisation: Normalisation) -> None:
        self.rate = source.rate
        self.channels = source.channels
        self.length = source.length
        self._source = source
        self._normalisation = normalisation

    async def read(self, start: int, stop: int) -> Samples:
        return self._normalisation.normalise(await self._source.read(start, stop))
