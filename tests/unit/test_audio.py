"""Formats that can be separated, and the error codes of those that cannot."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from demixer.audio import Clip, Collected, check_finite, check_format, deinterleave, interleave
from demixer.errors import AudioError


@pytest.mark.parametrize(("rate", "channels", "length"), [(8_000, 1, 1), (192_000, 8, 10**9), (44_056, 2, 44_056)])
def test_the_limits_are_within(rate: int, channels: int, length: int) -> None:
    check_format(rate, channels, length)


@pytest.mark.parametrize(
    ("rate", "channels", "length", "code"),
    [
        (44_100, 2, 0, "audio/empty"),
        (44_100, 0, 100, "audio/empty"),
        (7_999, 2, 100, "audio/unsupported"),
        (192_001, 2, 100, "audio/unsupported"),
        (0, 2, 100, "audio/unsupported"),
        (44_100, 9, 100, "audio/unsupported"),
    ],
)
def test_beyond_the_limits(rate: int, channels: int, length: int, code: str) -> None:
    with pytest.raises(AudioError) as caught:
        check_format(rate, channels, length)
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1234, 4999])
def test_samples_that_are_no_numbers_are_refused(value: float, place: int) -> None:
    samples = np.zeros((2, 5000), np.float32)
    check_finite(samples)
    samples[1, place] = value
    with pytest.raises(AudioError) as caught:
        check_finite(samples)
    assert caught.value.code == "audio/not-finite"


def test_loud_samples_are_no_error() -> None:
    check_finite(np.full((1, 10), np.finfo(np.float32).max))


def test_a_clip_is_a_source() -> None:
    samples = np.arange(20, dtype=np.float32).reshape(2, 10)
    clip = Clip(samples, 44_100)
    assert (clip.rate, clip.channels, clip.length) == (44_100, 2, 10)
    assert np.array_equal(asyncio.run(clip.read(3, 7)), samples[:, 3:7])
    assert asyncio.run(clip.read(4, 4)).shape == (2, 0)


@pytest.mark.parametrize("samples", [np.zeros(10, np.float32), np.zeros((2, 10)), np.zeros((1, 2, 10), np.float32)])
def test_a_clip_takes_float32_by_channels(samples: np.ndarray) -> None:
    with pytest.raises(ValueError, match="float32"):
        Clip(samples, 44_100)


def test_a_clip_checks_its_format() -> None:
    with pytest.raises(AudioError) as caught:
        Clip(np.zeros((2, 0), np.float32), 44_100)
    assert caught.value.code == "audio/empty"


def test_collected_samples_lie_one_after_another() -> None:
    stems = np.arange(60, dtype=np.float32).reshape(3, 2, 10)
    sink = Collected(3, 2, 10)

    async def write() -> None:
        await sink.write(0, stems[..., :4])
        await sink.write(4, stems[..., 4:])

    asyncio.run(write())
    assert np.array_equal(sink.samples, stems)
    assert sink.written == 10


@pytest.mark.parametrize("start", [0, 3, 5])
def test_a_gap_or_a_repetition_is_a_mistake(start: int) -> None:
    sink = Collected(1, 1, 10)
    asyncio.run(sink.write(0, np.zeros((1, 1, 4), np.float32)))
    with pytest.raises(ValueError, match="from 4"):
        asyncio.run(sink.write(start, np.zeros((1, 1, 2), np.float32)))


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_interleaving_and_back(channels: int) -> None:
    samples = np.arange(channels * 100, dtype=np.float32).reshape(channels, 100)
    frames = interleave(samples)
    assert frames.flags.c_contiguous
    np.testing.assert_array_equal(frames, samples.T)
    np.testing.assert_array_equal(deinterleave(frames), samples)
    assert not np.shares_memory(deinterleave(frames), frames)
