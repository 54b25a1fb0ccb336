"""Harmonic/percussive separation of signals whose nature is known."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from demixer.audio import Clip, Collected, Samples
from demixer.families.hpss import HPSS, harmonic_mask
from demixer.models import Preset
from demixer.separate import separate
from tests import songs

RATES = [8_000, 22_050, 44_100, 96_000]
LITHIUM = Path(__file__).resolve().parents[3] / "shared" / "data" / "lithium"


def split(mixture: Samples, rate: int) -> tuple[Samples, Samples]:
    """The harmonic and the percussive stem of one segment."""
    harmonic, percussive = asyncio.run(HPSS(rate).separate(mixture))
    return harmonic, percussive


def segment(signal: np.ndarray, rate: int) -> Samples:
    """One segment of a signal, in stereo with unequal channels."""
    length = HPSS(rate).segment
    return np.outer((1.0, 0.6), np.resize(signal, length)).astype(np.float32)


def energy(samples: Samples) -> float:
    return float(np.sum(samples.astype(np.float64) ** 2))


def sdr(reference: Samples, estimate: Samples) -> float:
    """Signal-to-distortion ratio by the definition of the Music Demixing Challenge, in dB."""
    return float(10 * np.log10(energy(reference) / energy(reference - estimate)))


@pytest.mark.parametrize("rate", [8_000, 11_025, 32_000, 44_100, 48_000, 88_200, 192_000])
def test_a_segment_lasts_nine_seconds(rate: int) -> None:
    assert HPSS(rate).segment / rate == pytest.approx(9, abs=0.03)


@pytest.mark.parametrize("rate", RATES)
def test_stems_sum_to_the_mixture(rate: int) -> None:
    mixture = songs.mixture(10, rate)[:, : HPSS(rate).segment]
    before = mixture.copy()
    harmonic, percussive = split(mixture, rate)
    assert harmonic.dtype == percussive.dtype == np.float32
    assert np.abs(harmonic + percussive - mixture).max() <= 1e-6
    assert np.array_equal(mixture, before)


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_silence_stays_silent(rate: int) -> None:
    harmonic, percussive = split(segment(np.zeros(1), rate), rate)
    assert not harmonic.any()
    assert not percussive.any()


@pytest.mark.parametrize("rate", RATES)
def test_a_steady_tone_is_harmonic(rate: int) -> None:
    tone = segment(0.3 * np.sin(2 * np.pi * 440 / rate * np.arange(10 * rate)), rate)
    _, percussive = split(tone, rate)
    # The percussive energy lies at the ends of the segment, where the mirrored tone breaks.
    assert energy(percussive) <= 3e-3 * energy(tone)
    assert energy(percussive[:, rate:-rate]) <= 1e-5 * energy(tone)


@pytest.mark.parametrize("rate", RATES)
def test_clicks_are_percussive(rate: int) -> None:
    clicks = segment(0.5 * (np.arange(10 * rate) % (rate // 2) == rate // 4), rate)
    harmonic, _ = split(clicks, rate)
    assert energy(harmonic) <= 1e-3 * energy(clicks)


@pytest.mark.parametrize("rate", RATES)
def test_drums_come_out_of_a_song(rate: int) -> None:
    length = HPSS(rate).segment
    parts = songs.stems(10, rate)
    drums, rest = parts["drums"][:, :length], (parts["bass"] + parts["other"])[:, :length]
    harmonic, percussive = split(drums + rest, rate)
    assert sdr(drums, percussive) >= sdr(drums, drums + rest) + 8
    assert sdr(rest, harmonic) >= sdr(rest, drums + rest) + 2


def test_both_channels_share_one_mask() -> None:
    harmonic, percussive = split(segment(songs.mixture(10)[0], 44_100), 44_100)
    for stem in (harmonic, percussive):
        assert np.abs(0.6 * stem[0] - stem[1]).max() <= 1e-5


@pytest.mark.skipif(not LITHIUM.exists(), reason="the multitrack song `lithium` is not here")
def test_real_music() -> None:
    parts = {path.stem: soundfile.read(path, dtype="float32")[0].T for path in LITHIUM.glob("*.flac")}
    drums, rest = parts["drums"], parts["bass"] + parts["other"] + parts["vocals"]
    song = Clip(drums + rest, 44_100)
    sink = Collected(2, 2, song.length)
    asyncio.run(separate(song, sink, HPSS(song.rate), Preset(overlap=0.1)))
    # Before: -2.7 and 2.7 dB. librosa's masks with the same medians, over the whole song at once: 2.960 and 5.643 dB.
    assert sdr(drums, sink.samples[1]) >= 2.960
    assert sdr(rest, sink.samples[0]) >= 5.643


def test_silence_around_a_short_song_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    spectrum = (rng.normal(0, 1, (2, 40, 60)) + 1j * rng.normal(0, 1, (2, 40, 60))).astype(np.complex64)
    beyond = slice(2, -2)  # frames that see the song's end from outside
    around = np.pad(spectrum, ((0, 0), (0, 0), (30, 20)))
    np.testing.assert_array_equal(harmonic_mask(around)[:, 32:88], harmonic_mask(spectrum[..., beyond]))
