"""Results of a broken device are refused, and quiet music is not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import numpy as np
import pytest

from demixer.audio import Clip, Collected, Samples
from demixer.errors import RuntimeFailure
from demixer.families.spleeter import Spleeter
from demixer.guard import GuardedSession, check_estimate
from demixer.models import Preset
from demixer.normalisation import Normalisation
from demixer.runtime import Float
from demixer.separate import separate

SHAPE = (2, 2, 10_000)


def noise(scale: float = 0.1) -> Samples:
    return np.random.default_rng(1).normal(0, scale, SHAPE[1:]).astype(np.float32)


def refusal(mixture: Samples, stems: Samples) -> str | None:
    try:
        check_estimate(mixture, stems)
    except RuntimeFailure as error:
        return error.message
    return None


def test_a_refusal_can_be_retried() -> None:
    with pytest.raises(RuntimeFailure) as caught:
        check_estimate(noise(), np.zeros(SHAPE, np.float32))
    assert (caught.value.code, caught.value.retryable) == ("runtime/failed", True)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0, 0), (1, 1, -1), (1, 0, 5000)])
def test_one_sample_that_is_no_number_is_enough(bad: float, place: tuple[int, int, int]) -> None:
    stems = np.stack([noise(), noise()])
    stems[place] = bad
    for mixture in (noise(), np.full_like(noise(), 1e-30)):
        assert "not numbers" in str(refusal(mixture, stems))


def test_zeros_for_music() -> None:
    assert "zeros" in str(refusal(noise(), np.zeros(SHAPE, np.float32)))
    assert "zeros" in str(refusal(noise(1e-5), np.zeros(SHAPE, np.float32)))


def test_one_silent_stem_is_music() -> None:
    assert refusal(noise(), np.stack([noise(), 0 * noise()])) is None


@pytest.mark.parametrize("scale", [0.0, 1e-45, 1e-40, 1e-30, 1e-20, 1e-10])
def test_what_is_too_quiet_to_hear_may_underflow(scale: float) -> None:
    mixture = noise(1.0) * np.float32(scale)
    assert refusal(mixture, np.zeros(SHAPE, np.float32)) is None
    assert refusal(mixture, np.stack([mixture, mixture])) is None
    assert refusal(mixture, np.full(SHAPE, 1e-15, np.float32)) is None


def test_stems_whose_squares_underflow_are_no_zeros() -> None:
    assert refusal(noise(), np.full(SHAPE, 1e-30, np.float32)) is None


def test_far_too_loud_stems() -> None:
    mixture = noise()
    assert "louder" in str(refusal(mixture, np.stack([mixture, 40 * mixture])))
    assert "louder" in str(refusal(mixture, np.full(SHAPE, 1e30, np.float32)))
    assert refusal(mixture, np.stack([mixture, 10 * mixture])) is None


def test_noise_around_a_lone_click_is_what_networks_give() -> None:
    click = np.zeros(SHAPE[1:], np.float32)
    click[:, 500] = 1
    assert refusal(click, np.stack([noise(1.0), noise(1.0)])) is None


class Broken:
    """A family whose device fails at its second segment."""

    rate, segment, stems = 44_100, 10_000, 2

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._asked = 0

    def normalisation(self, measured: Normalisation) -> Normalisation:
        return measured

    async def separate(self, mixture: Samples) -> Samples:
        self._asked += 1
        return np.stack([mixture, mixture]) * np.float32(0.5 if self._asked == 1 else self._factor)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("factor", [0.0, np.nan, 1e4])
def test_a_job_stops_at_the_segment_where_the_device_breaks(factor: float, channels: int) -> None:
    song = Clip(np.resize(noise(), (channels, 30_000)), 44_100)
    sink = Collected(2, channels, song.length)
    with pytest.raises(RuntimeFailure, match="no usable numbers"):
        asyncio.run(separate(song, sink, Broken(factor), Preset(0.0), raw=True))
    assert sink.written == (10_000 if channels < 3 else 0)


class Zeros:
    """A session that returns zeros."""

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        magnitude = feeds["magnitude"][0]
        return {"share": np.zeros((2, *magnitude.shape), np.float32)}


def test_zeros_that_a_family_would_hide() -> None:
    mixture = np.random.default_rng(2).normal(0, 0.1, (2, Spleeter.segment)).astype(np.float32)
    hidden = asyncio.run(Spleeter(Zeros()).separate(mixture))
    assert refusal(mixture, hidden) is None
    guarded = Spleeter(GuardedSession(Zeros()))
    with pytest.raises(RuntimeFailure, match="zeros"):
        asyncio.run(guarded.separate(mixture))
    asyncio.run(guarded.separate(np.zeros_like(mixture)))
