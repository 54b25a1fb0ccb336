"""Onset strength of a song, in the bands of `features`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demixer.analyses.features import ONSET_RATE, Features
from demixer.audio import Samples

Array = npt.NDArray[np.float64]


def onset_strength(song: Features, drums: Features | None = None) -> Array:
    """Onset strength of a song [shape=(frames, bands)], each band with a mean of 1 where it is loud.

    Parameters
    ----------
    song : Features
    drums : Features, optional
        Features of the drum stem, which count twice as much as the song.
    """
    strength = _normalised(song.onsets)
    if drums is not None and drums.power > 1e-3 * song.power:
        frames = min(len(strength), len(drums.onsets))
        strength = strength[:frames] + 2 * _normalised(drums.onsets[:frames])
    return strength


def _normalised(onsets: Samples) -> Array:
    """Divide each band by its deviation in the ten seconds around, so that quiet passages count."""
    deviation = np.sqrt(smoothed(onsets.astype(np.float64) ** 2, int(10 * ONSET_RATE)))
    typical = deviation.mean(axis=0) + 1e-9
    return np.asarray(onsets / np.maximum(deviation, 0.2 * typical) * (typical > 1e-3))


def smoothed(values: Array, width: int) -> Array:
    """Moving average over `width` frames of the first axis, shorter at the ends."""
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    at = np.arange(len(values))
    first, last = np.maximum(0, at - width // 2), np.minimum(len(values), at + width // 2 + 1)
    counts = (last - first).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray((total[last] - total[first]) / counts)


def highest_around(strength: Array, reach: int) -> Array:
    """Maximum within `reach` frames of each frame."""
    padded = np.pad(strength, [(reach, reach), (0, 0)], mode="edge")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.asarray(frames.max(axis=-1))
