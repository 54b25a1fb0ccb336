"""The key of a song, and its changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.analyses.harmony import PITCH_CLASSES, Harmony
from demixer.analyses.paths import runs, viterbi

Array = npt.NDArray[np.float64]

#: Weight of each pitch class above the tonic, major and minor, in corpora of popular music (Temperley 1999).
PROFILES: Final = {
    "major": (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
    "minor": (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
}

KEYS: Final = tuple(f"{tonic} {mode}" for mode in PROFILES for tonic in PITCH_CLASSES)

#: Weight of the bass, relative to the other notes.
_BASS: Final = 0.7

#: Seconds of music around a time by which its key is estimated.
_WINDOW: Final = 20.0

#: Cost of a change of key, in units of correlation times seconds.
_CHANGE: Final = 6.0


@dataclass(frozen=True)
class Passage:
    """A part of a song in one key; times in seconds."""

    start: float
    stop: float
    key: str


@dataclass(frozen=True)
class Key:
    """The key of a song.

    Parameters
    ----------
    key : str, optional
        Key of the whole song, such as `"A minor"`; None without notes.
    confidence : float
        0 to 1.
    passages : tuple of Passage
        Keys along the song: one passage unless the key changes.
    """

    key: str | None
    confidence: float
    passages: tuple[Passage, ...] = ()


def find(sounding: Harmony, tuned: float) -> Key:
    """Find the key by the correlation of its profile with the song's chroma (Krumhansl and Schmuckler 1990).

    Changes are the best path through the correlations of `_WINDOW` seconds around each time.

    Parameters
    ----------
    sounding : Harmony
    tuned : float
        Agreement of the song's partials on a tuning, 0 to 1; low for noise, which has no key.
    """
    lengths = np.diff(sounding.edges)
    treble, bass = (part / (part.sum(axis=1, keepdims=True) + 1e-9) for part in (sounding.treble, sounding.bass))
    chroma = (treble + _BASS * bass) * (sounding.power > 0)[:, None]
    weighted = chroma * lengths[:, None]
    total = weighted.sum(axis=0)
    if not total.any():
        return Key(None, 0.0)
    scores = correlations(total[None])[0]
    best = int(scores.argmax())
    rival = float(np.delete(scores, best).max())
    contrast = float(total.std() / total.mean())
    confidence = min(1.0, tuned / 0.3) * min(1.0, contrast / 0.3) * min(1.0, float(scores[best]) / 0.8)
    confidence *= 0.5 + 0.5 * min(1.0, (float(scores[best]) - rival) / 0.1)
    return Key(KEYS[best], max(0.0, confidence), _passages(sounding.edges, weighted))


def correlations(chroma: Array) -> Array:
    """Correlation of chroma [shape=(n, 12)] with the profile of each of `KEYS` [shape=(n, 24)]."""
    profiles = np.array([np.roll(profile, tonic) for profile in PROFILES.values() for tonic in range(12)])
    profiles = profiles - profiles.mean(axis=1, keepdims=True)
    centred = chroma - chroma.mean(axis=1, keepdims=True)
    norms = np.outer(np.linalg.norm(centred, axis=1), np.linalg.norm(profiles, axis=1))
    return np.asarray(centred @ profiles.T / (norms + 1e-9))


def _passages(edges: Array, weighted: Array) -> tuple[Passage, ...]:
    middles = (edges[:-1] + edges[1:]) / 2
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(weighted, axis=0)])
    first = np.searchsorted(middles, middles - _WINDOW / 2)
    last = np.searchsorted(middles, middles + _WINDOW / 2)
    observed = correlations(total[last] - total[first]) * np.diff(edges)[:, None]
    path = viterbi(observed, -_CHANGE * (1 - np.eye(len(KEYS))))
    return tuple(Passage(float(edges[start]), float(edges[stop]), KEYS[key]) for start, stop, key in runs(path))
