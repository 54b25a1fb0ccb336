"""The pipeline with families whose output is known."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from demixer.audio import Clip, Collected, Samples
from demixer.errors import AudioError, Cancelled, RuntimeFailure
from demixer.models import Preset
from demixer.normalisation import UNITY, Normalisation, measure
from demixer.progress import Monitor, Progress
from demixer.separate import separate
from tests.abort import Abort

STANDARD = Preset(overlap=0.25)


class Shares:
    """A family that gives each stem a fixed share of the mixture."""

    segment = 30_000

    def __init__(self, shares: tuple[float, ...] = (0.5, 0.3, 0.1), rate: int = 44_100, normalise: bool = True) -> None:
        self.shares = np.asarray(shares, np.float32)
        self.stems = len(shares)
        self.rate = rate
        self._normalise = normalise
        self.segments = 0

    def normalisation(self, measured: Normalisation) -> Normalisation:
        return measured if self._normalise else UNITY

    async def separate(self, mixture: Samples) -> Samples:
        assert mixture.shape == (2, self.segment)
        self.segments += 1
        return self.shares[:, None, None] * mixture


def song(length: int, channels: int = 2, rate: int = 44_100, offset: float = 0.0) -> Clip:
    """Noise below half of the lower Nyquist frequency, so that any resampling keeps it."""
    rng = np.random.default_rng(length + channels)
    spectrum = np.fft.rfft(rng.normal(0, 1, (channels, length)))
    spectrum[:, max(1, length * min(rate, 44_100) // rate // 4) :] = 0
    samples = np.fft.irfft(spectrum, length) + rng.normal(0, 1e-3, (channels, 1)) * (length == 1)
    return Clip((0.2 * samples / (np.abs(samples).max() + 1e-9) + offset).astype(np.float32), rate)


def run(
    clip: Clip,
    family: Shares,
    *,
    raw: bool = False,
    ahead: int = 0,
    monitor: Monitor | None = None,
    preset: Preset = STANDARD,
) -> Samples:
    sink = Collected(family.stems, clip.channels, clip.length)
    asyncio.run(separate(clip, sink, family, preset, raw=raw, ahead=ahead, monitor=monitor))
    assert sink.written == clip.length
    return sink.samples


@pytest.mark.parametrize("length", [1, 2, 1000, 30_000, 30_001, 100_000])
@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
def test_stems_sum_to_the_mixture_at_every_shape(length: int, channels: int) -> None:
    clip = song(length, channels)
    before = clip.samples.copy()
    stems = run(clip, Shares())
    assert stems.shape == (3, channels, length)
    np.testing.assert_allclose(stems.sum(axis=0), clip.samples, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(clip.samples, before)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_keeps_length_lag_and_level(rate: int, channels: int) -> None:
    clip = song(rate, channels, rate)
    stems = run(clip, Shares((0.7, 0.3), normalise=False), raw=True)
    assert stems.shape == (2, channels, rate)
    inner = slice(rate // 10, -rate // 10)
    np.testing.assert_allclose(stems[0][:, inner], 0.7 * clip.samples[:, inner], rtol=0, atol=2e-5)


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_consistency_holds_after_resampling(rate: int) -> None:
    clip = Clip(np.random.default_rng(0).uniform(-0.5, 0.5, (2, 60_000)).astype(np.float32), rate)
    np.testing.assert_allclose(run(clip, Shares()).sum(axis=0), clip.samples, rtol=0, atol=1e-5)


def test_raw_gives_the_offset_to_every_stem_as_the_reference_does() -> None:
    clip = song(50_000, offset=0.1)
    offset = asyncio.run(measure(clip, Monitor())).offset
    stems = run(clip, Shares((0.5, 0.5)), raw=True)
    np.testing.assert_allclose(stems.sum(axis=0), clip.samples + offset, rtol=0, atol=1e-5)


def test_the_offset_comes_back_once() -> None:
    clip = song(50_000, offset=0.1)
    stems = run(clip, Shares((0.5, 0.5)))
    np.testing.assert_allclose(stems.sum(axis=0), clip.samples, rtol=0, atol=1e-5)


def test_a_family_that_is_not_normalised_gets_the_song_as_it_is() -> None:
    clip = song(30_000, offset=0.1)
    seen: list[Samples] = []

    class Spy(Shares):
        async def separate(self, mixture: Samples) -> Samples:
            seen.append(mixture.copy())
            return await super().separate(mixture)

    run(clip, Spy(normalise=False))
    np.testing.assert_array_equal(seen[0], clip.samples)


class Device(Shares):
    """A family that waits like one with a device, and counts the segments under way."""

    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__()
        self.under_way = self.most = 0
        self._fails_at = fails_at

    async def separate(self, mixture: Samples) -> Samples:
        number = self.segments
        estimate = await super().separate(mixture)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(0.01 / (1 + number))  # later ones are ready sooner
        finally:
            self.under_way -= 1
        if number == self._fails_at:
            raise RuntimeFailure("runtime/failed", "It is broken.")
        return estimate


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_segments_ahead_change_no_bit(ahead: int) -> None:
    clip = song(200_000)
    device = Device()
    np.testing.assert_array_equal(run(clip, device, ahead=ahead), run(clip, Shares()))
    assert device.most == ahead + 1


def test_a_failure_ends_what_is_under_way() -> None:
    device = Device(fails_at=2)
    with pytest.raises(RuntimeFailure, match="broken"):
        run(song(200_000), device, ahead=2)
    assert device.segments == 5
    assert device.under_way == 0


def test_silence_gives_silence_and_never_asks_the_model() -> None:
    family = Shares()
    stems = run(Clip(np.zeros((2, 80_000), np.float32), 44_100), family)
    assert not stems.any()
    assert family.segments == 0


def test_runs_are_identical() -> None:
    clip = song(70_000, rate=48_000)
    np.testing.assert_array_equal(run(clip, Shares()), run(clip, Shares()))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_refused(bad: float) -> None:
    samples = np.zeros((2, 300_000), np.float32)
    samples[1, 299_999] = bad
    with pytest.raises(AudioError, match="not numbers") as caught:
        run(Clip(samples, 44_100), Shares())
    assert caught.value.code == "audio/not-finite"


def test_progress_reaches_its_total_and_cancel_stops() -> None:
    marks: list[Progress] = []
    run(song(100_000), Shares(), monitor=Monitor(marks.append))
    separating = [mark for mark in marks if mark.stage == "separate"]
    assert [mark.done for mark in separating] == list(range(separating[0].total + 1))

    family = Shares()

    def stop_after_two(mark: Progress) -> None:
        if mark.stage == "separate" and mark.done == 2:
            signal.aborted = True

    signal = Abort()
    monitor = Monitor(stop_after_two, signal)
    with pytest.raises(Cancelled):
        run(song(100_000), family, monitor=monitor)
    assert family.segments == 3


class Louder(Shares):
    """A family that takes the song at ten times its scale, and records its segments."""

    def __init__(self) -> None:
        super().__init__(shares=(0.7, 0.3))
        self.mixtures: list[Samples] = []

    def normalisation(self, measured: Normalisation) -> Normalisation:  # noqa: ARG002
        return Normalisation(0.0, 0.1)

    async def separate(self, mixture: Samples) -> Samples:
        self.mixtures.append(mixture)
        return await super().separate(mixture)


def test_a_family_chooses_its_normalisation() -> None:
    clip = song(30_000)
    family = Louder()
    stems = run(clip, family, preset=Preset(overlap=0))
    np.testing.assert_allclose(family.mixtures[0], 10 * clip.samples, rtol=1e-5)
    np.testing.assert_allclose(stems, family.shares[:, None, None] * clip.samples, atol=1e-6)
