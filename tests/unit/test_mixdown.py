"""Mixes of stems, their peaks and the null test, against the same sums in numpy."""

from __future__ import annotations

import asyncio
import math
from itertools import pairwise

import numpy as np
import pytest

from demixer.audio import Clip, Samples
from demixer.errors import Cancelled
from demixer.mixdown import Gains, Mixdown, decibels, measure_mix
from demixer.normalisation import BLOCK
from demixer.progress import Monitor, Progress
from tests.abort import Abort

LENGTH = BLOCK + 1_234


def stems(count: int = 3, channels: int = 2, length: int = LENGTH) -> list[Samples]:
    rng = np.random.default_rng(5)
    return list(rng.normal(0, 0.3, (count, channels, length)).astype(np.float32))


def clips(samples: list[Samples]) -> list[Clip]:
    return [Clip(each, 44_100) for each in samples]


def read(mix: Mixdown, *cuts: int) -> Samples:
    """All of a mix, cut at some samples."""
    edges = [0, *cuts, mix.length]

    async def parts() -> list[Samples]:
        return [await mix.read(start, stop) for start, stop in pairwise(edges)]

    return np.concatenate(asyncio.run(parts()), axis=-1)


class TestMixdown:
    gains: Gains = np.array([[0.5, 1.0], [0.0, 0.25], [1.9, 0.1]])

    def test_is_the_sum_of_the_stems_times_their_gains(self) -> None:
        parts = stems()
        expected = 0.7 * sum(gain[:, np.newaxis] * part for gain, part in zip(self.gains, parts, strict=True))
        mix = read(Mixdown(clips(parts), self.gains, 0.7))
        assert mix.dtype == np.float32
        assert np.array_equal(mix, expected.astype(np.float32))

    def test_has_the_same_bits_however_it_is_read(self) -> None:
        mix = Mixdown(clips(stems()), self.gains)
        assert np.array_equal(read(mix), read(mix, 1, 4_096, 70_000))

    def test_one_stem_alone_is_that_stem(self) -> None:
        parts = stems()
        alone = np.array([[0, 0], [1, 1], [0, 0]], np.float64)
        assert np.array_equal(read(Mixdown(clips(parts), alone)), parts[1])

    def test_nothing_heard_is_silence(self) -> None:
        assert not read(Mixdown(clips(stems()), np.zeros((3, 2)))).any()

    def test_one_channel_can_be_panned(self) -> None:
        (mono,) = stems(1, channels=1)
        mix = read(Mixdown(clips([mono]), np.array([[1.0, 0.25]])))
        assert np.array_equal(mix, np.concatenate([mono, np.float32(0.25) * mono]))
        measured = asyncio.run(measure_mix(Clip(mono, 44_100), clips([mono]), np.array([[0.5, 2.0]]), Monitor()))
        assert measured.mix == pytest.approx(2 * np.abs(mono).max())

    @pytest.mark.parametrize("gains", [np.ones((2, 2)), np.ones((3, 1)), np.ones(3), np.full((3, 2), np.nan)])
    def test_gains_that_do_not_fit_are_refused(self, gains: Gains) -> None:
        with pytest.raises(ValueError, match="gains of shape"):
            Mixdown(clips(stems(length=10)), gains)


class TestMeasurement:
    def test_peaks_and_residual_are_those_of_numpy(self) -> None:
        parts = stems()
        song = (sum(parts) + np.random.default_rng(9).normal(0, 1e-4, parts[0].shape)).astype(np.float32)
        gains = np.array([[1.0, 0.5], [2.0, 2.0], [0.0, 0.1]])
        measured = asyncio.run(measure_mix(Clip(song, 44_100), clips(parts), gains, Monitor()))
        assert measured.stems == tuple(float(np.abs(part).max()) for part in parts)
        assert measured.mix == pytest.approx(np.abs(read(Mixdown(clips(parts), gains))).max(), rel=1e-6)
        residual = song - np.sum(parts, axis=0, dtype=np.float64)
        expected = 10 * np.log10(np.sum(residual**2) / np.sum(song.astype(np.float64) ** 2))
        assert measured.residual == pytest.approx(expected, abs=1e-6)
        assert -80 < measured.residual < -60

    def test_stems_that_are_the_song_leave_nothing(self) -> None:
        (song,) = stems(1)
        measured = asyncio.run(measure_mix(Clip(song, 44_100), clips([song]), np.ones((1, 2)), Monitor()))
        assert measured.residual == -math.inf

    def test_reports_progress_and_can_be_cancelled(self) -> None:
        (song,) = stems(1)
        marks: list[Progress] = []
        signal = Abort()
        monitor = Monitor(marks.append, signal)
        asyncio.run(measure_mix(Clip(song, 44_100), clips([song]), np.ones((1, 2)), monitor))
        assert [mark.done for mark in marks] == [BLOCK, LENGTH]
        signal.aborted = True
        with pytest.raises(Cancelled):
            asyncio.run(measure_mix(Clip(song, 44_100), clips([song]), np.ones((1, 2)), monitor))


@pytest.mark.parametrize(
    ("energy", "reference", "expected"),
    [(1e-6, 1.0, -60.0), (0.0, 1.0, -math.inf), (0.0, 0.0, -math.inf), (1.0, 0.0, math.inf)],
)
def test_decibels(energy: float, reference: float, expected: float) -> None:
    assert decibels(energy, reference) == pytest.approx(expected)
