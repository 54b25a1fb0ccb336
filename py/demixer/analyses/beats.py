"""Beats: tracked at several ratios of the tempo, and the best candidate chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.analyses.features import ONSET_RATE, Features
from demixer.analyses.onsets import highest_around, onset_strength
from demixer.analyses.tempo import BAND_WEIGHTS, FASTEST, PREFERRED, STEP, tempo_path, tempogram

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: Parts of a beat at which onsets are compared: divisible into halves, thirds and quarters.
PARTS: Final = 12

#: Seconds from a rise of the onset strength to the onset, since frames reach beyond their centre.
LATENCY: Final = 0.02

#: Candidates for the beats: their rate relative to the path of the tempo, and their shift in parts of a beat.
_RATIOS: Final = (1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0)
_SHIFTS: Final = (0, 3, 4, 6, 8, 9)


@dataclass(frozen=True)
class Beats:
    """The beats of a song.

    Parameters
    ----------
    tempo : float, optional
        Beats per minute, the median; None when no steady beat is found.
    times : np.ndarray [shape=(n,)]
        In seconds.
    confidence : float
        0 to 1.
    """

    tempo: float | None
    times: Array
    confidence: float


#: Weight of each criterion of `criteria`; see docs/analysis.
WEIGHTS: Final = {
    "tempo preferred": 2.0,
    "low on beat, not half": 0.6,
    "mid-low on beat, not half": 0.4,
    "mid-high on beat, not half": 0.3,
    "high on beat, not half": 0.1,
    "third before the beat": 1.1,
    "quarter before the beat": 0.8,
    "on beat": 2.5,
    "low on beat": 2.3,
    "on half": 0.0,
    "on quarters": -1.5,
    "on thirds": -1.4,
    "off the grid": -3.0,
    "backbeat": 1.0,
    "low alternates": 0.4,
    "beats are even": 0.4,
    "half returns": 0.4,
    "beat returns": 1.4,
    "second beat returns": 0.8,
    "third beat returns": 0.2,
    "fourth beat returns": 2.6,
}

NO_BEATS: Final = Beats(None, np.zeros(0), 0.0)


def find_beats(song: Features, drums: Features | None = None) -> Beats:
    """Find the beats.

    The first path of the tempo may be that of half beats or of dotted notes. So beats are tracked at simple ratios of
    it, each also shifted by parts of a beat, and the candidate with the highest score of `criteria` is chosen.

    Parameters
    ----------
    song : Features
    drums : Features, optional
        Features of the drum stem.
    """
    strength = onset_strength(song, drums)
    total = strength @ BAND_WEIGHTS
    if len(strength) < 4 * ONSET_RATE or total.std() == 0:
        return NO_BEATS
    correlation = tempogram(strength)
    path, support = tempo_path(correlation)
    tempi = np.interp(np.arange(len(total)) / ONSET_RATE, np.arange(len(path)) * STEP, path)
    total = total / total.std()
    strongest = highest_around(strength, 2)
    mean = correlation.mean(axis=0)
    found: list[tuple[float, Array, float]] = []
    for ratio in _RATIOS:
        tempo = float(np.median(tempi)) * ratio
        if not 50 <= tempo <= FASTEST:
            continue
        beats = track(total, 60 * ONSET_RATE / (tempi * ratio)).astype(np.float64)
        if len(beats) < 8:
            continue
        parts = folded(strongest, beats)
        for shift in _SHIFTS:
            score = float(criteria(parts, shift, tempo, mean) @ np.array(list(WEIGHTS.values())))
            found.append((score, beats + shift / PARTS * np.diff(beats, append=2 * beats[-1] - beats[-2]), tempo))
    if not found:
        return NO_BEATS
    _, beats, _ = max(found, key=lambda candidate: candidate[0])
    beats = _trimmed(beats, total)
    confidence = float(np.clip((np.median(support) - 0.25) / 0.6, 0, 1))
    if confidence == 0 or len(beats) < 4:
        return NO_BEATS
    times = beats / ONSET_RATE + LATENCY
    times = times[times < song.duration - LATENCY]
    return Beats(float(60 / np.median(np.diff(times))), times, confidence)


def track(strength: Array, periods: Array, tightness: float = 1000.0) -> Indices:
    """Track beats by dynamic programming (Ellis 2007), about `periods[frame]` apart; return their frames.

    Frames are scored in blocks shorter than the shortest beat, whose predecessors are all scored already.
    """
    frames = len(strength)
    shortest, longest = max(2, int(periods.min() * 0.75)), int(periods.max() * 1.33) + 1
    lags = np.arange(shortest, longest + 1)
    logs = np.log(lags)
    score = np.concatenate([np.zeros(longest), strength])
    back = np.full(frames, -1)
    for first in range(0, frames, shortest):
        block = np.arange(first, min(first + shortest, frames))
        ways = score[longest + block[:, None] - lags] - tightness * (logs - np.log(periods[block])[:, None]) ** 2
        best = ways.argmax(axis=1)
        score[longest + block] += ways[np.arange(len(block)), best]
        back[block] = block - lags[best]
    beat = frames - longest + int(np.argmax(score[-longest:])) if frames > longest else int(np.argmax(score[longest:]))
    beats = []
    while beat >= 0:
        beats.append(beat)
        beat = int(back[beat])
    return np.array(beats[::-1])


def criteria(parts: Array, shift: int, tempo: float, correlation: Array) -> Array:
    """Evaluate how the onsets of each band lie within candidate beats, in the order of `WEIGHTS`.

    Parameters
    ----------
    parts : np.ndarray [shape=(beats, parts, bands)]
        From `folded`.
    shift : int
        Parts of a beat by which the beats are delayed.
    tempo : float
    correlation : np.ndarray [shape=(lags,)]
        Mean of the tempogram.
    """
    later = parts.reshape(-1, parts.shape[2])[shift:]
    later = later[: len(later) // PARTS * PARTS].reshape(-1, PARTS, parts.shape[2])
    four = later[: len(later) // 4 * 4].reshape(-1, 4, PARTS, parts.shape[2]).mean(axis=0)
    profile = four.mean(axis=0)
    total = profile.mean(axis=1)
    low, high = four[:, 0, 0], four[:, 0, 2]
    beats = four[:, 0].mean(axis=1)
    even, odd = beats[0] + beats[2], beats[1] + beats[3]
    low_swing, high_swing = ((band[0] + band[2] - band[1] - band[3]) / (band.sum() + 1e-9) for band in (low, high))
    backbeat = -np.sign(low_swing * high_swing) * min(abs(low_swing), abs(high_swing))
    lag = 60 * ONSET_RATE / tempo
    pulse = np.interp(lag * np.array([0.5, 1, 2, 3, 4]), np.arange(len(correlation)), correlation)
    return np.array(
        [
            -(np.log2(tempo / PREFERRED) ** 2),
            *(_balance(profile[0, band], profile[6, band]) for band in range(len(profile[0]))),
            _balance(total[8], total[4]) * min(1.0, max(total[8], total[4]) / 0.12),
            _balance(total[9], total[3]) * min(1.0, max(total[9], total[3]) / 0.12),
            total[0],
            profile[0, 0],
            total[6],
            total[3] + total[9],
            total[4] + total[8],
            total[[1, 2, 5, 7, 10, 11]].sum(),
            backbeat,
            abs(low_swing),
            min(even, odd) / (max(even, odd) + 1e-9),
            *pulse,
        ]
    )


def _balance(one: float, other: float) -> float:
    """1 when all is in one, -1 when all is in the other."""
    return float((one - other) / (one + other + 0.03))


def folded(strength: Array, beats: Array) -> Array:
    """Onset strength at each part of each beat [shape=(beats - 1, parts, bands)], with a mean of 1 / `PARTS`."""
    at = beats[:-1, None] + np.diff(beats)[:, None] * np.arange(PARTS) / PARTS
    parts = strength[np.clip(np.round(at).astype(np.int64), 0, len(strength) - 1)]
    return np.asarray(parts / (parts.mean(axis=(0, 1)) + 1e-9) / PARTS)


def _trimmed(beats: Array, total: Array) -> Array:
    """The beats from the first onset to the last."""
    (loud,) = np.nonzero(total > 0.3 * np.quantile(total, 0.98))
    if loud.size == 0:
        return beats[:0]
    return np.asarray(beats[(beats >= loud[0] - 5) & (beats <= loud[-1] + 5)])
