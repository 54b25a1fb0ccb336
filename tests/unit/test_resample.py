"""Rate conversion against exact signals and `soxr`, and its independence of how a song is cut."""

from __future__ import annotations

import asyncio
import itertools
import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from demixer.audio import Clip, Samples
from demixer.resample import Resampled, Resampler

PAIRS = [
    (44_100, 48_000),
    (48_000, 44_100),
    (22_050, 44_100),
    (96_000, 44_100),
    (44_100, 96_000),
    (8_000, 44_100),
    (192_000, 44_100),
    (11_025, 48_000),
    (44_056, 44_100),
    (44_100, 44_056),
    (47_952, 44_100),
    (44_099, 44_100),
    (8_000, 192_000),
    (192_000, 8_000),
]

Wave = npt.NDArray[np.float64]


def resample(samples: Samples, rate: int, to_rate: int) -> Samples:
    song = Resampled(Clip(np.atleast_2d(samples), rate), to_rate)
    return asyncio.run(song.read(0, song.length))


def sines(rate: int, seconds: float, highest: float) -> Wave:
    """Forty sines up to `highest` Hz, the same functions of time at every rate [shape=(n,)]."""
    rng = np.random.default_rng(5)
    at = np.arange(round(seconds * rate)) / rate
    parts = [np.sin(2 * np.pi * rng.uniform(20, highest) * at + rng.uniform(0, 6)) for _ in range(40)]
    return np.asarray(np.mean(parts, axis=0))


def inner(wave: npt.NDArray[np.floating], rate: int) -> Wave:
    """Without the tenth of a second at each end where the song's own beginning and end ring."""
    return wave[rate // 10 : -rate // 10].astype(np.float64)


def snr(expected: Wave, actual: Wave) -> float:
    return float(10 * np.log10(np.sum(expected**2) / np.sum((expected - actual) ** 2)))


def push_all(resampler: Resampler, samples: Samples, cuts: list[int]) -> Samples:
    """Push a signal in pieces that end at `cuts`."""
    edges = [0, *sorted(cuts), samples.shape[-1]]
    finished = [resampler.push(samples[..., start:stop]) for start, stop in itertools.pairwise(edges)]
    return np.concatenate([*finished, resampler.finish()], axis=-1)


@pytest.mark.parametrize(("rate", "to_rate"), PAIRS)
def test_the_signal_is_kept_in_place_up_to_nine_tenths_of_the_band(rate: int, to_rate: int) -> None:
    highest = 0.95 * min(rate, to_rate) / 2
    converted = resample(sines(rate, 1.5, highest).astype(np.float32), rate, to_rate)[0]
    exact = sines(to_rate, 1.5, highest)
    # An error in time of a hundredth of a sample would leave less than 50 dB.
    assert snr(inner(exact, to_rate), inner(converted[: exact.size], to_rate)) >= 120


@pytest.mark.parametrize(("rate", "to_rate"), PAIRS)
def test_soxr_agrees(rate: int, to_rate: int) -> None:
    samples = sines(rate, 1.5, 0.8 * min(rate, to_rate) / 2).astype(np.float32)
    converted = resample(samples, rate, to_rate)[0]
    expected = soxr.resample(samples.astype(np.float64), rate, to_rate, quality="HQ")
    count = min(converted.size, expected.size)
    assert abs(converted.size - expected.size) <= 1
    # Its own pass band droops by up to 0.01 dB towards the top, which by itself leaves no more than this.
    assert snr(inner(expected[:count], to_rate), inner(converted[:count], to_rate)) >= 90


@pytest.mark.parametrize(("rate", "to_rate"), [(48_000, 44_100), (96_000, 44_100), (44_100, 22_050), (44_100, 44_056)])
def test_what_the_lower_rate_cannot_hold_is_gone(rate: int, to_rate: int) -> None:
    at = np.arange(rate // 2) / rate
    for frequency in np.linspace(1.0, 0.999 * rate / to_rate, 9) * to_rate / 2:
        converted = resample(np.sin(2 * np.pi * frequency * at).astype(np.float32), rate, to_rate)[0]
        assert 20 * np.log10(np.abs(inner(converted, to_rate)).max()) <= -100


@pytest.mark.parametrize(("rate", "to_rate"), [(44_100, 48_000), (22_050, 44_100), (8_000, 96_000)])
def test_a_higher_rate_brings_no_images(rate: int, to_rate: int) -> None:
    frequency = 0.94 * rate / 2
    converted = resample(np.sin(2 * np.pi * frequency * np.arange(rate) / rate).astype(np.float32), rate, to_rate)[0]
    kept = inner(converted, to_rate)
    spectrum = np.abs(np.fft.rfft(kept * np.kaiser(kept.size, 20)))
    elsewhere = np.abs(np.fft.rfftfreq(kept.size, 1 / to_rate) - frequency) > 60
    assert 20 * np.log10(spectrum[elsewhere].max() / spectrum.max()) <= -100


@pytest.mark.parametrize(("rate", "to_rate"), [(44_100, 48_000), (96_000, 44_100), (44_056, 48_000)])
def test_an_impulse_stays_where_it_is_and_spreads_evenly(rate: int, to_rate: int) -> None:
    chunk = rate // np.gcd(rate, to_rate)
    samples = np.zeros((1, 8 * chunk), np.float32)
    samples[0, 4 * chunk] = 1
    converted = resample(samples, rate, to_rate)[0]
    middle = 4 * to_rate // np.gcd(rate, to_rate)
    assert np.abs(converted).argmax() == middle
    around = min(500, middle)
    before, after = converted[middle - around : middle], converted[middle + 1 : middle + 1 + around]
    assert np.abs(before - after[::-1]).max() <= 1e-6


@pytest.mark.parametrize("rate", [22_050, 44_056, 48_000, 96_000])
def test_there_and_back(rate: int) -> None:
    samples = sines(rate, 1.5, 0.9 * min(rate, 44_100) / 2).astype(np.float32)
    there = resample(samples, rate, 44_100)
    back = push_all(Resampler(44_100, rate, samples.size), there, [])[0]
    assert back.size == samples.size
    assert snr(inner(samples, rate), inner(back, rate)) >= 110


@given(st.sampled_from(PAIRS), st.integers(1, 30_000), st.data())
def test_reads_do_not_depend_on_how_they_are_cut(pair: tuple[int, int], length: int, data: st.DataObject) -> None:
    rate, to_rate = pair
    samples = np.random.default_rng(length).uniform(-1, 1, (2, length)).astype(np.float32)
    before = samples.copy()
    song = Resampled(Clip(samples, rate), to_rate)
    assert (song.rate, song.channels, song.length) == (to_rate, 2, -(-length * to_rate // rate))
    whole = asyncio.run(song.read(0, song.length))
    start, stop = sorted(data.draw(st.tuples(st.integers(0, song.length), st.integers(0, song.length))))
    assert np.array_equal(asyncio.run(song.read(start, stop)), whole[:, start:stop])
    assert whole.dtype == np.float32
    assert np.array_equal(samples, before)


@given(st.sampled_from([*PAIRS, (44_100, 44_100)]), st.integers(1, 30_000), st.integers(-20, 20), st.data())
def test_pushes_give_what_reads_give(pair: tuple[int, int], length: int, more: int, data: st.DataObject) -> None:
    rate, to_rate = pair
    samples = np.random.default_rng(length).uniform(-1, 1, (3, 2, length)).astype(np.float32)
    before = samples.copy()
    wanted = max(0, -(-length * to_rate // rate) + more)
    cuts = data.draw(st.lists(st.integers(0, length), max_size=6))
    streamed = push_all(Resampler(rate, to_rate, wanted), samples, cuts)
    assert streamed.shape == (3, 2, wanted)
    for stem, expected in zip(streamed, samples, strict=True):
        read = resample(expected, rate, to_rate)[:, :wanted]
        assert np.array_equal(stem[:, : read.shape[-1]], read)
    assert np.array_equal(samples, before)


def test_silence_stays_silent() -> None:
    assert not resample(np.zeros((2, 10_000), np.float32), 48_000, 44_100).any()


def test_an_equal_rate_passes_through_without_a_copy() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (2, 1000)).astype(np.float32)
    assert np.shares_memory(asyncio.run(Resampled(Clip(samples, 44_100), 44_100).read(10, 900)), samples)
    assert np.shares_memory(Resampler(44_100, 44_100, 1000).push(samples), samples)


def test_a_read_asks_the_source_for_its_surroundings_alone() -> None:
    requested = []

    class Watched(Clip):
        async def read(self, start: int, stop: int) -> Samples:
            requested.append((start, stop))
            return await super().read(start, stop)

    song = Resampled(Watched(np.zeros((1, 4_800_000), np.float32), 48_000), 44_100)
    asyncio.run(song.read(2_000_000, 2_344_000))
    ((start, stop),) = requested
    assert start > 48_000 / 44_100 * 2_000_000 - 48_000
    assert stop < 48_000 / 44_100 * 2_344_000 + 48_000


@pytest.mark.parametrize("piece", [4_800, 1_200_000])
def test_a_long_stream_is_not_kept(piece: int) -> None:
    resampler = Resampler(48_000, 44_100, 10**9)
    samples = np.zeros((2, piece), np.float32)
    resampler.push(samples)
    tracemalloc.start()
    try:
        for _ in range(4_800_000 // piece):
            resampler.push(samples)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000  # the song has 38 million bytes


def test_a_stream_into_which_nothing_came_has_no_shape() -> None:
    with pytest.raises(ValueError, match="nothing was pushed"):
        Resampler(48_000, 44_100, 100).finish()
