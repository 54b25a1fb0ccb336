"""The chords of a song, beat by beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.analyses.harmony import PITCH_CLASSES, Harmony, unit
from demixer.analyses.paths import runs, viterbi

Array = npt.NDArray[np.float64]

#: Semitones above the root, by Harte's name of the quality.
QUALITIES: Final = {"maj": (0, 4, 7), "min": (0, 3, 7), "7": (0, 4, 7, 10), "min7": (0, 3, 7, 10)}

#: Penalty of a quality, since four notes fit most sounds better than three.
_PENALTY: Final = {"maj": 0.0, "min": 0.0, "7": 0.1, "min7": 0.1}

NO_CHORD: Final = "N"
LABELS: Final = (*(f"{root}:{quality}" for quality in QUALITIES for root in PITCH_CLASSES), NO_CHORD)

#: Weight of the bass, relative to the other notes.
_BASS: Final = 0.4

#: Fit of `NO_CHORD`: about that of noise.
_NO_CHORD_FIT: Final = 0.72

#: Cost of a change of chord within a bar; half of it on a downbeat.
_CHANGE: Final = 0.2


@dataclass(frozen=True)
class Chord:
    """A chord in Harte's notation (2005), such as `"A:min"`; times in seconds."""

    start: float
    stop: float
    chord: str


def find(sounding: Harmony, downbeats: Array | None = None) -> tuple[tuple[Chord, ...], float]:
    """Find the chords by templates and the best path through them.

    The fit of a chord is the cosine between its notes and the chroma, plus that between the bass and its root with a
    little of its third and fifth. Each change of chord has a cost, lower on downbeats (Bello and Pickens 2005).

    Parameters
    ----------
    sounding : Harmony
        Notes of the spans between beats.
    downbeats : np.ndarray, optional
        In seconds.

    Returns
    -------
    tuple
        The chords, without gaps, and the confidence in them, 0 to 1.
    """
    fits = fit(sounding)
    on_bar = np.isin(np.round(sounding.edges[:-1], 3), np.round(downbeats, 3)) if downbeats is not None else None
    path = viterbi(fits, -_CHANGE * (1 - np.eye(len(LABELS))), None if on_bar is None else np.where(on_bar, 0.5, 1.0))
    best = fits[np.arange(len(path)), path]
    chosen = path != len(LABELS) - 1
    lengths = np.diff(sounding.edges)
    fitting = np.clip((best - 0.8) / 0.5, 0, 1) * chosen
    confidence = float((fitting * lengths).sum() / max(1e-9, lengths.sum()))
    chords = tuple(
        Chord(float(sounding.edges[start]), float(sounding.edges[stop]), LABELS[label])
        for start, stop, label in runs(path)
    )
    return chords, confidence


def fit(sounding: Harmony) -> Array:
    """How well each of `LABELS` fits each span [shape=(n, labels)]."""
    treble, bass = (unit(part) for part in (sounding.treble, sounding.bass))
    fits = np.empty((len(treble), len(LABELS)))
    for number, label in enumerate(LABELS[:-1]):
        root, quality = label.split(":")
        pitch = PITCH_CLASSES.index(root)
        notes, low = np.zeros(12), np.zeros(12)
        notes[[(pitch + interval) % 12 for interval in QUALITIES[quality]]] = 1
        low[[(pitch + interval) % 12 for interval in QUALITIES[quality][:3]]] = 1.0, 0.2, 0.4
        fits[:, number] = treble @ notes / np.linalg.norm(notes) + _BASS * (bass @ low) / np.linalg.norm(low)
        fits[:, number] -= _PENALTY[quality]
    fits[:, -1] = _NO_CHORD_FIT
    fits[sounding.power == 0] = 0
    fits[sounding.power == 0, -1] = 1
    return fits
