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
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from demixer.families.spleeter import BINS, FRAMES
from demixer.graphs.graph import CONTRIB, Graph
from demixer.graphs.onnx_writer import Model, Value, write_model

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

#: Shape of the question's input: sin(0), sin(1), sin(2) ...
QUESTION_SHAPE: Final = (1, 4, 16, 32)
_QUESTION_ROWS: Final = (1, 64, 32)
_QUESTION_HEADS: Final = 4

#: Part of the last decoder layer of HT-Demucs [shape=(1, channels, bins, frames)], and some rows of its transformer.
LAYERS_SHAPE: Final = (1, 48, 512, 56)
_ROWS: Final = (1, 672, 2048)
_WIDTH: Final = 512

_OPSET: Final = 17

Array = npt.NDArray[Any]


def write(folder: Path) -> None:
    """Write every graph and the question's answer, with the same bytes every time."""
    graphs = {
        "probe": probe(),
        "echo": echo(),
        "layers": layers(),
        "question": question(),
        "question-fp16": question("float16"),
    }
    for name, model in graphs.items():
        (folder / f"{name}.onnx").write_bytes(serialise(model))
    answer = [float(f"{value:.5g}") for value in answer_of(question()).ravel()]
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


def question(dtype: str = "float32") -> Model:
    """Every operator of the graphs for GPUs, computed in `dtype`; input and output are float32.

    Attention is written in products, as in those graphs: the operator of onnxruntime-web 1.30 is wrong on SwiftShader's
    WebGPU, and perhaps on other devices.
    """
    graph = Graph("question", opset=_OPSET, dtype=dtype)
    random = np.random.default_rng(3)

    def weights(role: str, *shape: int) -> Value:
        """Random weights that keep the magnitude of their input."""
        return graph.constant(random.standard_normal(shape) / math.sqrt(math.prod(shape[1:])), role)

    _, rows, width = _QUESTION_ROWS
    down, dilated = weights("w.down", 8, 4, 3, 3), weights("w.dilated", 8, 8, 3, 3)
    value, gate = weights("w.value", 8, 8, 1, 1), weights("w.gate", 8, 8, 1, 1)
    up = weights("w.up", 8, 4, 4, 3)
    query, key, values = (weights(f"w.{role}", width, width) for role in ("query", "key", "values"))
    out = weights("w.out", width, 8)
    scale, shift = np.linspace(0.5, 1.5, 8), np.linspace(-0.5, 0.5, 8)
    row_scale, row_shift = np.linspace(0.5, 1.5, width), np.linspace(-0.5, 0.5, width)

    x = graph.input("x", QUESTION_SHAPE)
    narrow = graph.narrow(x)
    y = graph.conv(narrow, down, pads=(1, 1, 1, 1), stride=(2, 1))
    y = graph.add("LeakyRelu", y, alpha=0.2)
    y = graph.conv(y, dilated, pads=(2, 2, 2, 2), dilation=(2, 2))
    y = graph.add("InstanceNormalization", y, graph.constant(scale, "gain"), graph.constant(shift, "bias"))
    y = graph.add("Gelu", y, domain=CONTRIB)
    y = graph.times(graph.conv(y, value), graph.add("Sigmoid", graph.conv(y, gate)))
    y = graph.add("Relu", graph.conv_transpose(y, up, pads=(1, 1, 1, 1), stride=(2, 1)))
    y = graph.reshape(graph.plus(y, narrow), *_QUESTION_ROWS)
    gain, bias = graph.constant(row_scale, "row.gain"), graph.constant(row_shift, "row.bias")
    y = graph.add("LayerNormalization", y, gain, bias, axis=-1)

    def heads(matrix: Value, *axes: int) -> Value:
        split = graph.reshape(graph.matmul(y, matrix), 1, rows, _QUESTION_HEADS, width // _QUESTION_HEADS)
        return graph.transpose(split, *axes)

    scores = graph.matmul(heads(query, 0, 2, 1, 3), heads(key, 0, 2, 3, 1))
    seen = graph.matmul(graph.add("Softmax", scores, axis=-1), heads(values, 0, 2, 1, 3))
    y = graph.reshape(graph.transpose(seen, 0, 2, 1, 3), *_QUESTION_ROWS)
    y = graph.minus(y, graph.reduce("ReduceMean", y, -1))
    return graph.model({"y": graph.cast(graph.matmul(y, out), "float32")})


def answer_of(model: Model) -> Array:
    """Output of a graph for sin(0), sin(1), sin(2) ..., computed by onnx's reference evaluator in numpy."""
    shape = model.inputs[0].shape
    x = np.sin(np.arange(math.prod(shape))).astype(np.float32).reshape(shape)
    (y,) = ReferenceEvaluator(onnx.load_from_string(serialise(model)), new_ops=[Gelu]).run(None, {"x": x})
    return np.asarray(y)


class Gelu(OpRun):
    """onnxruntime's own Gelu, which the reference evaluator lacks."""

    op_domain = CONTRIB

    def _run(self, x: Array, approximate: str = "none") -> tuple[Array]:
        assert approximate == "none"
        erf = np.vectorize(math.erf)
        return ((0.5 * x * (1 + erf(x / math.sqrt(2)))).astype(x.dtype),)


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
