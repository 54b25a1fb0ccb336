"""Tempo, beats, bars, key, tuning and chords of music with known truth, and of sounds that have none of them."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import mir_eval
import numpy as np
import pytest

from demixer.analyses import beats, features, music
from demixer.analyses.harmony import harmony
from demixer.analyses.paths import viterbi
from demixer.audio import Clip, Samples
from demixer.errors import Cancelled
from demixer.progress import Monitor, Progress
from tests.music import RATE, Piece, composed, require_synthesizer
from tests.music_figures import majmin


def hear(samples: Samples, rate: int = RATE, stems: dict[str, Samples] | None = None) -> music.Music:
    parts = {name: Clip(part, rate) for name, part in (stems or {}).items()}
    return asyncio.run(music.find(Clip(samples, rate), parts))


@cache
def piece(name: str, *, stems: bool = False, **variation: float) -> tuple[Piece, music.Music]:
    """A composed piece and its analysis."""
    require_synthesizer()
    (plain,) = composed(name)
    played = plain.varied(**variation)  # type: ignore[arg-type]
    parts = played.stems()
    mixture: Samples = np.sum(list(parts.values()), axis=0, dtype=np.float32)
    return played, hear(mixture, stems=parts if stems else None)


def clicks(bpm: float, seconds: float, rate: int = 22_050) -> Samples:
    """Short bursts of noise on every beat."""
    random = np.random.default_rng(0)
    samples = np.zeros((1, int(seconds * rate)), np.float32)
    for beat in np.arange(0.5, seconds - 0.1, 60 / bpm):
        start = int(beat * rate)
        samples[0, start : start + 500] = random.uniform(-0.5, 0.5, 500) * np.linspace(1, 0, 500)
    return samples


@pytest.mark.parametrize("bpm", [80, 100, 120, 140])
def test_beats_of_a_metronome(bpm: float) -> None:
    heard = hear(clicks(bpm, 20), 22_050)
    expected = np.arange(0.5, 19.9, 60 / bpm)
    assert heard.beats.tempo == pytest.approx(bpm, rel=0.02)
    assert (
        mir_eval.beat.f_measure(mir_eval.beat.trim_beats(expected), mir_eval.beat.trim_beats(heard.beats.times)) > 0.95
    )


@pytest.mark.slow
@pytest.mark.parametrize("stems", [False, True])
def test_a_rock_song(stems: bool) -> None:
    truth, heard = piece("anthem", stems=stems)
    assert mir_eval.beat.f_measure(truth.beats, heard.beats.times) > 0.95
    assert heard.bars is not None
    assert heard.bars.metre == 4
    assert mir_eval.beat.f_measure(truth.downbeats, heard.bars.downbeats) > 0.9
    assert heard.beats.confidence > 0.5
    assert majmin(truth, heard) > 0.7


@pytest.mark.slow
@pytest.mark.parametrize("cents", [-31.8, 19.6])
def test_tuning(cents: float) -> None:
    """A = 432 and 445 Hz."""
    _, heard = piece("march", cents=cents)
    assert heard.tuning == pytest.approx(cents, abs=5)


@pytest.mark.slow
def test_key_and_chords_move_with_a_transposition() -> None:
    for semitones in (0, 5):
        truth, heard = piece("march", semitones=semitones)
        assert truth.key is not None
        assert mir_eval.key.weighted_score(truth.key, heard.key.key) >= 0.3
        assert majmin(truth, heard) > 0.7


def noise(seconds: float) -> Samples:
    return np.random.default_rng(3).normal(0, 0.1, (2, int(seconds * 22_050))).astype(np.float32)


@pytest.mark.parametrize(
    "samples",
    [np.zeros((2, 22_050 * 20), np.float32), np.zeros((1, 100), np.float32), noise(20), noise(5), noise(0.5)],
    ids=["silence", "hundred samples of silence", "noise", "short noise", "half a second of noise"],
)
def test_confidence_is_low_without_music(samples: Samples) -> None:
    facts: dict[str, Any] = hear(samples, 22_050).to_dict()
    assert all(confidence < 0.5 for confidence in facts["confidence"].values()), facts["confidence"]


def test_a_steady_tone_has_no_beat() -> None:
    tone = 0.2 * np.sin(2 * np.pi * 220 * np.arange(22_050 * 15) / 22_050)
    assert hear(tone[None].astype(np.float32), 22_050).beats.confidence < 0.5


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_any_rate_and_any_reading_gives_the_same_features(rate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    song = Clip(np.random.default_rng(1).normal(0, 0.1, (2, 4 * rate + 123)).astype(np.float32), rate)
    whole = asyncio.run(features.extract(song, lambda _: None))
    monkeypatch.setattr(features, "_READ", 33_333)
    pieces = asyncio.run(features.extract(song, lambda _: None))
    # Matrix products of other sizes are summed in another order.
    np.testing.assert_allclose(whole.onsets, pieces.onsets, atol=1e-5)
    np.testing.assert_allclose(whole.pitches, pieces.pitches, rtol=1e-4, atol=1e-7)


def test_notes_of_a_chord_are_found() -> None:
    at = np.arange(22_050 * 4) / 22_050
    partials = [np.sin(2 * np.pi * n * f * at) / n for f in (220.0, 277.18, 329.63) for n in range(1, 8)]
    heard = asyncio.run(
        features.extract(Clip(0.05 * np.sum(partials, axis=0)[None].astype(np.float32), 22_050), lambda _: None)
    )
    chroma = harmony(heard, np.array([0.5, 3.5])).treble[0]
    assert set(np.argsort(chroma)[-3:]) == {9, 1, 4}  # A, C#, E


def test_it_can_be_cancelled_and_marks_go_forward() -> None:
    marks: list[Progress] = []

    def report(mark: Progress) -> None:
        marks.append(mark)
        if len(marks) == 3:
            raise Cancelled

    song = Clip(noise(40), 22_050)
    with pytest.raises(Cancelled):
        asyncio.run(music.find(song, {"drums": song, "bass": song}, Monitor(report)))
    assert [mark.done for mark in marks] == sorted(mark.done for mark in marks)


def test_the_path_of_the_highest_score() -> None:
    observed = np.array([[0, 3], [2, 0], [0, 3.0]])
    assert viterbi(observed, np.zeros((2, 2))).tolist() == [1, 0, 1]
    assert viterbi(observed, -9 * (1 - np.eye(2))).tolist() == [1, 1, 1]


def test_every_criterion_of_beats_has_a_weight() -> None:
    parts = np.full((16, beats.PARTS, len(features.BANDS)), 1 / beats.PARTS)
    assert beats.criteria(parts, 0, 120.0, np.zeros(600)).shape == (len(beats.WEIGHTS),)
