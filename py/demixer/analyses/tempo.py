"""Tempo, beats, downbeats and metre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.analyses.features import ONSET_RATE, Features
from demixer.analyses.harmony import Harmony
from demixer.analyses.paths import viterbi
from demixer.audio import Samples

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: Slowest and fastest tempo that is looked for, in beats per minute.
SLOWEST: Final = 45.0
FASTEST: Final = 220.0

#: Centre (beats per minute) and width (octaves) of the tempi that people tap most (Parncutt 1994, Moelants 2002).
PREFERRED: Final = 120.0
PREFERENCE_WIDTH: Final = 0.55

#: Seconds of music that a tempo is heard in, and between two estimates of it.
WINDOW: Final = 10.0
STEP: Final = 1.0

#: Parts of a beat at which onsets are compared: halves, thirds and quarters of it are whole numbers of them.
PARTS: Final = 12

#: Seconds from a rise of the onset strength to the onset: a frame hears ahead of its middle.
LATENCY: Final = 0.02

_STEPS_PER_OCTAVE: Final = 48
_BAND_WEIGHTS: Final = np.array([1.0, 0.6, 1.0, 0.7])

#: Beats that the path of the tempo could mean: so many for one of its own, and how far they lie behind them.
_RATIOS: Final = (1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0)
_SHIFTS: Final = (0, 3, 4, 6, 8, 9)

#: What it costs the path of the downbeats to leave a beat out or to have one more.
_SLIP: Final = 8.0

#: Evidence that a bar of three beats must have beyond one of four, which is far more common.
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


#: What each sign of `judged` counts; see docs/analysis.
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
        Of the drum stem: weighs twice as much as the song with everything in it.
    """
    strength = _normalised(song.onsets)
    if drums is not None and drums.power > 1e-3 * song.power:
        frames = min(len(strength), len(drums.onsets))
        strength = strength[:frames] + 2 * _normalised(drums.onsets[:frames])
    return strength


def _normalised(onsets: Samples) -> Array:
    """Each band over its own deviation in the ten seconds around, so that quiet passages count."""
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
    """Tempi that are considered, in beats per minute."""
    count = int(np.log2(FASTEST / SLOWEST) * _STEPS_PER_OCTAVE) + 1
    return np.asarray(SLOWEST * 2 ** (np.arange(count) / _STEPS_PER_OCTAVE))


def tempogram(strength: Array) -> Array:
    """Autocorrelation of the onset strength at each lag, window by window [shape=(windows, lags)].

    Bands are correlated each by itself and then summed, since a kick is answered by a kick. 1 at lag 0.
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
    """How well beats, half bars and bars of each tempo return in the correlation [shape=(windows, tempi)]."""
    lag = 60 / tempi * ONSET_RATE

    def at(multiple: float) -> Array:
        place = lag * multiple
        low = np.minimum(place.astype(int), correlation.shape[1] - 2)
        part = np.clip(place - low, 0, 1)
        return np.asarray(correlation[:, low] * (1 - part) + correlation[:, low + 1] * part)

    return np.asarray(at(1) + 0.6 * at(2) + 0.3 * at(3) + 0.4 * at(4))


def tempo_path(correlation: Array) -> tuple[Array, Array]:
    """The tempo in each window of a tempogram, by the best path, and how well each window supports it."""
    tempi = tempo_grid()
    support = comb(correlation, tempi)
    prior = -0.5 * (np.log2(tempi / PREFERRED) / PREFERENCE_WIDTH) ** 2
    apart = np.abs(np.subtract.outer(np.arange(len(tempi)), np.arange(len(tempi)))) / _STEPS_PER_OCTAVE
    path = viterbi(6 * support + prior, -np.minimum(100 * apart, 40.0))
    return tempi[path], support[np.arange(len(path)), path]


def track(strength: Array, periods: Array, tightness: float = 1000.0) -> Indices:
    """Beats by dynamic programming (Ellis 2007), about `periods[frame]` apart; frames of beats.

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

    A path of the tempo is found first, which may be that of half beats or of dotted notes. So the beats are tracked
    at each simple ratio of it, and each result, also shifted by parts of a beat, is judged by how the onsets of
    each band lie within its beats.

    Parameters
    ----------
    song : Features
    drums : Features, optional
        Of the drum stem.
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
            score = float(judged(parts, shift, tempo, mean) @ np.array(list(WEIGHTS.values())))
            found.append((score, beats + shift / PARTS * np.diff(beats, append=2 * beats[-1] - beats[-2]), tempo))
    if not found:
        return NO_BEATS
    _, beats, _ = max(found, key=lambda candidate: candidate[0])
    beats = _where_music_is(beats, total)
    confidence = float(np.clip((np.median(support) - 0.25) / 0.6, 0, 1))
    if confidence == 0 or len(beats) < 4:
        return NO_BEATS
    times = beats / ONSET_RATE + LATENCY
    times = times[times < song.duration - LATENCY]
    return Beats(float(60 / np.median(np.diff(times))), times, confidence)


def judged(parts: Array, shift: int, tempo: float, correlation: Array) -> Array:
    """Signs that beats are what a person would tap, in the order of `WEIGHTS`.

    Parameters
    ----------
    parts : np.ndarray [shape=(beats, parts, bands)]
        As `folded` gives them.
    shift : int
        Parts by which the beats lie later.
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
    """The highest value within `reach` frames of each."""
    padded = np.pad(strength, [(reach, reach), (0, 0)], mode="edge")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.asarray(frames.max(axis=-1))


def folded(strength: Array, beats: Array) -> Array:
    """Onset strength at each part of each beat [shape=(beats - 1, parts, bands)], with a mean of 1 / `PARTS`."""
    at = beats[:-1, None] + np.diff(beats)[:, None] * np.arange(PARTS) / PARTS
    parts = strength[np.clip(np.round(at).astype(np.int64), 0, len(strength) - 1)]
    return np.asarray(parts / (parts.mean(axis=(0, 1)) + 1e-9) / PARTS)


def _where_music_is(beats: Array, total: Array) -> Array:
    """The beats from the first onset to the last."""
    (loud,) = np.nonzero(total > 0.3 * np.quantile(total, 0.98))
    if loud.size == 0:
        return beats[:0]
    return np.asarray(beats[(beats >= loud[0] - 5) & (beats <= loud[-1] + 5)])


def bars(song: Features, sounding: Harmony, beats: Beats) -> Bars:
    """Find the downbeats: where harmony and bass change and the low drums play (Goto 2001, Davies and Plumbley 2006).

    Parameters
    ----------
    song : Features
    sounding : Harmony
        Of the spans from each beat to the next.
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
    # The mean evidence of downbeats, in deviations of it.
    confidence = float(np.clip(score / max(1, first.sum()) / 1.0, 0, 1)) * beats.confidence
    return Bars(metre, beats.times[first], confidence)


def downbeat_evidence(strength: Array, sounding: Harmony, times: Array) -> Array:
    """How much each beat sounds like a downbeat [shape=(n,)], with a mean of 0 and a deviation of about 1."""

    def change(chroma: Array) -> Array:
        """How much a beat differs from the one before, and two beats from the two before."""
        padded = np.pad(chroma, [(2, 1), (0, 0)], mode="edge")
        ones, twos = _unit(padded), _unit(padded[1:] + padded[:-1])
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


def _unit(chroma: Array) -> Array:
    return np.asarray(chroma / (np.linalg.norm(chroma, axis=1, keepdims=True) + 1e-9))


def _bar_path(evidence: Array, metre: int) -> tuple[Indices, float]:
    """Position of each beat in its bar, and the evidence of the downbeats."""
    observed = np.zeros((len(evidence), metre))
    observed[:, 0] = evidence
    change = np.full((metre, metre), -_SLIP)
    change[np.arange(metre), (np.arange(metre) + 1) % metre] = 0
    path = viterbi(observed, change)
    return path, float(evidence[path == 0].sum())
