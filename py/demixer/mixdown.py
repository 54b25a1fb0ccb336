"""The mix of stems as the desk plays it, and measurements of stems, mix and residual."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demixer.audio import Samples, Source
from demixer.normalisation import blocks
from demixer.progress import Monitor

Gains = npt.NDArray[np.float64]
"""Linear gains [shape=(stems, channels)]; the channels are those of the mix."""


class Mixdown:
    """The sum of stems times their gains: a `Source`.

    Adds stem after stem in double precision and rounds once to float32, as the desk's mixer does
    (`web/playback/audio/mixer.js`), so that an export has the bits that are played.

    Parameters
    ----------
    stems : sequence of Source
        With the same rate, length and number of channels.
    gains : np.ndarray [shape=(stems, channels)], float64
        Linear. A mono stem can be panned: the mix has as many channels as the gains. Muted stems are not read.
    gain : float
        Linear gain of the sum.

    Raises
    ------
    ValueError
        When the gains do not match the stems.
    """

    def __init__(self, stems: Sequence[Source], gains: Gains, gain: float = 1.0) -> None:
        matches = gains.ndim == 2 and len(gains) == len(stems) and stems[0].channels in {1, gains.shape[1]}
        if not matches or not np.isfinite(gains).all():
            raise ValueError(f"gains of shape {gains.shape} for {len(stems)} stems of {stems[0].channels} channels")
        self.rate = stems[0].rate
        self.channels = int(gains.shape[1])
        self.length = stems[0].length
        self._gain = np.float64(gain)
        self._audible = [(stem, row[:, np.newaxis]) for stem, row in zip(stems, gains, strict=True) if row.any()]

    async def read(self, start: int, stop: int) -> Samples:
        mix = np.zeros((self.channels, stop - start))
        for stem, gain in self._audible:
            mix += gain * await stem.read(start, stop)
        return (self._gain * mix).astype(np.float32)


@dataclass(frozen=True)
class MixMeasurement:
    """Peaks of stems and mix, and the energy of the residual.

    Parameters
    ----------
    stems : tuple of float
        Highest magnitude of each stem; 1 is full scale.
    mix : float
        Highest magnitude of the mix.
    residual : float
        Energy of the residual relative to the song's in dB, the null test; minus infinity when it is zero.
    """

    stems: tuple[float, ...]
    mix: float
    residual: float


async def measure_mix(song: Source, stems: Sequence[Source], gains: Gains, monitor: Monitor) -> MixMeasurement:
    """Measure a song and its stems, reading each once, block by block.

    Parameters
    ----------
    song : Source
    stems : sequence of Source
        With the length of the song.
    gains : np.ndarray [shape=(stems, channels)], float64
        Gains of the mix.
    monitor : Monitor
    """
    peaks = np.zeros(len(stems))
    mix_peak = energy = missing = 0.0
    async for start, mixture in blocks(song):
        read = np.stack([await stem.read(start, start + mixture.shape[-1]) for stem in stems])
        peaks = np.maximum(peaks, np.abs(read).max(axis=(1, 2)))
        mix_peak = max(mix_peak, float(np.abs((gains[..., np.newaxis] * read).sum(axis=0)).max()))
        residual = mixture - read.sum(axis=0, dtype=np.float64)
        energy += float(np.sum(np.square(mixture, dtype=np.float64)))
        missing += float(np.sum(np.square(residual)))
        monitor.mark("measure", start + mixture.shape[-1], song.length)
    return MixMeasurement(tuple(peaks.tolist()), mix_peak, decibels(missing, energy))


def decibels(energy: float, reference: float) -> float:
    """An energy relative to another in dB; zero energy is minus infinity, relative to anything."""
    if energy == 0:
        return -math.inf
    return math.inf if reference == 0 else 10 * math.log10(energy / reference)
