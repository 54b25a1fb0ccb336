"""HT-Demucs around its network: the transform's conventions, and how the two branches are joined."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest

from demixer.audio import Samples
from demixer.families import create
from demixer.families.htdemucs import BINS, FRAMES, PAD, SEGMENT, STEMS, HTDemucs, analyse, synthesise
from demixer.models import Model
from demixer.runtime import Float

N_FFT, HOP = 4096, 1024
WINDOW = np.hanning(N_FFT + 1)[:-1]


@pytest.fixture(scope="module")
def noise() -> Samples:
    return np.random.default_rng(3).standard_normal((2, SEGMENT), dtype=np.float32)


class Echo:
    """A network whose spectrogram branch gives every stem a part of the mixture, and its waveform branch another."""

    SPECTRAL = (0.1, 0.2, 0.3, 0.4)
    TEMPORAL = (0.5, -0.5, 0.0, 1.0)

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        self.shapes = {name: array.shape for name, array in feeds.items()}
        assert all(array.dtype == np.float32 for array in feeds.values())
        return {
            "spectrograms": np.stack([gain * feeds["spectrogram"] for gain in self.SPECTRAL], axis=1, dtype=np.float32),
            "waveforms": np.stack([gain * feeds["mixture"] for gain in self.TEMPORAL], axis=1, dtype=np.float32),
        }


def frame(signal: Samples, index: int) -> npt.NDArray[np.complex128]:
    """Frame `index` from its definition: n_fft samples from 1.5 hops before `index * hop`, mirrored at the ends."""
    positions = np.abs(np.arange(N_FFT) + index * HOP - HOP * 3 // 2)
    positions = np.where(positions < SEGMENT, positions, 2 * (SEGMENT - 1) - positions)
    spectrum: npt.NDArray[np.complex128] = np.fft.rfft(WINDOW * signal[positions].astype(np.float64)) / N_FFT**0.5
    return spectrum[:BINS]


@pytest.mark.parametrize("index", [0, 1, 170, FRAMES - 2, FRAMES - 1])
@pytest.mark.parametrize("channel", [0, 1])
def test_spectrogram_follows_its_definition(noise: Samples, index: int, channel: int) -> None:
    real, imaginary = analyse(noise).reshape(2, 2, BINS, FRAMES)[channel, :, :, index]
    expected = frame(noise[channel], index)
    np.testing.assert_allclose(real, expected.real, rtol=0, atol=5e-6)
    np.testing.assert_allclose(imaginary, expected.imag, rtol=0, atol=5e-6)


def test_waveform_comes_back(noise: Samples) -> None:
    # Nothing in the highest bin, which the network never sees, not even where the ends are mirrored.
    spectrum = np.fft.rfft(noise)
    spectrum[:, int(spectrum.shape[1] * 0.99) :] = 0
    music = (np.fft.irfft(spectrum, SEGMENT) * np.hanning(SEGMENT) ** 2).astype(np.float32)
    back = synthesise(analyse(music))
    # The first and last 1.5 hops lie under the dropped frames as well: the waveform branch makes up for them.
    inner = slice(PAD, SEGMENT - PAD)
    np.testing.assert_allclose(back[:, inner], music[:, inner], rtol=0, atol=2e-6)


def test_a_tone_keeps_its_energy_in_its_bin() -> None:
    tone = np.zeros((2, SEGMENT), np.float32)
    tone[1] = np.cos(2 * np.pi * 100 / N_FFT * np.arange(SEGMENT))
    channels = analyse(tone)
    assert not channels[:2].any(), "the left channel is silent"
    magnitude = np.hypot(channels[2], channels[3])[:, 5:-5]
    assert (magnitude.argmax(axis=0) == 100).all()
    np.testing.assert_allclose(magnitude[100], WINDOW.sum() / 2 / N_FFT**0.5, rtol=1e-5)


def test_stems_are_both_branches_together(noise: Samples) -> None:
    before = noise.copy()
    session = Echo()
    stems = asyncio.run(HTDemucs(session).separate(noise))
    assert session.shapes == {"mixture": (1, 2, SEGMENT), "spectrogram": (1, 4, BINS, FRAMES)}
    assert stems.shape == (STEMS, 2, SEGMENT)
    assert stems.dtype == np.float32
    spectral = synthesise(analyse(noise))
    for stem, a, b in zip(stems, Echo.SPECTRAL, Echo.TEMPORAL, strict=True):
        np.testing.assert_allclose(stem, a * spectral + b * noise, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(noise, before, "the mixture was modified")


def test_stems_and_segment_are_those_of_the_model() -> None:
    described = {"id": "six", "label": "", "summary": "", "family": "htdemucs", "gflop_per_second": 1, "segment": 0.5}
    names = ["drums", "bass", "other", "vocals", "guitar", "piano"]
    family = create(
        Model.from_dict({**described, "stems": names, "presets": {"standard": {"overlap": 0}}}), [Echo()], 1
    )
    assert (family.stems, family.segment) == (6, 22_050)
    tone = np.sin(np.arange(22_050) / 10, dtype=np.float32)[None].repeat(2, axis=0)
    channels = analyse(tone)
    assert channels.shape == (4, BINS, 22)
    np.testing.assert_allclose(synthesise(channels, 22_050)[:, PAD:-PAD], tone[:, PAD:-PAD], rtol=0, atol=1e-5)


def test_two_runs_are_identical(noise: Samples) -> None:
    family = HTDemucs(Echo())
    np.testing.assert_array_equal(asyncio.run(family.separate(noise)), asyncio.run(family.separate(noise)))
