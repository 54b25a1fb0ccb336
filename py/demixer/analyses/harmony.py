"""Chroma of the notes between consecutive times, the input of key and chords."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.analyses.features import LOWEST_NOTE, NOTES, Features, note_frequency

Array = npt.NDArray[np.float64]

PITCH_CLASSES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

#: Magnitude of each partial of a note, relative to the one before.
_DECAY: Final = 0.7
_PARTIALS: Final = 10

#: Semitones on either side whose mean and deviation a semitone is compared with.
_NEIGHBOURS: Final = 9

_ITERATIONS: Final = 30


@dataclass(frozen=True)
class Harmony:
    """Notes that sound in consecutive spans of time.

    Parameters
    ----------
    edges : np.ndarray [shape=(n + 1,)]
        Seconds.
    treble, bass : np.ndarray [shape=(n, 12)]
        Weight of each pitch class, C first, in the middle and the low register.
    power : np.ndarray [shape=(n,)]
        Power of each span relative to the song; 0 for silence.
    """

    edges: Array
    treble: Array
    bass: Array
    power: Array

    def after(self, start: float) -> Harmony:
        """The spans that begin at `start` or later."""
        first = int(np.searchsorted(self.edges, start - 1e-6))
        return Harmony(self.edges[first:], self.treble[first:], self.bass[first:], self.power[first:])


def harmony(song: Features, edges: Array, bass: Features | None = None) -> Harmony:
    """Find the notes between consecutive times.

    The semitone spectrum is averaged over each span, its broad background is removed, and the rest is explained as a
    sum of notes with decaying partials by non-negative least squares (NNLS chroma, Mauch and Dixon 2010), here with the
    multiplicative updates of Lee and Seung (2001).

    Parameters
    ----------
    song : Features
        Preferably without drums.
    edges : np.ndarray [shape=(n + 1,)]
        Increasing, in seconds.
    bass : Features, optional
        Features of the bass stem, whose notes replace the song's low ones.
    """
    spans = averaged(song, edges)
    power = (spans**2).sum(axis=1)
    power = np.where(power > 1e-6 * power.mean(), power, 0.0) / max(float(power.mean()), 1e-20)
    notes = _notes(spans)
    number = LOWEST_NOTE + np.arange(NOTES)
    treble = np.clip((number - 46) / 8, 0, 1) * np.clip((98 - number) / 12, 0, 1)
    low = np.clip((56 - number) / 8, 0, 1)
    bass_notes = notes
    if bass is not None and bass.power > 1e-4 * song.power:
        bass_notes = _notes(averaged(bass, edges))
    return Harmony(edges, _folded(notes * treble), _folded(bass_notes * low), power)


def unit(chroma: Array) -> Array:
    """Scale each row to unit norm; rows of zeros stay zeros."""
    return np.asarray(chroma / (np.linalg.norm(chroma, axis=1, keepdims=True) + 1e-9))


def averaged(song: Features, edges: Array) -> Array:
    """Mean semitone spectrum of each span [shape=(n, notes)]; the nearest frame of a span shorter than one."""
    total = np.concatenate([np.zeros((1, NOTES)), np.cumsum(song.pitches, axis=0, dtype=np.float64)])
    places = np.clip(np.round(edges * song.pitch_rate + 0.5).astype(int), 0, len(song.pitches))
    first = np.minimum(places[:-1], len(song.pitches) - 1)
    last = np.maximum(places[1:], first + 1)
    return np.asarray((total[last] - total[first]) / (last - first)[:, None])


def _notes(spans: Array) -> Array:
    """Magnitude of each note [shape=(n, notes)]."""
    loud = np.sqrt(spans)  # closer to perceived loudness
    reach = 2 * _NEIGHBOURS + 1
    count = _moving_sum(np.ones((1, NOTES)), reach)
    around = _moving_sum(loud, reach) / count
    deviation = np.sqrt(np.maximum(_moving_sum(loud**2, reach) / count - around**2, 0))
    standing = np.maximum(loud - around, 0) / (deviation + 0.1 * loud.mean() + 1e-9)
    dictionary = _dictionary()
    gram, target = dictionary @ dictionary.T, standing @ dictionary.T
    notes = target + 1e-9
    for _ in range(_ITERATIONS):
        notes = notes * target / (notes @ gram + 1e-9)
    return np.asarray(notes)


def _moving_sum(rows: Array, width: int) -> Array:
    """Sum of `width` neighbours around each column, fewer at the ends."""
    total = np.cumsum(np.pad(rows, [(0, 0), (width // 2 + 1, width // 2)]), axis=1)
    return np.asarray(total[:, width:] - total[:, :-width])


@lru_cache(maxsize=1)
def _dictionary() -> Array:
    """Semitone spectrum of each note [shape=(notes, notes)]."""
    numbers = np.arange(NOTES)
    spectra = np.zeros((NOTES, NOTES))
    for partial in range(1, _PARTIALS + 1):
        place = numbers + 12 * np.log2(partial)
        # The window spreads a partial over a few bins of 2.7 Hz.
        semitone = note_frequency(LOWEST_NOTE + np.round(place).astype(np.int64), 0.0) * (2 ** (1 / 12) - 1)
        width = np.maximum(1.0, 4.0 / semitone)
        spread = np.maximum(0, 1 - np.abs(numbers[None, :] - place[:, None]) / width[:, None])
        spectra += _DECAY ** (partial - 1) * spread
    return np.asarray(spectra / np.linalg.norm(spectra, axis=1, keepdims=True))


def _folded(notes: Array) -> Array:
    """Pitch classes of notes, C first [shape=(n, 12)]."""
    chroma = np.zeros((len(notes), 12))
    for note in range(NOTES):
        chroma[:, (LOWEST_NOTE + note) % 12] += notes[:, note]
    return chroma
