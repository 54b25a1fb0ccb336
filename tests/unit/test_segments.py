"""Segments: an identity model returns the song, however it is cut."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demixer.audio import Clip, Samples
from demixer.segments import OverlapAdd, Segment, fade, plan, read_window

WINDOW = 48


def noise(channels: int, length: int) -> Samples:
    return np.random.default_rng(length).uniform(-1, 1, (channels, length)).astype(np.float32)


def overlap_added(song: Samples, overlap: float, ramp: float = 0.5) -> tuple[Samples, list[int]]:
    """The song through an identity model, and how many samples each segment finished."""
    clip = Clip(song, 44_100)
    segments = plan(clip.length, WINDOW, overlap)
    joiner = OverlapAdd(segments, stems=1, channels=clip.channels, ramp=ramp)
    finished = [
        joiner.add(segment, segment.trim(asyncio.run(read_window(clip, segment))[None])) for segment in segments
    ]
    return np.concatenate(finished, axis=-1)[0], [part.shape[-1] for part in finished]


@pytest.mark.parametrize("ramp", [0.03, 0.5])
@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.25, 0.5, 0.75])
def test_identity_at_every_length(overlap: float, ramp: float) -> None:
    for length in range(1, 3 * WINDOW + 2):
        song = noise(2, length)
        joined, _ = overlap_added(song, overlap, ramp)
        assert joined.shape == song.shape
        np.testing.assert_allclose(joined, song, rtol=0, atol=1e-6)


@given(length=st.integers(1, 500), overlap=st.floats(0, 0.9), ramp=st.floats(0.01, 0.5))
def test_streaming_equals_batch_bit_for_bit(length: int, overlap: float, ramp: float) -> None:
    song = noise(1, length)
    streamed, _ = overlap_added(song, overlap, ramp)
    total, weight = np.zeros((1, length), np.float32), np.zeros(length, np.float32)
    clip = Clip(song, 44_100)
    for segment in plan(length, WINDOW, overlap):
        part = slice(segment.start, segment.start + segment.length)
        weights = fade(WINDOW, ramp)[: segment.length]
        total[:, part] += weights * segment.trim(asyncio.run(read_window(clip, segment)))
        weight[part] += weights
    np.testing.assert_array_equal(streamed, total / weight)


def test_samples_are_handed_out_as_soon_as_they_are_finished() -> None:
    _, finished = overlap_added(noise(2, 3 * WINDOW), overlap=0.25)
    assert finished == [36, 36, 36, 36]


def test_a_short_last_segment_sits_in_the_middle_of_real_context() -> None:
    song = noise(1, 100)
    last = plan(100, WINDOW, 0.25)[-1]
    assert (last.start, last.length) == (72, 28)
    window = asyncio.run(read_window(Clip(song, 44_100), last))
    np.testing.assert_array_equal(window[:, :38], song[:, 62:])
    assert not window[:, 38:].any()


def test_plan_follows_the_reference() -> None:
    """Offsets of `demucs.apply.apply_model` for a 20 s song: stride int(0.75 * 343980)."""
    assert [s.start for s in plan(882_000, 343_980, 0.25)] == [0, 257_985, 515_970, 773_955]
    assert plan(1, WINDOW, 0.25) == [Segment(0, 1, WINDOW)]


def test_weights_never_vanish() -> None:
    for length in (1, 2, 3, 343_980):
        for ramp in (0.03, 0.5):
            weights = fade(length, ramp)
            assert weights.shape == (length,)
            assert weights.min() > 0
            assert weights.max() == 1


def test_the_reference_weighs_with_a_triangle() -> None:
    """`demucs.apply.apply_model` for a window of 6: 1, 2, 3, 3, 2, 1, over the largest."""
    np.testing.assert_array_equal(fade(6), np.array([1, 2, 3, 3, 2, 1], np.float32) / np.float32(3))


def test_weights_rise_and_fall_over_the_ramp_alone() -> None:
    weights = fade(100, ramp=0.1)
    assert np.flatnonzero(weights == 1).tolist() == list(range(9, 91))
    np.testing.assert_array_equal(weights, weights[::-1])
