"""Stem algebra: sums, shares and peaks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demixer.audio import Samples
from demixer.stems import HOP, MixtureConsistency, peaks


def random_stems(length: int, stems: int = 3, channels: int = 2) -> tuple[Samples, Samples]:
    """A mixture, and stems that miss it."""
    rng = np.random.default_rng(length)
    estimate = rng.normal(0, 0.1, (stems, channels, length)).astype(np.float32)
    mixture = estimate.sum(axis=0) + rng.normal(0, 0.02, (channels, length)).astype(np.float32)
    return np.asarray(mixture, np.float32), estimate


def consistent(mixture: Samples, stems: Samples, cuts: list[int]) -> Samples:
    """Push in pieces, collect everything."""
    stream = MixtureConsistency(*stems.shape)
    edges = [0, *sorted(cuts), stems.shape[-1]]
    finished = [stream.push(mixture[:, a:b], stems[..., a:b]) for a, b in pairwise(edges)]
    return np.concatenate([*finished, stream.finish()], axis=-1)


@pytest.mark.parametrize("length", [1, 2, HOP - 1, HOP, HOP + 1, 2 * HOP, 5 * HOP + 17, 200 * HOP + 1])
def test_stems_sum_to_the_mixture(length: int) -> None:
    mixture, stems = random_stems(length)
    before = mixture.copy(), stems.copy()
    result = consistent(mixture, stems, [])
    assert result.shape == stems.shape
    np.testing.assert_allclose(result.sum(axis=0), mixture, rtol=0, atol=2e-6)
    np.testing.assert_array_equal(mixture, before[0])
    np.testing.assert_array_equal(stems, before[1])


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("sounding", [1, 2, 3, 5])
def test_a_song_with_silence_is_summed_where_it_sounds(sounding: int, channels: int) -> None:
    """Frames without residual are passed over: the others keep their places, however many there are."""
    mixture, stems = random_stems(20 * HOP, channels=channels)
    silent = np.ones(20, bool)
    silent[7 : 7 + sounding] = False
    at = np.flatnonzero(np.repeat(silent, HOP))
    mixture[:, at], stems[..., at] = 0, 0
    result = consistent(mixture, stems, [])
    np.testing.assert_allclose(result.sum(axis=0), mixture, rtol=0, atol=2e-6)


@settings(max_examples=settings().max_examples // 2)
@given(length=st.integers(1, 9000), data=st.data())
def test_pushes_change_no_bit(length: int, data: st.DataObject) -> None:
    mixture, stems = random_stems(length)
    cuts = data.draw(st.lists(st.integers(0, length), max_size=6))
    np.testing.assert_array_equal(consistent(mixture, stems, cuts), consistent(mixture, stems, []))


def test_a_silent_stem_stays_silent() -> None:
    mixture, stems = random_stems(50_000)
    stems[1] = 0
    result = consistent(mixture, stems, [])
    assert np.abs(result[1]).max() < 1e-6


def test_the_residual_goes_where_the_stem_is() -> None:
    time = np.arange(44_100, dtype=np.float32) / 44_100
    low, high = np.sin(2 * np.pi * 110 * time), np.sin(2 * np.pi * 8_000 * time)
    mixture = np.asarray([low + high], np.float32)
    result = consistent(mixture, np.asarray([[0.9 * low], [0.8 * high]], np.float32), [])
    inner = slice(4 * HOP, -4 * HOP)
    # Each tone is 125 dB weaker in the other's bins. The fourth root of that is 1 to 36: so much of the 0.1 and 0.2
    # that were missing goes to the wrong stem, and lacks in the right one.
    astray = 2 * (0.1 + 0.2) / 36
    np.testing.assert_allclose(result[0, 0, inner], low[inner], atol=astray)
    np.testing.assert_allclose(result[1, 0, inner], high[inner], atol=astray)


def test_stems_that_already_sum_are_untouched() -> None:
    _, stems = random_stems(30_000)
    np.testing.assert_array_equal(consistent(stems.sum(axis=0), stems, []), stems)


def test_an_offset_comes_back_once() -> None:
    _, stems = random_stems(30_000)
    mixture = stems.sum(axis=0) + np.float32(0.05)
    result = consistent(mixture, stems, [])
    assert result.sum(axis=0).mean() == pytest.approx(mixture.mean(), abs=1e-5)


def test_peaks_cover_every_sample() -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, (2, 3, 1001)).astype(np.float32)
    result = peaks(samples, 100)
    assert result.shape == (2, 11, 2)
    np.testing.assert_array_equal(result[..., 0].min(axis=-1), samples.min(axis=(1, 2)))
    np.testing.assert_array_equal(result[0, 3], [samples[0, :, 300:400].min(), samples[0, :, 300:400].max()])
    np.testing.assert_array_equal(result[1, 10], [samples[1, :, 1000].min(), samples[1, :, 1000].max()])
