"""Segments of a song and their weighted overlap-add, as a stream.

The arithmetic is that of `demucs.apply.apply_model` (PyPI `demucs` 4.1.0), so that the same network gives the same
stems. Memory is that of one segment, whatever the song's length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from demixer.audio import Samples, Source


@dataclass(frozen=True)
class Segment:
    """A stretch of the song and the window around it that the model sees.

    A segment shorter than the window (the last one, or a short song) lies in its middle, so that the model sees real
    context on both sides instead of silence after the end.
    """

    start: int
    length: int
    window: int

    @property
    def window_start(self) -> int:
        """First sample of the window in the song; may be negative."""
        return self.start - (self.window - self.length) // 2

    def trim(self, stems: Samples) -> Samples:
        """Cut the stems of the window down to the segment."""
        offset = self.start - self.window_start
        return stems[..., offset : offset + self.length]


def plan(length: int, window: int, overlap: float) -> list[Segment]:
    """Cover a song with segments.

    Parameters
    ----------
    length : int
        Samples of the song, at least 1.
    window : int
        Samples that the model takes.
    overlap : float
        Fraction of the window shared with the next one, in [0, 1).
    """
    stride = max(1, int((1 - overlap) * window))
    return [Segment(start, min(window, length - start), window) for start in range(0, length, stride)]


async def read_window(source: Source, segment: Segment) -> Samples:
    """The model's input for a segment [shape=(channels, window)]: silence beyond the song's ends."""
    start, stop = segment.window_start, segment.window_start + segment.window
    inside = await source.read(max(start, 0), min(stop, source.length))
    window = np.zeros((source.channels, segment.window), np.float32)
    window[:, max(-start, 0) : max(-start, 0) + inside.shape[-1]] = inside
    return window


@lru_cache(maxsize=2)
def fade(length: int, ramp: float = 0.5) -> Samples:
    """Weights that favour the middle of a segment [shape=(length,)], above 0 and up to 1; read-only.

    Parameters
    ----------
    length : int
        Samples of the segment.
    ramp : float
        Fraction of it over which they rise, and fall, in (0, 0.5]; 0.5 is the reference's triangle.
    """
    rising = np.arange(1, length // 2 + 1, dtype=np.float32)
    falling = np.arange(length - length // 2, 0, -1, dtype=np.float32)
    weights: Samples = np.concatenate([rising, falling])
    weights /= weights.max()
    np.minimum(weights / np.float32(2 * ramp), 1, out=weights)
    weights.flags.writeable = False
    return weights


class OverlapAdd:
    """Joins segments in order, and returns each sample as soon as it is complete.

    Between two segments it holds only the samples that they share.

    Parameters
    ----------
    segments : list of Segment
        The plan of the song.
    stems, channels : int
        Leading shape of what `add` takes.
    ramp : float
        See `fade`.
    """

    def __init__(self, segments: list[Segment], stems: int, channels: int, ramp: float = 0.5) -> None:
        self._ramp = ramp
        last = segments[-1]
        self._ends = [segment.start for segment in segments[1:]] + [last.start + last.length]
        self._next = 0
        self._sum: Samples = np.zeros((stems, channels, 0), np.float32)
        self._weight: Samples = np.zeros(0, np.float32)

    def add(self, segment: Segment, stems: Samples) -> Samples:
        """Add one segment.

        Parameters
        ----------
        segment : Segment
            The next one of the plan.
        stems : np.ndarray [shape=(stems, channels, segment.length)], float32

        Returns
        -------
        np.ndarray [shape=(stems, channels, n)], float32
            The finished samples from `segment.start` on; owned by the caller.
        """
        weight = fade(segment.window, self._ramp)[: segment.length].copy()
        total = weight * stems
        shared = self._weight.size
        total[..., :shared] += self._sum
        weight[:shared] += self._weight
        finished = self._ends[self._next] - segment.start
        self._next += 1
        self._sum = total[..., finished:].copy()
        self._weight = weight[finished:].copy()
        joined = total[..., :finished]
        joined /= weight[:finished]
        return joined
