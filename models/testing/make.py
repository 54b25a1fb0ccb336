"""Tiny graphs for the self-test and the benchmark of a device, and for tests of the engine without a real model.

The probe and the echo multiply by a Hadamard matrix, which is its own inverse: an even number of products returns the
input on any device, but none of them can be skipped. The question runs every operator of the real models and comes
with its answer. The layers are parts of HT-Demucs at their real size.

    python models/testing/make.py FOLDER
"""

from __future__ import annotations

import json
import math
import sys
from io import BytesIO
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
import numpy.typing as npt
import onnx
from onnx.reference import ReferenceEvaluator

from demixer.families.spleeter import BINS, FRAMES
from demixer.graphs.graph import CONTRIB, Graph
from demixer.graphs.onnx_writer import Model, Value, write_model
from demixer.models import Precision

#: Shape of the probe's equal input `x` and output `y`; `web/engine/devices/self-test.js` has it too.
PROBE_SHAPE: Final = (1024, 256)
PROBE_PRODUCTS: Final = 16
#: Floating-point operations in one run of the probe.
PROBE_FLOPS: Final = 2 * PROBE_PRODUCTS * PROBE_SHAPE[0] * PROBE_SHAPE[1] ** 2

#: Share of each of the two stems in the output of the echo, everywhere.
ECHO_SHARES: Final = (0.6, 0.8)
#: Resulting gain of the mixture in each stem: the squares of the shares, which sum to one.
ECHO_GAINS: Final = (0.36, 0.64)
_ECHO_BLOCK: Final = 16

#: Shape of the question's input: sin(0), sin(1), sin(2) ... In float16, it goes far beyond the last odd integer.
QUESTION_SHAPE: Final = (1, 2, 2, 4608)
_CHANNELS: Final = 8
_TOKENS: Final = (2304, 16)
_HEADS: Final = 2
_EPSILON: Final = 1e-5
_CENTRE: Final = 128

#: Part of the last decoder layer of HT-Demucs [shape=(1, channels, bins, frames)], and some rows of its transformer.
LAYERS_SHAPE: Final = (1, 48, 512, 56)
_ROWS: Final = (1, 672, 2048)
_WIDTH: Final = 512

_OPSET: Final = 17
_QUESTION_OPSET: Final = 20

Array = npt.NDArray[Any]


def write(folder: Path) -> None:
    """Write every graph and the question's answer, with the same bytes every time."""
    graphs = {
        "probe": probe(),
        "echo": echo(),
        "layers": layers(),
        **{f"question-{precision}": question(precision) for precision in get_args(Precision)},
    }
    for name, model in graphs.items():
        (folder / f"{name}.onnx").write_bytes(serialise(model))
    answer = [float(f"{value:.5g}") for value in answer_of(question("fp32")).ravel()]
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def serialise(model: Model) -> bytes:
    """The graph's bytes, which ONNX's own checker has seen."""
    sink = BytesIO()
    write_model(model, sink)
    onnx.checker.check_model(sink.getvalue())
    return sink.getvalue()


def probe() -> Model:
    """A chain of matrix products with `y = x`: 2.1 GFLOP on 1 MB of input, well under a second of work."""
    graph = Graph("probe", opset=_OPSET)
    y = graph.input("x", PROBE_SHAPE)
    matrix = graph.constant(hadamard(PROBE_SHAPE[1]), "hadamard")
    for _ in range(PROBE_PRODUCTS):
        y = graph.matmul(y, matrix)
    assert graph.flop == PROBE_FLOPS
    return graph.model({"y": y})


def echo() -> Model:
    """A graph with Spleeter's inputs and outputs whose stems are the mixture times `ECHO_GAINS`.

    The share is `gain * (transformed twice + 1) / (magnitude + 1)`, so that a device that gets the products wrong,
    or returns zeros, produces wrong stems.
    """
    graph = Graph("echo", opset=_OPSET)
    magnitude = graph.input("magnitude", (1, 2, FRAMES, BINS))
    matrix = graph.constant(hadamard(_ECHO_BLOCK), "hadamard")
    blocked = graph.reshape(magnitude, 1, 2, FRAMES * BINS // _ECHO_BLOCK, _ECHO_BLOCK)
    twice = graph.matmul(graph.matmul(blocked, matrix), matrix)
    one = graph.scalar(1)
    numerator = graph.plus(graph.reshape(twice, *magnitude.shape), one)
    unity = graph.over(numerator, graph.plus(magnitude, one))
    shares = graph.constant(np.array(ECHO_SHARES, np.float32).reshape(-1, 1, 1, 1), "shares")
    return graph.model({"share": graph.times(unity, shares)})


def question(precision: Precision) -> Model:
    """Every operator of the real graphs of a precision, in their types and past the integers of float16.

    The three forms have the same answer. Input and output are float32.
    """
    return _Question(precision).model()


class _Question:
    """Strided layers around a transformer layer, as in HT-Demucs, and the activations of Spleeter."""

    def __init__(self, precision: Precision) -> None:
        self._graph = Graph("question", opset=_QUESTION_OPSET, dtype="float16" if precision == "fp16" else "float32")
        self._fused = precision == "default"
        self._random = np.random.default_rng(3)

    def model(self) -> Model:
        graph = self._graph
        x = graph.input("x", QUESTION_SHAPE)
        normal, mean, deviation = self._normalised(x)
        down = graph.conv(normal, *self._layer(_CHANNELS, 2, 3, 4), stride=(1, 2), pads=(1, 1, 1, 1))
        y = graph.add("LeakyRelu", down, alpha=0.2)
        y = graph.conv(y, *self._layer(_CHANNELS, _CHANNELS, 1, 3), dilation=(1, 2), pads=(0, 2, 0, 2))
        y = self._row_norm(y)
        y = graph.times(
            graph.conv(y, *self._layer(_CHANNELS, _CHANNELS + 1, 1, 1)),
            graph.add("Sigmoid", graph.conv(y, *self._layer(_CHANNELS, _CHANNELS + 1, 1, 1))),
        )
        y = graph.plus(down, graph.reshape(self._transformer(graph.reshape(y, *_TOKENS[::-1])), *down.shape))
        # One transposed convolution up to the last position that float16 counts, and one beyond.
        tall = graph.reshape(y, 1, 36, 1024, 1)
        tall = graph.conv_transpose(tall, *self._transposed(36, 9, 4, 1), stride=(2, 1), pads=(1, 0, 1, 0))
        wide = graph.conv_transpose(y, *self._transposed(_CHANNELS, 2, 1, 4), stride=(1, 2), pads=(0, 1, 0, 1))
        y = graph.plus(wide, graph.reshape(graph.add("Relu", tall), *QUESTION_SHAPE))
        with graph.computing_in("float32"):
            y = graph.plus(graph.times(graph.narrow(y), deviation), mean)
            rows = graph.reshape(graph.add("Identity", y), 144, math.prod(QUESTION_SHAPE) // 144)
            answer = graph.matmul(rows, graph.constant(self._weights(rows.shape[1], 4), "answer"))
        return graph.model({"y": answer})

    def _normalised(self, x: Value) -> tuple[Value, Value, Value]:
        """Input of mean zero and deviation one; the mean and the deviation."""
        graph, axes = self._graph, range(len(x.shape))
        with graph.computing_in("float32"):
            mean = graph.reduce("ReduceMean", x, *axes)
            centred = graph.minus(x, mean)
            energy = graph.reduce("ReduceSumSquare", centred, *axes)
            deviation = graph.add("Sqrt", graph.over(energy, graph.scalar(math.prod(x.shape))))
            normal = graph.over(centred, graph.plus(deviation, graph.scalar(_EPSILON)))
        return graph.narrow(normal), mean, deviation

    def _row_norm(self, x: Value) -> Value:
        """Normalise each row over channels and frames; its energy becomes one more channel."""
        graph = self._graph
        _, channels, rows, frames = x.shape
        with graph.computing_in("float32"):
            y = graph.transpose(graph.reshape(graph.narrow(x), channels, rows, frames), 1, 0, 2)
            flat = graph.reshape(y, 1, rows, channels * frames)
            ones, zeros = (graph.constant(np.full(rows, number), role) for number, role in ((1.0, "1"), (0.0, "0")))
            flat = graph.add("InstanceNormalization", flat, ones, zeros, epsilon=_EPSILON)
            y = graph.add("Gelu", graph.reshape(flat, rows, channels, frames))
            centred = graph.minus(y, graph.reduce("ReduceMean", y, 2))
            covariance = graph.matmul(centred, graph.transpose(centred, 0, 2, 1))
            energy = graph.reduce("ReduceSum", graph.times(covariance, graph.scalar(1 / frames)), 1, 2)
            inverse = graph.add("Reciprocal", graph.add("Sqrt", graph.plus(energy, graph.scalar(_EPSILON))))
            y = graph.concat(y, graph.expand(inverse, rows, 1, frames), axis=1)
            y = graph.reshape(graph.transpose(y, 1, 0, 2), 1, channels + 1, rows, frames)
        return graph.narrow(y)

    def _transformer(self, x: Value) -> Value:
        """A transformer layer on channels [width, tokens]; the first tokens attend to all."""
        graph = self._graph
        tokens, width = _TOKENS
        y = graph.gemm(x, *self._matrix(width, width), trans_a=True)
        with graph.computing_in("float32"):
            y = graph.plus(self._layer_norm(graph.narrow(y)), self._positions())
        y = graph.narrow(y)
        quarter, *quarters = graph.split(y, 4, axis=0)
        few, *others = graph.split(quarter, 4, axis=0)
        attended = graph.concat(self._attention(few, y), *others, *quarters, axis=0)
        total, normal = self._skip_layer_norm(y, attended)
        inner = graph.add("Gelu", graph.gemm(normal, *self._dequantised(width, width), trans_b=self._fused))
        y = graph.plus(total, self._linear(inner, width, width))
        with graph.computing_in("float32"):
            one, zero = (graph.constant(np.array([number]), role) for number, role in ((1.0, "one"), (0.0, "zero")))
            flat = graph.reshape(graph.narrow(y), 1, 1, tokens * width)
            flat = graph.add("InstanceNormalization", flat, one, zero, epsilon=_EPSILON)
            y = graph.reshape(flat, tokens, width)
        weight, bias = self._weights(width, width), self._normal(width, 1)
        return graph.gemm(
            graph.constant(weight, "down"), graph.narrow(y), graph.constant(bias, "down.bias"), trans_b=True
        )

    def _positions(self) -> Value:
        """Cosines, then sines, of each token."""
        graph = self._graph
        tokens, width = _TOKENS
        steps = graph.constant(np.arange(tokens, dtype=np.float32)[:, None], "steps")
        phase = graph.times(steps, graph.constant(np.geomspace(1, 1e-3, width // 2), "rates"))
        return graph.concat(graph.add("Cos", phase), graph.add("Sin", phase), axis=1)

    def _attention(self, queries: Value, sources: Value) -> Value:
        graph = self._graph
        width = _TOKENS[1]
        query, key, value = (self._weights(width, width) for _ in range(3))
        shrunk = query if self._fused else query * (width // _HEADS) ** -0.5
        q = graph.matmul(queries, graph.constant(shrunk, "query"))
        k, v = (graph.matmul(sources, graph.constant(weight, "key")) for weight in (key, value))
        if self._fused:
            q, k, v = (graph.reshape(each, 1, *each.shape) for each in (q, k, v))
            y = graph.add("MultiHeadAttention", q, k, v, domain=CONTRIB, num_heads=_HEADS)
            return graph.reshape(y, *queries.shape)
        q, k, v = (
            graph.transpose(graph.reshape(each, each.shape[0], _HEADS, width // _HEADS), *axes)
            for each, axes in ((q, (1, 0, 2)), (k, (1, 2, 0)), (v, (1, 0, 2)))
        )
        scores = graph.matmul(q, k)
        with graph.computing_in("float32"):
            y = graph.matmul(graph.add("Softmax", graph.narrow(scores), axis=-1), graph.narrow(v))
        return graph.reshape(graph.transpose(graph.narrow(y), 1, 0, 2), *queries.shape)

    def _skip_layer_norm(self, x: Value, update: Value) -> tuple[Value, Value]:
        """`x + update` and its normalisation."""
        graph = self._graph
        if not self._fused:
            total = graph.plus(x, update)
            with graph.computing_in("float32"):
                normal = self._layer_norm(graph.narrow(total))
            return total, graph.narrow(normal)
        normal, total = (Value(graph.unique(role), x.shape) for role in ("normal", "sum"))
        unused = Value("", ())
        inputs, outputs = [x, update, *self._gain()], [normal, unused, unused, total]
        graph.node("SkipLayerNormalization", inputs, outputs, domain=CONTRIB, epsilon=_EPSILON)
        return total, normal

    def _layer_norm(self, x: Value) -> Value:
        return self._graph.add("LayerNormalization", x, *self._gain(), axis=-1, epsilon=_EPSILON)

    def _gain(self) -> tuple[Value, Value]:
        graph, width = self._graph, _TOKENS[1]
        return (
            graph.constant(np.linspace(0.5, 1.5, width), "gain"),
            graph.constant(np.linspace(-0.5, 0.5, width), "bias"),
        )

    def _dequantised(self, before: int, after: int) -> tuple[Value, Value]:
        """A linear layer, with a weight of eight bits in the fused form, and then transposed."""
        graph = self._graph
        codes, steps = self._codes(before, after)
        bias = graph.constant(self._normal(after), "bias")
        if not self._fused:
            return graph.constant((codes - _CENTRE) * steps, "weight"), bias
        signed = graph.constant((codes.T - _CENTRE).astype(np.int8), "codes")
        weight = graph.add("DequantizeLinear", signed, graph.constant(steps, "steps"), dtype="float32", axis=0)
        return weight, bias

    def _linear(self, x: Value, before: int, after: int) -> Value:
        """A product, in eight bits in the fused form."""
        graph = self._graph
        codes, steps = self._codes(before, after)
        if not self._fused:
            return graph.matmul(x, graph.constant((codes - _CENTRE) * steps, "weight"))
        low, high = graph.reduce("ReduceMin", x, 1), graph.reduce("ReduceMax", x, 1)
        peak = graph.plus(graph.add("Max", high, graph.add("Neg", low)), graph.scalar(_EPSILON))
        rows = Value(graph.unique("rows"), x.shape, "uint8")
        scale, zero = Value(graph.unique("scale"), ()), Value(graph.unique("zero"), (), "uint8")
        graph.node("DynamicQuantizeLinear", [graph.over(x, peak)], [rows, scale, zero])
        weight = graph.constant(codes.astype(np.uint8), "codes"), scale, graph.constant(steps, "steps"), zero
        centre = graph.constant(np.array(_CENTRE, np.uint8), "centre")
        y = graph.add("MatMulIntegerToFloat", rows, *weight, centre, dtype="float32", domain=CONTRIB)
        return graph.times(y, peak)

    def _codes(self, before: int, after: int) -> tuple[Array, Array]:
        """Eight-bit codes of random weights around 128, and the step of each column."""
        weights = self._weights(before, after)
        steps = np.abs(weights).max(axis=0) / (_CENTRE - 1)
        return np.rint(weights / steps) + _CENTRE, steps

    def _layer(self, channels: int, *inner: int) -> tuple[Value, Value]:
        """Kernel [channels, *inner] and bias of a convolution."""
        return self._with_bias(self._normal(channels, *inner, inner=math.prod(inner)), channels)

    def _transposed(self, inner: int, channels: int, *kernel: int) -> tuple[Value, Value]:
        """Kernel and bias of a transposed convolution, of whose taps every sample sees two."""
        return self._with_bias(self._normal(inner, channels, *kernel, inner=2 * inner), channels)

    def _matrix(self, before: int, after: int) -> tuple[Value, Value]:
        return self._with_bias(self._weights(before, after), after)

    def _with_bias(self, weight: Array, channels: int) -> tuple[Value, Value]:
        return self._graph.constant(weight, "weight"), self._graph.constant(self._normal(channels, inner=100), "bias")

    def _weights(self, before: int, after: int) -> Array:
        return self._normal(before, after, inner=before)

    def _normal(self, *shape: int, inner: int = 1) -> Array:
        """Random numbers of float16 for sums of so many products, which keep the magnitude of their input."""
        return (self._random.standard_normal(shape) / math.sqrt(inner)).astype(np.float16).astype(np.float64)


def answer_of(model: Model) -> Array:
    """Output of a graph for sin(0), sin(1), sin(2) ..., computed by onnx's reference evaluator in numpy."""
    shape = model.inputs[0].shape
    x = np.sin(np.arange(math.prod(shape))).astype(np.float32).reshape(shape)
    (y,) = ReferenceEvaluator(onnx.load_from_string(serialise(model))).run(None, {"x": x})
    return np.asarray(y)


def layers() -> Model:
    """Parts of HT-Demucs in the proportions of its work: 3x3 convolution, attention, feed-forward; 7 GFLOP.

    The values do not matter, so the weights repeat one small tile, which keeps the file small.
    """
    graph = Graph("layers", opset=_OPSET)
    random = np.random.default_rng(4)
    channels = LAYERS_SHAPE[1]
    _, rows, inner = _ROWS
    kernel = graph.constant(random.standard_normal((2 * channels, channels, 3, 3)) / 21, "conv")
    tile = graph.constant(random.standard_normal((64, 64)) / 23, "tile")

    def tiled(height: int, width: int) -> Value:
        return graph.add("Tile", tile, graph.integers(height // 64, width // 64), shape=(height, width))

    convolved = graph.conv(graph.input("x", LAYERS_SHAPE), kernel, pads=(1, 1, 1, 1))
    long = graph.reshape(convolved, math.prod(convolved.shape))
    row = graph.reshape(graph.slice(long, 0, rows * _WIDTH, axis=0), 1, rows, _WIDTH)
    seen = graph.add("MultiHeadAttention", row, row, row, domain=CONTRIB, num_heads=8)
    y = graph.add("Gelu", graph.matmul(seen, tiled(_WIDTH, inner)), domain=CONTRIB)
    return graph.model({"y": graph.matmul(y, tiled(inner, _WIDTH))})


def hadamard(size: int) -> npt.NDArray[np.float32]:
    """Sylvester's Hadamard matrix, scaled to be its own inverse (exact in float16 when `size` is a power of four)."""
    matrix = np.ones((1, 1), np.float32)
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.float32(size**0.5)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
