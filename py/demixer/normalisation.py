"""Offset and scale of a whole song, which some models need removed, as the reference implementation does."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from demixer.audio import Samples, Source, check_finite
from demixer.progress import Monitor

#: Samples that are measured together.
BLOCK: Final = 1 << 18


@dataclass(frozen=True)
class Normalisation:
    """Offset and scale of a song's mono sum: `demucs.api.Separator` of PyPI `demucs` 4.1.0."""

    offset: float
    scale: float

    def normalise(self, samples: Samples) -> Samples:
        """Remove the offset and bring the samples to unit scale."""
        return samples if self == UNITY else (samples - np.float32(self.offset)) / np.float32(self.scale)

    def restore(self, stems: Samples, *, offset: bool) -> Samples:
        """Bring stems back to the song's scale.

        The reference adds the offset to every stem (`offset=True`), so that their sum has it several times; without,
        the mixture consistency adds it once.
        """
        if self == UNITY:
            return stems
        return stems * np.float32(self.scale) + np.float32(self.offset if offset else 0)


UNITY: Final = Normalisation(0.0, 1.0)


class Meter:
    """Measures the normalisation of a song block by block.

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
        """Measure the next block [shape=(channels, n)]; raises `audio/not-finite`."""
        check_finite(samples)
        mono = samples.mean(axis=0, dtype=np.float64)
        self._total += float(mono.sum())
        self._squares += float(mono @ mono)

    @property
    def normalisation(self) -> Normalisation:
        """The song's normalisation, once every block is added."""
        mean = self._total / self._length
        variance = max(0.0, self._squares - self._total * mean) / max(1, self._length - 1)
        return Normalisation(mean, math.sqrt(variance) + 1e-8)


async def blocks(source: Source) -> AsyncIterator[tuple[int, Samples]]:
    """The whole song as (start, samples), in fixed blocks so that measurements have the same bits."""
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
    """A normalised song: a `Source`."""

    def __init__(self, source: Source, normalisation: Normalisation) -> None:
        self.rate = source.rate
        self.channels = source.channels
        self.length = source.length
        self._source = source
        self._normalisation = normalisation

    async def read(self, start: int, stop: int) -> Samples:
        return self._normalisation.normalise(await self._source.read(start, stop))
