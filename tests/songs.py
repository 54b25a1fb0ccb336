"""Songs made by arithmetic, the same every time: a chord, a bass line and drum hits, with the stems known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demixer.audio import Samples

BEAT = 0.5
"""Seconds; 120 beats a minute."""

CHORDS = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6))
"""A minor and F major, a bar each, in Hz."""

_Wave = npt.NDArray[np.float64]


def stems(seconds: float, rate: int = 44_100) -> dict[str, Samples]:
    """The parts of a song, in the order drums, bass, other [each shape=(2, n)]."""
    length = round(seconds * rate)
    parts = {"drums": drums(length, rate), "bass": bass(length, rate), "other": chords(length, rate)}
    return {name: part.astype(np.float32) for name, part in parts.items()}


def mixture(seconds: float, rate: int = 44_100) -> Samples:
    """The parts together [shape=(2, n)], below full scale."""
    parts = stems(seconds, rate)
    return parts["drums"] + parts["bass"] + parts["other"]


def bar(rate: int) -> int:
    """Samples of one."""
    return round(4 * BEAT * rate)


def drums(length: int, rate: int) -> _Wave:
    """A kick on every beat, a snare on every second one, hats between them, spread over the stereo image."""
    rng = np.random.default_rng(1)
    at = np.arange(round(0.2 * rate)) / rate
    kick = 0.35 * np.sin(2 * np.pi * (50 * at + 4 * (1 - np.exp(-at / 0.02)))) * np.exp(-at / 0.06)
    snare = 0.12 * rng.standard_normal(at.size) * np.exp(-at / 0.04)
    hat = 0.06 * np.diff(rng.standard_normal(at.size), prepend=0) * np.exp(-at / 0.015)
    signal = np.zeros((2, length + at.size))
    for hit in range(int(length / rate / BEAT * 2) + 1):
        start = round(hit * BEAT / 2 * rate)
        if start >= length:
            break
        sound, left, right = (
            (kick, 1.0, 1.0) if hit % 4 == 0 else (snare, 0.9, 1.0) if hit % 4 == 2 else (hat, 0.4, 1.0)
        )
        signal[:, start : start + at.size] += np.outer((left, right), sound)
    return signal[:, :length]


def bass(length: int, rate: int) -> _Wave:
    """The root of each chord two octaves down, in the middle."""
    at = np.arange(length) / rate
    root = np.choose(_bar(at), [chord[0] / 4 for chord in CHORDS])
    return np.tile(0.1 * _tone(root, rate, partials=4), (2, 1))


def chords(length: int, rate: int) -> _Wave:
    """Three sustained voices of ten partials, each at its own place."""
    at = np.arange(length) / rate
    voices = [np.choose(_bar(at), notes) for notes in zip(*CHORDS, strict=True)]
    pans = ((1.0, 0.5), (0.8, 0.8), (0.5, 1.0))
    placed = [np.outer(pan, 0.05 * _tone(voice, rate, partials=10)) for pan, voice in zip(pans, voices, strict=True)]
    return np.asarray(np.sum(placed, axis=0))


def _bar(at: _Wave) -> npt.NDArray[np.int64]:
    return (at / (4 * BEAT)).astype(np.int64) % len(CHORDS)


def _tone(frequency: _Wave, rate: int, partials: int) -> _Wave:
    """A harmonic tone that follows `frequency` without a break; partials above 0.45 of the rate are left out."""
    phase = 2 * np.pi * np.cumsum(frequency) / rate
    heard = (n for n in range(1, partials + 1) if n * frequency.max(initial=0) < 0.45 * rate)
    return np.asarray(np.sum([np.sin(n * phase) / n for n in heard], axis=0))
