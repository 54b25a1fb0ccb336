"""Parts of the HT-Demucs graph against their definitions, on small tensors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from demixer.graphs.graph import EXACT, Graph
from demixer.graphs.htdemucs.blocks import dconv, expanded_statistics, gated
from demixer.graphs.htdemucs.forms import FORMS
from demixer.graphs.htdemucs.linear import FloatLinear, Int8Linear, quantise
from demixer.graphs.htdemucs.network import build
from demixer.graphs.htdemucs.transformer import positions_1d, positions_2d
from demixer.graphs.htdemucs.weights import Affine, DConvLayer, Norm
from demixer.graphs.htdemucs.winograd import cook_toom
from demixer.graphs.onnx_writer import Value
from demixer.models import Precision
from tests.parity.songs import snr
from tests.reduced import feeds, natively, reduced, written

pytestmark = pytest.mark.slow

Array = npt.NDArray[np.float32]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def normal(rng: np.random.Generator, *shape: int) -> Array:
    return rng.standard_normal(shape, np.float32)


def evaluate(part: Callable[..., Value], *inputs: Array) -> Array:
    """Run a part of a graph on some inputs."""
    g = Graph("part")
    values = [g.input(f"x{n}", array.shape) for n, array in enumerate(inputs)]
    data = written(g.model({"y": part(g, *values)}))
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (y,) = session.run(["y"], {f"x{n}": array for n, array in enumerate(inputs)})
    assert tuple(y.shape) == tuple(model.graph.output[0].type.tensor_type.shape.dim[n].dim_value for n in range(y.ndim))
    return np.asarray(y)


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)


def group_norm(x: Array, norm: Norm) -> Array:
    centred = x - x.mean((1, 3), keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean((1, 3), keepdims=True) + 1e-5)
    return np.asarray(scaled * norm.gain[:, None, None] + norm.bias[:, None, None], np.float32)


def test_cook_toom_is_a_correlation(rng: np.random.Generator) -> None:
    t = cook_toom()
    x, taps = normal(rng, 6), normal(rng, 3)
    y = t.outputs @ ((t.kernels @ taps) * (t.inputs @ x))
    np.testing.assert_allclose(y, np.correlate(x, taps, "valid"), atol=1e-4)


@pytest.mark.parametrize(
    ("rows", "frames", "kernel", "tiled"),
    [
        (8, 12, (3, 3), (True, True)),
        (8, 13, (3, 3), (True, False)),
        (6, 11, (3, 3), (True, True)),  # the last tiles are incomplete
        (1, 15, (1, 3), (False, True)),
    ],
)
def test_tiles_change_nothing(
    rng: np.random.Generator, rows: int, frames: int, kernel: tuple[int, int], tiled: tuple[bool, bool]
) -> None:
    x, layer = normal(rng, 1, 5, rows, frames), Affine(normal(rng, 8, 5, *kernel), normal(rng, 8))
    plain = evaluate(lambda g, x: gated(g, x, layer), x)
    tiles = evaluate(lambda g, x: gated(g, x, layer, tiled), x)
    np.testing.assert_allclose(tiles, plain, atol=1e-3)


def test_statistics_of_what_is_not_computed(rng: np.random.Generator) -> None:
    hidden, matrix, bias = normal(rng, 4, 3, 50) + 1, normal(rng, 10, 3), normal(rng, 10)
    expanded = np.einsum("ec,rcf->ref", matrix, hidden) + bias[:, None]
    mean = evaluate(lambda g, x: expanded_statistics(g, x, matrix, bias)[0], hidden)
    inverse = evaluate(lambda g, x: expanded_statistics(g, x, matrix, bias)[1], hidden)
    np.testing.assert_allclose(mean.ravel(), expanded.mean((1, 2)), atol=1e-5)
    np.testing.assert_allclose(inverse.ravel(), 1 / np.sqrt(expanded.var((1, 2)) + 1e-5), rtol=1e-4)


@pytest.mark.parametrize("rows", [1, 4])
def test_dconv_is_its_definition(rng: np.random.Generator, rows: int) -> None:
    channels, hidden, frames = 8, 2, 20

    def layer() -> DConvLayer:
        return DConvLayer(
            squeeze=Affine(normal(rng, hidden, channels, 1, 3), normal(rng, hidden)),
            squeeze_norm=Norm(normal(rng, hidden), normal(rng, hidden)),
            expand=Affine(normal(rng, hidden, 2 * channels), normal(rng, 2 * channels)),
            expand_norm=Norm(normal(rng, 2 * channels), normal(rng, 2 * channels)),
            scale=normal(rng, channels),
        )

    layers = layer(), layer()
    x = normal(rng, 1, channels, rows, frames)
    expected = x
    for dilation, weights in zip((1, 2), layers, strict=True):
        padded = np.pad(expected, [(0, 0), (0, 0), (0, 0), (dilation, dilation)])
        taps = [padded[..., n * dilation : n * dilation + frames] for n in range(3)]
        squeezed = sum(
            np.einsum("hc,bcrf->bhrf", weights.squeeze.weight[:, :, 0, n], tap) for n, tap in enumerate(taps)
        )
        inner = group_norm(squeezed + weights.squeeze.bias[:, None, None], weights.squeeze_norm)
        inner = evaluate(lambda g, x: g.add("Gelu", x), inner)
        wide = np.einsum("he,bhrf->berf", weights.expand.weight, inner) + weights.expand.bias[:, None, None]
        value, gate = np.split(group_norm(wide, weights.expand_norm), 2, axis=1)
        expected = expected + weights.scale[:, None, None] * value * sigmoid(gate)
    np.testing.assert_allclose(evaluate(lambda g, x: dconv(g, x, layers), x), expected, atol=2e-4)


@pytest.mark.parametrize("way", ["normalised", "uneven"])
def test_eight_bits_are_near_the_layer(rng: np.random.Generator, way: str) -> None:
    rows, layer = normal(rng, 200, 64), Affine(normal(rng, 64, 32), normal(rng, 32), normal(rng, 32))
    exact = evaluate(lambda g, x: FloatLinear().uneven(g, x, layer), rows)
    y = evaluate(lambda g, x: getattr(Int8Linear(), way)(g, x, layer), rows)
    assert np.linalg.norm(y - exact) < 0.01 * np.linalg.norm(exact)


def test_eight_bits_with_loud_rows(rng: np.random.Generator) -> None:
    rows = normal(rng, 200, 64) * np.geomspace(1e-4, 1, 200, dtype=np.float32)[:, None]
    layer = Affine(normal(rng, 64, 32), normal(rng, 32))
    exact = evaluate(lambda g, x: FloatLinear().uneven(g, x, layer), rows) - layer.bias
    y = evaluate(lambda g, x: Int8Linear().uneven(g, x, layer), rows) - layer.bias
    # Quiet rows, too: the first is 80 dB below the last.
    errors = np.linalg.norm(y - exact, axis=1) / np.linalg.norm(exact, axis=1)
    assert errors.max() < 0.03


def test_silent_rows_stay_silent(rng: np.random.Generator) -> None:
    layer = Affine(normal(rng, 64, 32), np.zeros(32, np.float32))
    assert not evaluate(lambda g, x: Int8Linear().uneven(g, x, layer), np.zeros((5, 64), np.float32)).any()


def test_codes_are_within_half_a_step(rng: np.random.Generator) -> None:
    weight = normal(rng, 30, 6)
    weight[:, 2] = 0
    codes, steps = quantise(Affine(weight, np.zeros(6, np.float32)))
    assert codes.dtype == np.uint8
    assert (np.abs((codes.astype(np.float32) - 128) * steps - weight) <= steps / 2 + 1e-6).all()


def test_weights_are_halved_only_where_that_is_exact(rng: np.random.Generator) -> None:
    exact = normal(rng, 20, 20).astype(np.float16).astype(np.float32)
    for array, stored in ((exact, onnx.TensorProto.FLOAT16), (normal(rng, 20, 20), onnx.TensorProto.FLOAT)):
        g = Graph("sum")
        x = g.input("x", (20, 20))
        model = onnx.load_from_string(written(g.model({"y": g.plus(x, g.constant(array, "weight"))})))
        assert [tensor.data_type for tensor in model.graph.initializer] == [stored]
        np.testing.assert_array_equal(evaluate(lambda g, x, a=array: g.plus(x, g.constant(a, "w")), 0 * exact), array)


def test_positions_tell_tokens_apart() -> None:
    nothing = np.zeros((1, 512), np.float32)
    for positions, count in ((lambda g: positions_1d(g, 30, 512), 30), (lambda g: positions_2d(g, 4, 9, 512), 36)):
        table = evaluate(lambda g, x, p=positions: g.plus(p(g), x), nothing)
        assert table.shape == (count, 512)
        assert len(np.unique(table.round(4), axis=0)) == count
        assert np.abs(table).max() <= 1


@pytest.mark.parametrize(("precision", "least"), [("fp16", 40), ("default", 25)])
def test_every_form_computes_the_same(precision: Precision, least: float) -> None:
    exact, other = (natively(build(reduced(), FORMS[each]), feeds()) for each in ("fp32", precision))
    for name, expected in exact.items():
        assert snr(expected, other[name]) >= least


def test_what_is_for_any_runtime_asks_for_no_operator_of_onnxruntime_alone() -> None:
    for precision in ("fp32", "fp16"):
        assert {node.domain for node in build(reduced(), FORMS[precision]).nodes} == {""}


def test_float16_is_left_where_it_does_harm_alone() -> None:
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(written(build(reduced(), FORMS["fp16"]))))
    types = {value.name: value.type.tensor_type for value in model.graph.value_info}
    lengths: dict[int, list[int]] = {onnx.TensorProto.FLOAT: [], onnx.TensorProto.FLOAT16: []}
    for node in model.graph.node:
        kind = types[node.output[0]].elem_type if node.output[0] in types else None
        if node.op_type in {"InstanceNormalization", "LayerNormalization", "ReduceMean", "ReduceSumSquare", "Softmax"}:
            assert kind == onnx.TensorProto.FLOAT
        elif node.op_type in {"Conv", "Gemm"}:
            assert kind == onnx.TensorProto.FLOAT16
        elif node.op_type == "ConvTranspose":
            assert kind is not None
            lengths[kind].append(max(size.dim_value for size in types[node.output[0]].shape.dim))
    assert max(lengths[onnx.TensorProto.FLOAT16]) <= EXACT < min(lengths[onnx.TensorProto.FLOAT])
