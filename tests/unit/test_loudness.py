"""Loudness and true peak, by the signals of EBU Tech 3341 and 3342 and by what must hold for any signal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from demixer.analyses.loudness import Loudness, measure
from demixer.audio import Clip, Samples
from demixer.errors import AudioError, Cancelled
from demixer.progress import Monitor, Progress


def tones(parts: Sequence[tuple[float, float]], rate: int = 48_000, channels: int = 2, hertz: float = 1000) -> Samples:
    """A sine whose level changes: dBFS and seconds of each part."""
    length = np.array([round(seconds * rate) for _, seconds in parts])
    level = np.repeat([10 ** (decibel / 20) for decibel, _ in parts], length)
    wave = level * np.sin(2 * np.pi * hertz * np.arange(length.sum()) / rate)
    return np.tile(wave, (channels, 1)).astype(np.float32)


def loudness(samples: Samples, rate: int = 48_000) -> Loudness:
    return asyncio.run(measure(Clip(samples, rate), Monitor()))


# Cases 1 to 5 of EBU Tech 3341, table 1.
CASES = {
    "tone at -23": (((-23, 20),), -23),
    "tone at -33": (((-33, 20),), -33),
    "quiet parts are gated": (((-36, 10), (-23, 60), (-36, 10)), -23),
    "silent parts are gated": (((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23),
    "loud parts count": (((-26, 20), (-20, 20.1), (-26, 20)), -23),
}


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("name", CASES)
def test_integrated_loudness_of_the_ebus_signals(name: str, rate: int) -> None:
    parts, expected = CASES[name]
    measured = loudness(tones(parts, rate), rate)
    assert measured.integrated == pytest.approx(expected, abs=0.1)


def test_surround_counts_more_and_low_frequency_effects_nothing() -> None:
    # Case 6: left and right at -28, centre at -24, surround at -30 dBFS make -23 LUFS; so does any level of effects.
    levels = np.array([-28, -28, -24, -10, -30, -30.0])
    samples = (tones([(0, 20)], channels=6) * 10 ** (levels[:, None] / 20)).astype(np.float32)
    assert loudness(samples).integrated == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize(("degrees", "expected"), [(0, -6.0), (45, -6.0), (60, -6.0), (67.5, -6.0)])
def test_true_peak_lies_between_samples(degrees: float, expected: float) -> None:
    # Cases 15 to 18 of EBU Tech 3341: sines whose samples miss their peaks; +0.2, -0.4 dB are allowed.
    at = np.arange(48_000)
    fade = np.clip(np.minimum(at, at[::-1]) / 4800, 0, 1)
    wave = 10 ** (-6 / 20) * np.sin(2 * np.pi * at / 4 + np.radians(degrees)) * fade
    peak = loudness(wave[None].astype(np.float32)).true_peak
    assert peak is not None
    assert expected - 0.4 <= peak <= expected + 0.2


def test_a_peak_at_the_seam_of_two_blocks_is_seen() -> None:
    # The same music in a longer file has the same peak, wherever the blocks lie.
    random = np.random.default_rng(1)
    wave = np.zeros((1, 48_000 * 12), np.float32)
    pulse = random.uniform(-1, 1, 400)
    peaks = set()
    for start in (100, 242_900, 242_943, 242_944, 500_000):
        wave[:] = 0
        wave[0, start : start + 400] = pulse
        peaks.add(round(loudness(wave).true_peak or 0, 4))
    assert len(peaks) == 1


def test_silence_has_no_loudness() -> None:
    assert loudness(np.zeros((2, 48_000), np.float32)) == Loudness(None, None)
    assert loudness(tones([(-80, 2)])).integrated is None


def test_a_sound_shorter_than_a_block_has_a_peak_alone() -> None:
    measured = loudness(tones([(-12, 0.2)]))
    assert measured.integrated is None
    assert measured.true_peak == pytest.approx(-12, abs=0.2)


def test_not_a_number_is_refused() -> None:
    with pytest.raises(AudioError, match="not numbers"):
        loudness(np.full((1, 9000), np.nan, np.float32))


def test_it_reports_progress_and_can_be_cancelled() -> None:
    marks: list[Progress] = []

    def report(mark: Progress) -> None:
        marks.append(mark)
        if len(marks) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        asyncio.run(measure(Clip(tones([(-20, 20)]), 48_000), Monitor(report)))
    assert [mark.done for mark in marks] == sorted(mark.done for mark in marks)
