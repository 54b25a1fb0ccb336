"""Spleeter around its networks (transform, masks, full band), and the graph of small networks."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from demixer import families
from demixer.audio import Samples
from demixer.families.spleeter import BINS, FRAMES, QUIET, Options, Spleeter, full_band, ratio_masks
from demixer.graphs.onnx_writer import write_model
from demixer.graphs.spleeter import build
from demixer.models import Model
from demixer.normalisation import UNITY, Normalisation
from demixer.runtime import Float
from demixer_build.paths import MODELS
from tests.parity import unet
from tests.reduced import reduced_unet

N_FFT, HOP = 4096, 1024


@pytest.fixture(scope="module")
def noise() -> Samples:
    return 0.1 * np.random.default_rng(7).standard_normal((2, Spleeter.segment), dtype=np.float32)


class Fixed:
    """A network that returns a fixed share for each stem, and records its input."""

    def __init__(self, *shares: float) -> None:
        self.shares = np.array(shares, np.float32).reshape(-1, 1, 1, 1)
        self.magnitude: Float | None = None

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        self.magnitude = feeds["magnitude"]
        return {"share": np.broadcast_to(self.shares, (len(self.shares), 2, FRAMES, BINS))}


def test_magnitude_follows_its_definition(noise: Samples) -> None:
    session = Fixed(0.5, 0.5)
    asyncio.run(Spleeter(session).separate(noise))
    assert session.magnitude is not None
    assert session.magnitude.shape == (1, 2, FRAMES, BINS)
    assert session.magnitude.dtype == np.float32
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    for frame in (2, 100, FRAMES - 3):
        samples = noise[:, frame * HOP - N_FFT // 2 : frame * HOP + N_FFT // 2].astype(np.float64)
        expected = np.abs(np.fft.rfft(window * samples))[:, :BINS]
        np.testing.assert_allclose(session.magnitude[0, :, frame], expected, rtol=0, atol=1e-4)


def test_stems_are_the_mixture_by_their_energy(noise: Samples) -> None:
    before = noise.copy()
    stems = asyncio.run(Spleeter(Fixed(0.6, 0.8)).separate(noise))
    assert stems.shape == (2, 2, Spleeter.segment)
    assert stems.dtype == np.float32
    for stem, gain in zip(stems, (0.36, 0.64), strict=True):
        np.testing.assert_allclose(stem, gain * noise, rtol=0, atol=2e-6)
    np.testing.assert_array_equal(noise, before, "the mixture was modified")


def test_a_preset_may_share_by_magnitude(noise: Samples) -> None:
    model = Model.from_dict(tomllib.loads((MODELS / "spleeter-2stems" / "model.toml").read_text()))
    for preset, share in (("standard", 0.36), ("best", 0.6 / 1.4)):
        family = families.create(model, [Fixed(0.6, 0.8)], Spleeter.rate, preset)
        stems = asyncio.run(family.separate(noise))
        np.testing.assert_allclose(stems[0], share * noise, rtol=0, atol=2e-6)


@pytest.mark.parametrize("scale", [0.01, 0.2, 1.0])
def test_a_preset_may_scale_the_input(scale: float) -> None:
    family = Spleeter(Fixed(0.6, 0.8), Options(input_rms=0.4))
    assert scale / family.normalisation(Normalisation(0.1, scale)).scale == pytest.approx(0.4)
    assert family.normalisation(Normalisation(0.1, scale)).offset == 0
    assert Spleeter(Fixed(0.6, 0.8)).normalisation(Normalisation(0.1, scale)) == UNITY


def test_silence_is_not_made_loud() -> None:
    family = Spleeter(Fixed(0.6, 0.8), Options(input_rms=0.4))
    assert family.normalisation(Normalisation(0.0, 1e-8)) == family.normalisation(Normalisation(0.0, QUIET))


def test_silence_stays_silence() -> None:
    stems = asyncio.run(Spleeter(Fixed(0.9, 0.2)).separate(np.zeros((2, Spleeter.segment), np.float32)))
    assert not stems.any()


def test_masks_sum_to_one_down_to_silence() -> None:
    magnitudes = np.array([[3, 0, 1e-12, 0], [4, 5, 0, 0]], np.float32).reshape(2, 1, 1, 4)
    given = magnitudes.copy()
    masks = ratio_masks(magnitudes)
    np.testing.assert_allclose(masks.sum(axis=0), 1, rtol=0, atol=1e-6)
    np.testing.assert_allclose(masks[0, 0, 0], [9 / 25, 0, 0.5, 0.5], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(magnitudes, given, "the magnitudes were modified")


def test_masks_go_on_above_the_networks_band() -> None:
    rng = np.random.default_rng(8)
    masks = ratio_masks(rng.random((2, 2, 5, 16), dtype=np.float32))
    whole = full_band(masks, 33)
    assert whole.shape == (2, 2, 5, 33)
    np.testing.assert_array_equal(whole[..., :16], masks)
    np.testing.assert_allclose(whole[..., 16:], np.repeat(masks.mean(-1, keepdims=True), 17, -1), rtol=1e-6)
    np.testing.assert_allclose(whole.sum(axis=0), 1, rtol=0, atol=1e-6)


def graph_of(networks: list[dict[str, Float]]) -> bytes:
    sink = BytesIO()
    write_model(build(networks, half=False), sink)
    return sink.getvalue()


def test_graph_is_the_network() -> None:
    networks = [reduced_unet(1), reduced_unet(2)]
    magnitude = np.random.default_rng(9).random((2, FRAMES, BINS), dtype=np.float32)
    session = onnxruntime.InferenceSession(graph_of(networks), providers=["CPUExecutionProvider"])
    (found,) = session.run(["share"], {"magnitude": magnitude[None]})
    expected = np.stack([unet.share(network, magnitude) for network in networks])
    assert expected.std() > 0.05, "the network should do something"
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_graph_has_no_batch_norm_left_and_nothing_that_webgpu_lacks() -> None:
    operators = {node.op_type for node in onnx.load_from_string(graph_of([reduced_unet(1)])).graph.node}
    assert operators == {"Conv", "ConvTranspose", "Add", "LeakyRelu", "Relu", "Concat", "Sigmoid"}


@pytest.mark.parametrize("scale", [0.0, -0.5])
def test_a_batch_norm_that_cannot_be_folded_is_refused(scale: float) -> None:
    network: dict[str, Any] = reduced_unet(1)
    network["up3.3.weight"][0] = scale
    with pytest.raises(ValueError, match=r"up3\.3 has a scale that is not positive"):
        build([network], half=False)
