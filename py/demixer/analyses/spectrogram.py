"""Spectrograms as images: magnitude in dB over time and log frequency, in the memory of a few frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from demixer.analyses import Options, Stems, register
from demixer.audio import Samples, Source
from demixer.errors import DemixError
from demixer.progress import Monitor

#: An image [shape=(columns, rows)]: 0 is `FLOOR_DB` or less, 255 a sine at full scale.
Pixels = npt.NDArray[np.uint8]

FLOOR_DB: Final = -96.0

#: Length of a frame: resolves bass notes, and still shows the onsets of drums.
FRAME_SECONDS: Final = 0.093

#: Most frames averaged in one column, so that an image of any song costs the same.
MOST_FRAMES: Final = 4

#: Most samples per read when columns are close together.
READ: Final = 1 << 20

#: Columns at most this many reaches of their frames apart are read together.
NEAR: Final = 8

_MOST_COLUMNS: Final = 4096


@dataclass(frozen=True)
class Window:
    """The part of a song to draw, and the size of the image.

    Parameters
    ----------
    start, stop : int
        Samples.
    columns : int
        Parts of equal time.
    rows : int
        Frequencies at equal intervals of pitch from `low` to `high`.
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
    def from_dict(cls, options: Mapping[str, Any]) -> Self:
        """Read and validate the page's options; raises `protocol/version`."""
        numbers = {name: options.get(name) for name in cls.__dataclass_fields__}
        window = cls(**numbers)  # type: ignore[arg-type]
        if not all(_is_number(value) for value in numbers.values()) or not window._is_drawable():
            raise DemixError("protocol/version", f"The page asks for the picture {numbers!r:.80}.", "Reload the page.")
        return window

    def _is_drawable(self) -> bool:
        whole = all(isinstance(value, int) for value in (self.start, self.stop, self.columns, self.rows))
        sizes = whole and 1 <= self.columns <= _MOST_COLUMNS and 1 <= self.rows <= _MOST_COLUMNS
        return sizes and 0 <= self.start < self.stop and 0 < self.low < self.high < np.inf


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@register("spectrogram")
async def analyse(source: Source, stems: Stems, options: Options, monitor: Monitor) -> dict[str, Any]:  # noqa: ARG001
    """Draw the part of a song that the options (a `Window`) describe, as `{pixels}`: bytes by column and row."""
    pixels = await spectrogram(source, Window.from_dict(options), monitor)
    return {"pixels": pixels.ravel()}


async def spectrogram(source: Source, window: Window, monitor: Monitor | None = None) -> Pixels:
    """Draw a part of a song.

    Each column is the mean power of up to `MOST_FRAMES` Hann-windowed frames around its middle, over all
    channels, in dB relative to a sine at full scale. A row takes the bins around its frequency with triangular
    weights, at least as wide as a bin, so that the lowest rows are interpolated rather than stepped (the filters
    of the mel scale, Davis and Mermelstein 1980, at equal intervals instead).

    Parameters
    ----------
    source : Source
        Silent outside of its length.
    window : Window
    monitor : Monitor, optional

    Returns
    -------
    np.ndarray [shape=(columns, rows)], uint8
        The lowest frequency first.

    Raises
    ------
    DemixError
        `cancelled`, or an error of the source.
    """
    monitor = monitor or Monitor()
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
        monitor.mark("analyse", first, window.columns)
        batch = middles[first : first + together]
        begin = int(batch[0]) - reach
        samples = await _read(source, begin, int(batch[-1]) + reach)
        starts = (batch - reach - begin)[:, None] + hop * np.arange(frames)
        power.append(_power(samples, starts, n_fft))
    weights = _rows(source.rate, n_fft, window.rows, window.low, window.high)
    decibel = 10 * np.log10(np.concatenate(power) @ weights.T + 1e-12)
    pixels: Pixels = np.round(np.clip(1 - decibel / FLOOR_DB, 0, 1) * 255).astype(np.uint8)
    return pixels


async def _read(source: Source, start: int, stop: int) -> Samples:
    """Read samples from anywhere; those outside of the song are silent."""
    first, last = (min(max(edge, 0), source.length) for edge in (start, stop))
    samples = await source.read(first, last)
    return np.pad(samples, [(0, 0), (first - start, stop - last)])


def _power(samples: Samples, starts: npt.NDArray[np.int64], n_fft: int) -> Samples:
    """Mean power of each column's frames [shape=(columns, bins)], 1 for a sine at full scale.

    Columns are transformed one by one, to bound the memory.
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

    Wide rows sum the power of their band, so that a tone has the same value at any frequency.
    """
    edges = low * (high / low) ** (np.arange(-1, rows) / max(rows - 1, 1)) * n_fft / rate
    centres = edges[1:]
    reach = np.maximum(1, np.diff(edges))
    distance = np.abs(np.arange(n_fft // 2 + 1) - centres[:, None])
    weights: Samples = np.maximum(0, 1 - distance / reach[:, None]).astype(np.float32)
    return weights
