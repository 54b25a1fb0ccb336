"""Bars: metre and downbeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.analyses.beats import Beats
from demixer.analyses.features import ONSET_RATE, Features
from demixer.analyses.harmony import Harmony, unit
from demixer.analyses.onsets import highest_around, onset_strength
from demixer.analyses.paths import viterbi

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: Cost of a bar with a beat too few or too many.
_SLIP: Final = 8.0

#: Factor by which three beats to a bar need more evidence than four, which are far more common.
_RARITY: Final = 1.25


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


def find_bars(song: Features, sounding: Harmony, beats: Beats) -> Bars:
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
