"""Spectrograms for looking at: levels over time and log frequency, computed in the memory of a few frames."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from demixer.audio import Samples, Source
from demixer.errors import DemixError

#: Levels of a picture [shape=(columns, rows)]: 0 is `FLOOR_DB` or less, 255 a sine at full scale.
Levels = npt.NDArray[np.uint8]

FLOOR_DB: Final = -96.0

#: Length of a frame: bass notes lie apart, and drums still have edges.
FRAME_SECONDS: Final = 0.093

#: Frames that a column shows the mean of, at most: however long the song is, a picture costs the same.
MOST_FRAMES: Final = 4

#: Samples that are read together, at most, where columns are close to each other.
READ: Final = 1 << 20

#: Columns that lie further apart, in reaches of their frames, are read one by one.
NEAR: Final = 8

_MOST_COLUMNS: Final = 4096


@dataclass(frozen=True)
class Window:
    """What of a song is looked at.

    Parameters
    ----------
    start, stop : int
        Samples.
    columns : int
        Parts of equal time.
    rows : int
        Frequencies at equal intervals from `low` to `high`.
    low, high : float
        In Hz.
    """

    start: int
    stop: int
    columns: int
    rows: int
    low: float
    high: float

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read and validate what the page asks for; raises `protocol/version`."""
        window = cls(**json.loads(text))
        sizes = 1 <= window.columns <= _MOST_COLUMNS and 1 <= window.rows <= _MOST_COLUMNS
        if not (0 <= window.start < window.stop and sizes and 0 < window.low < window.high):
            raise DemixError("protocol/version", f"The page asks for the picture {text:.80}.", "Reload the page.")
        return window


async def spectrogram(source: Source, window: Window) -> Levels:
    """Draw a part of a song.

    Each column is the mean power of up to `MOST_FRAMES` Hann-windowed frames around its middle, over all
    channels, in dB relative to a sine at full scale. A row takes the bins around its frequency with triangular
    weights, at least as wide as a bin, so that the lowest rows are interpolated rather than stepped (the filters
    of the mel scale, Davis and Mermelstein 1980, at equal intervals instead).

    Parameters
    ----------
    source : Source
        What lies outside of it counts as silence.
    window : Window

    Returns
    -------
    np.ndarray [shape=(columns, rows)], uint8
        The lowest frequency first.
    """
    n_fft = 1 << round(np.log2(source.rate * FRAME_SECONDS))
    hop = n_fft // 2
    width = (window.stop - window.start) / window.columns
    frames = int(np.clip(round(width / hop), 1, MOST_FRAMES))
    reach = (n_fft + (frames - 1) * hop) // 2
    middles = window.start + ((np.arange(window.columns) + 0.5) * width).astype(np.int64)
    near = width <= NEAR * reach
    together = max(1, int((READ - 2 * reach) / width)) if near else 1
    power = []
    for first in range(0, window.columns, together):
        batch = middles[first : first + together]
        begin = int(batch[0]) - reach
        samples = await _read(source, begin, int(batch[-1]) + reach)
        starts = (batch - reach - begin)[:, None] + hop * np.arange(frames)
        power.append(_power(samples, starts, n_fft))
    weights = _rows(source.rate, n_fft, window.rows, window.low, window.high)
    decibel = 10 * np.log10(np.concatenate(power) @ weights.T + 1e-12)
    levels: Levels = np.round(np.clip(1 - decibel / FLOOR_DB, 0, 1) * 255).astype(np.uint8)
    return levels


async def _read(source: Source, start: int, stop: int) -> Samples:
    """Samples from anywhere, silent outside of the song."""
    first, last = (min(max(edge, 0), source.length) for edge in (start, stop))
    samples = await source.read(first, last)
    return np.pad(samples, [(0, 0), (first - start, stop - last)])


def _power(samples: Samples, starts: npt.NDArray[np.int64], n_fft: int) -> Samples:
    """Mean power of each column's frames [shape=(columns, bins)], 1 for a sine at full scale.

    Columns are transformed one by one: bounds memory, changes no bit.
    """
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
    scale = (2 / window.sum()) ** 2
    columns = []
    for column in starts:
        frames = np.stack([samples[:, start : start + n_fft] for start in column]) * window
        spectrum = np.fft.rfft(frames)
        columns.append((spectrum.real**2 + spectrum.imag**2).mean(axis=(0, 1)) * scale)
    return np.stack(columns).astype(np.float32)


@lru_cache(maxsize=4)
def _rows(rate: int, n_fft: int, rows: int, low: float, high: float) -> Samples:
    """Weights of the bins in each row [shape=(rows, bins)].

    Wide rows have the power of their band, so that a tone has the same level wherever it lies.
    """
    edges = low * (high / low) ** (np.arange(-1, rows) / max(rows - 1, 1)) * n_fft / rate
    centres = edges[1:]
    reach = np.maximum(1, np.diff(edges))
    distance = np.abs(np.arange(n_fft // 2 + 1) - centres[:, None])
    weights: Samples = np.maximum(0, 1 - distance / reach[:, None]).astype(np.float32)
    return weights
