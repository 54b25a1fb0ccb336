"""Tempo over the song: the tempogram of its onsets, and the best path through it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.analyses.features import ONSET_RATE
from demixer.analyses.onsets import smoothed
from demixer.analyses.paths import viterbi

Array = npt.NDArray[np.float64]

#: Slowest and fastest tempo considered, in beats per minute.
SLOWEST: Final = 45.0
FASTEST: Final = 220.0

#: Centre (beats per minute) and width (octaves) of preferred tempi (Parncutt 1994, Moelants 2002).
PREFERRED: Final = 120.0
PREFERENCE_WIDTH: Final = 0.55

#: Seconds of music per estimate of the tempo, and from one estimate to the next.
WINDOW: Final = 10.0
STEP: Final = 1.0

#: Weight of each band of the onset strength.
BAND_WEIGHTS: Final = np.array([1.0, 0.6, 1.0, 0.7])

_STEPS_PER_OCTAVE: Final = 48


def tempo_grid() -> Array:
    """The tempi considered, in beats per minute."""
    count = int(np.log2(FASTEST / SLOWEST) * _STEPS_PER_OCTAVE) + 1
    return np.asarray(SLOWEST * 2 ** (np.arange(count) / _STEPS_PER_OCTAVE))


def tempogram(strength: Array) -> Array:
    """Autocorrelation of the onset strength at each lag, window by window [shape=(windows, lags)].

    Bands are correlated separately and then summed, since a kick is followed by a kick. 1 at lag 0.
    """
    window, step = int(WINDOW * ONSET_RATE), int(STEP * ONSET_RATE)
    lags = int(4.2 * 60 / SLOWEST * ONSET_RATE)
    centred = strength - smoothed(strength, ONSET_RATE)
    padded = np.pad(centred, [(window // 2, window), (0, 0)])
    size = 1 << int(np.ceil(np.log2(window + lags)))
    taper = np.hanning(window + 2)[1:-1]
    overlap = np.fft.irfft(np.abs(np.fft.rfft(taper, size)) ** 2)[:lags]
    rows = []
    for start in range(0, len(strength), step):
        frames = padded[start : start + window] * taper[:, None]
        power = (np.abs(np.fft.rfft(frames, size, axis=0)) ** 2 * BAND_WEIGHTS).sum(axis=1)
        correlation = np.fft.irfft(power)[:lags] / np.maximum(overlap, 0.05 * overlap[0])
        rows.append(correlation / max(correlation[0], 1e-9))
    return np.array(rows)


def comb(correlation: Array, tempi: Array) -> Array:
    """Sum the correlation at multiples of each tempo's beat, up to four [shape=(windows, tempi)]."""
    lag = 60 / tempi * ONSET_RATE

    def at(multiple: float) -> Array:
        place = lag * multiple
        low = np.minimum(place.astype(int), correlation.shape[1] - 2)
        part = np.clip(place - low, 0, 1)
        return np.asarray(correlation[:, low] * (1 - part) + correlation[:, low + 1] * part)

    return np.asarray(at(1) + 0.6 * at(2) + 0.3 * at(3) + 0.4 * at(4))


def tempo_path(correlation: Array) -> tuple[Array, Array]:
    """The tempo in each window of a tempogram, by the best path, and its support in each window."""
    tempi = tempo_grid()
    support = comb(correlation, tempi)
    prior = -0.5 * (np.log2(tempi / PREFERRED) / PREFERENCE_WIDTH) ** 2
    apart = np.abs(np.subtract.outer(np.arange(len(tempi)), np.arange(len(tempi)))) / _STEPS_PER_OCTAVE
    path = viterbi(6 * support + prior, -np.minimum(100 * apart, 40.0))
    return tempi[path], support[np.arange(len(path)), path]
