"""Tempo, beats, downbeats and metre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.analyses.features import ONSET_RATE, Features
from demixer.analyses.harmony import Harmony, unit
from demixer.analyses.paths import viterbi
from demixer.audio import Samples

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: Slowest and fastest tempo considered, in beats per minute.
SLOWEST: Final = 45.0
FASTEST: Final = 220.0

#: Centre (beats per minute) and width (octaves) of preferred tempi (Parncutt 1994, Moelants 2002).
PREFERRED: Final = 120.0
PREFERENCE_WIDTH: Final = 0.55

#: Seconds of music per estimate of the tempo, and from one estimate to the next.
WINDOW: Final = 10.0
STEP: Final = 1.0

#: Parts of a beat at which onsets are compared: divisible into halves, thirds and quarters.
PARTS: Final = 12

#: Seconds from a rise of the onset strength to the onset, since frames reach beyond their centre.
LATENCY: Final = 0.02

_STEPS_PER_OCTAVE: Final = 48
_BAND_WEIGHTS: Final = np.array([1.0, 0.6, 1.0, 0.7])

#: Candidates for the beats: their rate relative to the path of the tempo, and their shift in parts of a beat.
_RATIOS: Final = (1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0)
_SHIFTS: Final = (0, 3, 4, 6, 8, 9)

#: Cost of a bar with a beat too few or too many.
_SLIP: Final = 8.0

#: Factor by which three beats to a bar need more evidence than four, which are far more common.
_RARITY: Final = 1.25


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


@dataclass(frozen=True)
class Bars:
    """How beats form bars.

    Parameters
    ----------
    metre : int
        Beats in a bar: 3 or 4.
    downbeats : np.ndarray [shape=(n,)]
        First beats of bars, in seconds.
    confidence : float
        0 to 1.
    """

    metre: int
    downbeats: Array
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
        power = (np.abs(np.fft.rfft(frames, size, axis=0)) ** 2 * _BAND_WEIGHTS).sum(axis=1)
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


def find(song: Features, drums: Features | None = None) -> Beats:
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
    total = strength @ _BAND_WEIGHTS
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


def highest_around(strength: Array, reach: int) -> Array:
    """Maximum within `reach` frames of each frame."""
    padded = np.pad(strength, [(reach, reach), (0, 0)], mode="edge")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.asarray(frames.max(axis=-1))


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


def bars(song: Features, sounding: Harmony, beats: Beats) -> Bars:
    """Find downbeats by changes of harmony and bass, and by low drums (Goto 2001, Davies and Plumbley 2006).

    Parameters
    ----------
    song : Features
    sounding : Harmony
        Notes of the spans from each beat to the next.
    beats : Beats
    """
    if len(beats.times) < 8:
        return Bars(4, beats.times[:0], 0.0)
    evidence = downbeat_evidence(onset_strength(song), sounding, beats.times)
    found = {metre: _bar_path(evidence, metre) for metre in (3, 4)}
    gain = {metre: score / np.sqrt(len(evidence) / metre) for metre, (_, score) in found.items()}
    metre = 3 if gain[3] > _RARITY * gain[4] and gain[3] > gain[4] + 1 else 4
    positions, score = found[metre]
    first = positions == 0
    # Mean evidence of the downbeats; evidence has a deviation of 1.
    confidence = float(np.clip(score / max(1, first.sum()) / 1.0, 0, 1)) * beats.confidence
    return Bars(metre, beats.times[first], confidence)


def downbeat_evidence(strength: Array, sounding: Harmony, times: Array) -> Array:
    """Evidence that each beat is a downbeat [shape=(n,)], with a mean of 0 and a deviation of about 1."""

    def change(chroma: Array) -> Array:
        """Difference of each beat from the one before, and of two beats from the two before."""
        padded = np.pad(chroma, [(2, 1), (0, 0)], mode="edge")
        ones, twos = unit(padded), unit(padded[1:] + padded[:-1])
        return np.asarray(2 - (ones[2:-1] * ones[1:-2]).sum(axis=1) - (twos[2:] * twos[:-2]).sum(axis=1))

    frames = np.clip(np.round(times * ONSET_RATE).astype(np.int64), 0, len(strength) - 1)
    onsets = highest_around(strength, 3)[frames]
    parts = (
        (1.0, change(sounding.treble)),
        (0.7, change(sounding.bass)),
        (0.6, np.sqrt(onsets[:, 0])),
        (-0.5, np.sqrt(onsets[:, 2])),
        (0.2, np.sqrt(onsets[:, 3])),
    )
    evidence = sum(
        (weight * (part - part.mean()) / (part.std() + 1e-9) for weight, part in parts), np.zeros(len(times))
    )
    return np.asarray(np.clip(evidence / (evidence.std() + 1e-9), -2.5, 2.5))


def _bar_path(evidence: Array, metre: int) -> tuple[Indices, float]:
    """Position of each beat in its bar, and the summed evidence of the downbeats."""
    observed = np.zeros((len(evidence), metre))
    observed[:, 0] = evidence
    change = np.full((metre, metre), -_SLIP)
    change[np.arange(metre), (np.arange(metre) + 1) % metre] = 0
    path = viterbi(observed, change)
    return path, float(evidence[path == 0].sum())
