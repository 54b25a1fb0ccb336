"""Our HT-Demucs graph against the published one: block by block, then as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from demixer.families.htdemucs import SEGMENT, analyse, synthesise
from demixer.graphs.checkpoints import open_checkpoint
from demixer.graphs.graph import Graph
from demixer.graphs.htdemucs.blocks import decoder_layer, encoder_layer
from demixer.graphs.htdemucs.forms import FORMS, Form
from demixer.graphs.htdemucs.linear import FloatLinear
from demixer.graphs.htdemucs.network import build, normalise, read_weights
from demixer.graphs.htdemucs.transformer import transformer
from demixer.graphs.htdemucs.weights import Branch, Weights
from demixer.graphs.onnx_writer import Value
from demixer.graphs.reading import Memory
from models.htdemucs.published import NETWORK, parameters
from tests.checkpoints import demucs_package, torch_zip
from tests.parity.songs import medley, snr, stempeg_song
from tests.reduced import natively, written

pytestmark = pytest.mark.slow

Array = npt.NDArray[np.float32]
Tensors = dict[str, Array]

DEPTH: Final = NETWORK.depth
#: Inputs and outputs of the published graph.
MIXTURE, SPECTROGRAM = "input", "onnx::ReduceMean_1"
SPECTROGRAM_STEMS, WAVEFORM_STEMS = "output", "5073"
#: Tensors of the published graph between our blocks.
NORMAL: Final = {"": "/Div_1_output_0", "t": "/Div_3_output_0"}
BETWEEN: Final = {"": "/Reshape_3_output_0", "t": "/channel_downsampler_t/Conv_output_0"}
EMBEDDED: Final = "/Add_2_output_0"
#: dB for one block. The published graph is no closer to the truth: it sums up to 8 million elements in float32.
BLOCK: Final = 72
#: dB for the transformer, whose ten layers accumulate the rounding of attention. Against demucs' own torch code our
#: stems are closer (85-94 dB on stempeg's song) than the published graph's (78-87 dB), so most of the difference is not
#: ours.
TRANSFORMER: Final = 65


def encoded(branch: Branch, index: int) -> str:
    """Input of the encoder layer of that index, which is the output of the one before."""
    if index == 0:
        return NORMAL[branch]
    return EMBEDDED if (branch, index) == ("", 1) else f"/{branch}encoder.{index - 1}/Mul_2_output_0"


def decoded(branch: Branch, index: int) -> str:
    """Input of the decoder layer of that index, which is the output of the one before."""
    if index == 0:
        return BETWEEN[branch]
    return f"/{branch}decoder.{index - 1}/" + ("Slice_output_0" if index == DEPTH else "Mul_2_output_0")


@pytest.fixture(scope="module")
def stock(weights_dir: Callable[[str], Path]) -> onnx.ModelProto:
    return onnx.load(weights_dir("htdemucs") / "htdemucs.onnx")


@pytest.fixture(scope="module")
def weights(stock: onnx.ModelProto) -> Weights:
    return Weights(NETWORK, parameters(stock).__getitem__)


@pytest.fixture(scope="module")
def mixture() -> Array:
    return medley(stempeg_song())[:, :SEGMENT]


@pytest.fixture(scope="module")
def published(stock: onnx.ModelProto, mixture: Array) -> Tensors:
    """Intermediate tensors of the published graph."""
    probed = onnx.ModelProto()
    probed.CopyFrom(stock)
    branches: tuple[Branch, ...] = ("", "t")
    names = {name(branch, n) for name in (encoded, decoded) for branch in branches for n in range(DEPTH + 1)}
    probed.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in sorted(names))
    return run(probed.SerializeToString(), {MIXTURE: mixture[None], SPECTROGRAM: analyse(mixture)[None]})


def run(model: bytes, feeds: Tensors) -> Tensors:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def block(write: Callable[..., Any], *inputs: Array) -> list[Array]:
    """Output of one of our blocks for tensors of the published graph."""
    g = Graph("block")
    values = [g.input(f"x{n}", array.shape) for n, array in enumerate(inputs)]
    written = write(g, *values)
    outputs = {f"y{n}": value for n, value in enumerate([written] if isinstance(written, Value) else written)}
    return list(natively(g.model(outputs), {f"x{n}": array for n, array in enumerate(inputs)}).values())


def one_row(x: Array) -> Array:
    """The waveform branch's tensors as ours: a spectrogram of one row."""
    return x[:, :, None] if x.ndim == 3 else x


@pytest.mark.parametrize(("name", "branch"), [(SPECTROGRAM, ""), (MIXTURE, "t")])
def test_normalisation(published: Tensors, mixture: Array, name: str, branch: Branch) -> None:
    x = {SPECTROGRAM: analyse(mixture)[None], MIXTURE: mixture[None]}[name]
    (normal,) = block(lambda g, x: normalise(g, x)[0], x)
    assert snr(published[NORMAL[branch]], normal) >= 110


@pytest.mark.parametrize("index", range(DEPTH))
@pytest.mark.parametrize("branch", ["", "t"])
def test_encoder_layer(published: Tensors, weights: Weights, branch: Branch, index: int) -> None:
    x = one_row(published[encoded(branch, index)])
    (y,) = block(lambda g, x: encoder_layer(g, x, weights.encoder(branch, index)), x)
    if (branch, index) == ("", 0):
        y = y + weights.frequency_embedding()
    assert snr(one_row(published[encoded(branch, index + 1)]), y) >= BLOCK


@pytest.mark.parametrize("fused", [False, True])
def test_transformer(published: Tensors, weights: Weights, fused: bool) -> None:
    inputs = one_row(published[encoded("", DEPTH)]), one_row(published[encoded("t", DEPTH)])
    x, xt = block(lambda g, x, xt: transformer(g, x, xt, weights, Form(FloatLinear(), fused=fused)), *inputs)
    assert snr(published[BETWEEN[""]], x) >= TRANSFORMER
    assert snr(one_row(published[BETWEEN["t"]]), xt) >= TRANSFORMER


@pytest.mark.parametrize("tiles", [False, True])
@pytest.mark.parametrize("index", range(DEPTH))
@pytest.mark.parametrize("branch", ["", "t"])
def test_decoder_layer(published: Tensors, weights: Weights, branch: Branch, index: int, tiles: bool) -> None:
    layer = weights.decoder(branch, index)
    x = one_row(published[decoded(branch, index)])
    skip = one_row(published[encoded(branch, DEPTH - index)])
    expected = one_row(published[decoded(branch, index + 1)])
    size = expected.shape[3 if branch else 2]
    last = index == DEPTH - 1
    (y,) = block(lambda g, x, skip: decoder_layer(g, x, skip, layer, size, last=last, tiles=tiles), x, skip)
    assert snr(expected, y) >= BLOCK


@pytest.mark.parametrize(("precision", "least"), [("fp32", 70), ("fp16", 50), ("default", 40)])
def test_stems(published: Tensors, weights: Weights, mixture: Array, precision: Any, least: float) -> None:
    found = natively(
        build(weights, FORMS[precision]), {"mixture": mixture[None], "spectrogram": analyse(mixture)[None]}
    )
    reference = stems(published[SPECTROGRAM_STEMS], published[WAVEFORM_STEMS])
    ours = stems(found["spectrograms"], found["waveforms"])
    ratios = [round(snr(a, b), 1) for a, b in zip(reference, ours, strict=True)]
    print(f"{precision}: drums, bass, other, vocals {ratios} dB")
    assert min(ratios) >= least


def stems(spectrograms: Array, waveforms: Array) -> Array:
    spectral = np.stack([synthesise(channels) for channels in spectrograms[0]])
    return np.asarray(spectral + waveforms[0])


def test_the_graph_is_static_and_as_small_as_it_can_be(stock: onnx.ModelProto, weights: Weights) -> None:
    model = build(weights, FORMS["fp32"])
    assert float(model.metadata["gflop"]) == pytest.approx(336, abs=1)
    data = written(model)
    onnx.checker.check_model(onnx.load_from_string(data))
    half = sum(tensor.ByteSize() for tensor in stock.graph.initializer) / 2
    assert len(data) < 1.05 * half


def test_a_checkpoint_of_demucs_gives_the_same_graph(stock: onnx.ModelProto, weights: Weights) -> None:
    """`955717e8-8726e21a.th` holds these weights, in half precision."""
    sources = ["drums", "bass", "other", "vocals"]
    package = torch_zip(
        demucs_package(parameters(stock), sources=sources, segment=Fraction(39, 5), bottom_channels=512)
    )
    found = read_weights(open_checkpoint(Memory(package)))
    assert found.network == replace(NETWORK, sources=tuple(sources))
    assert written(build(found, FORMS["default"])) == written(build(weights, FORMS["default"]))
