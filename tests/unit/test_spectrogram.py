"""Spectrogram images: right values at the right places, in the memory of a few frames."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demixer.analyses.spectrogram import READ, Pixels, Window, spectrogram
from demixer.audio import Clip, Samples
from demixer.errors import DemixError

RATE = 44_100
WHOLE = Window(start=0, stop=10 * RATE, columns=100, rows=192, low=40, high=20_000)


def draw(samples: Samples, window: Window) -> Pixels:
    return asyncio.run(spectrogram(Clip(samples, RATE), window))


def decibel(levels: Pixels) -> Samples:
    return ((levels / 255 - 1) * 96).astype(np.float32)


def row_of(hertz: float, window: Window = WHOLE) -> float:
    return float(np.log(hertz / window.low) / np.log(window.high / window.low) * (window.rows - 1))


def sine(hertz: float, level: float, seconds: float = 10) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.tile(level * np.sin(2 * np.pi * hertz * time), (2, 1)).astype(np.float32)


class LongSong:
    """Hours of noise, generated on reading; records the largest read."""

    rate = RATE
    channels = 2
    length = 4 * 3600 * RATE

    def __init__(self) -> None:
        self.most = 0
        self.total = 0

    async def read(self, start: int, stop: int) -> Samples:
        self.most = max(self.most, stop - start)
        self.total += stop - start
        return np.random.default_rng(start).normal(0, 0.1, (2, stop - start)).astype(np.float32)


@pytest.mark.parametrize("hertz", [100.0, 440.0, 1000.0, 9000.0])
@pytest.mark.parametrize("level", [1.0, 0.1])
def test_a_tone_lies_at_its_frequency_with_its_level(hertz: float, level: float) -> None:
    levels = decibel(draw(sine(hertz, level), WHOLE))
    middle = levels[10:-10]
    assert abs(middle.mean(axis=0).argmax() - row_of(hertz)) <= 2
    # A row that holds the whole main lobe has all of its power: 1.8 dB more than the highest bin.
    assert -2 <= middle.max() - 20 * np.log10(level) <= 1.8 + 0.4


def test_silence_is_the_lowest_level_and_time_goes_by_columns() -> None:
    samples = sine(1000, 0.5)
    samples[:, : 5 * RATE] = 0
    levels = draw(samples, WHOLE)
    assert levels[:49].max() == 0
    assert levels[51:].max(axis=1).min() > 200


@pytest.mark.slow
@settings(max_examples=settings().max_examples // 3)
@given(cut=st.integers(1, 99), seed=st.integers(0, 9))
def test_blocks_are_the_same_picture(cut: int, seed: int) -> None:
    samples = np.random.default_rng(seed).normal(0, 0.1, (1, 10 * RATE)).astype(np.float32)
    edge = WHOLE.stop * cut // WHOLE.columns
    first = draw(samples, replace(WHOLE, stop=edge, columns=cut))
    second = draw(samples, replace(WHOLE, start=edge, columns=WHOLE.columns - cut))
    assert np.array_equal(np.concatenate([first, second]), draw(samples, WHOLE))


def test_the_length_of_a_song_costs_nothing() -> None:
    song = LongSong()
    window = replace(WHOLE, stop=song.length, columns=256)
    levels = asyncio.run(spectrogram(song, window))
    assert levels.shape == (256, 192)
    assert song.most < READ / 50
    assert song.total < song.length / 100


def test_close_columns_are_read_together_within_bounds() -> None:
    song = LongSong()
    asyncio.run(spectrogram(song, replace(WHOLE, stop=120 * RATE, columns=1024)))
    assert song.most <= READ


@pytest.mark.parametrize("start", [-2 * RATE, 10 * RATE - 100])
def test_what_lies_beyond_the_song_is_silent(start: int) -> None:
    if start < 0:
        with pytest.raises(DemixError):
            Window.from_dict({**WHOLE.__dict__, "start": start})
        return
    levels = draw(sine(1000, 0.5), replace(WHOLE, start=start, stop=start + 10 * RATE))
    assert levels[0].max() > 100
    assert levels[2:].max() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": 0},
        {"columns": 1.5},
        {"columns": True},
        {"rows": 1 << 20},
        {"stop": 0},
        {"stop": "the end"},
        {"low": 0},
        {"high": 10},
        {"high": None},
    ],
)
def test_windows_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DemixError, match="picture"):
        Window.from_dict({**WHOLE.__dict__, **wrong})
