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
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from demixer.families.spleeter import BINS, FRAMES
from demixer_build.weights import save, store_fp16

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

_CONTRIB: Final = "com.microsoft"

Array = npt.NDArray[Any]
Constants = dict[str, Array]


def write(folder: Path) -> None:
    """Write every graph and the question's answer, with the same bytes every time."""
    save(store_fp16(probe()), folder / "probe.onnx")
    save(store_fp16(echo()), folder / "echo.onnx")
    save(layers(), folder / "layers.onnx")
    save(question(), folder / "question.onnx")
    save(question(np.float16), folder / "question-fp16.onnx")
    answer = [float(f"{value:.5g}") for value in answer_of(question()).ravel()]
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def probe() -> onnx.ModelProto:
    """A chain of matrix products with `y = x`: 2.1 GFLOP on 1 MB of input, well under a second of work."""
    names = ["x", *(f"product{index}" for index in range(1, PROBE_PRODUCTS)), "y"]
    products = [helper.make_node("MatMul", [before, "hadamard"], [after]) for before, after in pairwise(names)]
    return _model("probe", products, ("x", PROBE_SHAPE), ("y", PROBE_SHAPE), {"hadamard": hadamard(PROBE_SHAPE[1])})


def echo() -> onnx.ModelProto:
    """A graph with Spleeter's inputs and outputs whose stems are the mixture times `ECHO_GAINS`.

    The share is `gain * (transformed twice + 1) / (magnitude + 1)`, so that a device that gets the products wrong,
    or returns zeros, produces wrong stems.
    """
    magnitude, blocks = (1, 2, FRAMES, BINS), (1, 2, FRAMES * BINS // _ECHO_BLOCK, _ECHO_BLOCK)
    nodes = [
        helper.make_node("Reshape", ["magnitude", "blocks"], ["blocked"]),
        helper.make_node("MatMul", ["blocked", "hadamard"], ["once"]),
        helper.make_node("MatMul", ["once", "hadamard"], ["twice"]),
        helper.make_node("Reshape", ["twice", "whole"], ["transformed"]),
        helper.make_node("Add", ["transformed", "one"], ["numerator"]),
        helper.make_node("Add", ["magnitude", "one"], ["denominator"]),
        helper.make_node("Div", ["numerator", "denominator"], ["unity"]),
        helper.make_node("Mul", ["unity", "shares"], ["share"]),
    ]
    constants: Constants = {
        "blocks": np.array(blocks, np.int64),
        "whole": np.array(magnitude, np.int64),
        "hadamard": hadamard(_ECHO_BLOCK),
        "one": np.array(1, np.float32),
        "shares": np.array(ECHO_SHARES, np.float32).reshape(-1, 1, 1, 1),
    }
    share = (len(ECHO_SHARES), *magnitude[1:])
    return _model("echo", nodes, ("magnitude", magnitude), ("share", share), constants)


def question(dtype: type[np.floating[Any]] = np.float32) -> onnx.ModelProto:
    """Every operator of the graphs for GPUs, computed in `dtype`; input and output are float32.

    Attention is written in products, as in those graphs: the operator of onnxruntime-web 1.30 is wrong on SwiftShader's
    WebGPU, and perhaps on other devices.
    """
    random = np.random.default_rng(3)

    def weights(*shape: int) -> Array:
        """Random weights that keep the magnitude of their input."""
        return (random.standard_normal(shape) / math.sqrt(math.prod(shape[1:]))).astype(dtype)

    rows, width = _QUESTION_ROWS[1:]
    constants: Constants = {
        "w.down": weights(8, 4, 3, 3),
        "w.dilated": weights(8, 8, 3, 3),
        "w.value": weights(8, 8, 1, 1),
        "w.gate": weights(8, 8, 1, 1),
        "w.up": weights(8, 4, 4, 3),
        "w.query": weights(width, width),
        "w.key": weights(width, width),
        "w.value2": weights(width, width),
        "w.out": weights(width, 8),
        "gain": np.linspace(0.5, 1.5, 8, dtype=dtype),
        "bias": np.linspace(-0.5, 0.5, 8, dtype=dtype),
        "row.gain": np.linspace(0.5, 1.5, width, dtype=dtype),
        "row.bias": np.linspace(-0.5, 0.5, width, dtype=dtype),
        "rows": np.array((1, rows, width), np.int64),
        "heads": np.array((1, rows, _QUESTION_HEADS, width // _QUESTION_HEADS), np.int64),
    }
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    nodes = [
        helper.make_node("Cast", ["x"], ["input"], to=kind),
        helper.make_node("Conv", ["input", "w.down"], ["down"], pads=[1, 1, 1, 1], strides=[2, 1]),
        helper.make_node("LeakyRelu", ["down"], ["leaky"], alpha=0.2),
        helper.make_node("Conv", ["leaky", "w.dilated"], ["dilated"], pads=[2, 2, 2, 2], dilations=[2, 2]),
        helper.make_node("InstanceNormalization", ["dilated", "gain", "bias"], ["normed"]),
        helper.make_node("Gelu", ["normed"], ["bent"], domain=_CONTRIB),
        helper.make_node("Conv", ["bent", "w.value"], ["value"]),
        helper.make_node("Conv", ["bent", "w.gate"], ["gate"]),
        helper.make_node("Sigmoid", ["gate"], ["open"]),
        helper.make_node("Mul", ["value", "open"], ["gated"]),
        helper.make_node("ConvTranspose", ["gated", "w.up"], ["up"], pads=[1, 1, 1, 1], strides=[2, 1]),
        helper.make_node("Relu", ["up"], ["positive"]),
        helper.make_node("Add", ["positive", "input"], ["sum"]),
        helper.make_node("Reshape", ["sum", "rows"], ["in.rows"]),
        helper.make_node("LayerNormalization", ["in.rows", "row.gain", "row.bias"], ["row.normed"], axis=-1),
        helper.make_node("MatMul", ["row.normed", "w.query"], ["query"]),
        helper.make_node("MatMul", ["row.normed", "w.key"], ["key"]),
        helper.make_node("MatMul", ["row.normed", "w.value2"], ["values"]),
        *(helper.make_node("Reshape", [x, "heads"], [f"{x}.split"]) for x in ("query", "key", "values")),
        helper.make_node("Transpose", ["query.split"], ["query.heads"], perm=[0, 2, 1, 3]),
        helper.make_node("Transpose", ["key.split"], ["key.heads"], perm=[0, 2, 3, 1]),
        helper.make_node("Transpose", ["values.split"], ["values.heads"], perm=[0, 2, 1, 3]),
        helper.make_node("MatMul", ["query.heads", "key.heads"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["shares"], axis=-1),
        helper.make_node("MatMul", ["shares", "values.heads"], ["seen.heads"]),
        helper.make_node("Transpose", ["seen.heads"], ["seen.split"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["seen.split", "rows"], ["seen"]),
        helper.make_node("ReduceMean", ["seen"], ["mean"], axes=[-1], keepdims=1),
        helper.make_node("Sub", ["seen", "mean"], ["centred"]),
        helper.make_node("MatMul", ["centred", "w.out"], ["output"]),
        helper.make_node("Cast", ["output"], ["y"], to=TensorProto.FLOAT),
    ]
    return _model("question", nodes, ("x", QUESTION_SHAPE), ("y", (1, rows, 8)), constants)


def answer_of(model: onnx.ModelProto) -> Array:
    """Output of a graph for sin(0), sin(1), sin(2) ..., computed by onnx's reference evaluator in numpy."""
    shape = [dimension.dim_value for dimension in model.graph.input[0].type.tensor_type.shape.dim]
    x = np.sin(np.arange(math.prod(shape))).astype(np.float32).reshape(shape)
    (y,) = ReferenceEvaluator(model, new_ops=[Gelu]).run(None, {"x": x})
    return np.asarray(y)


class Gelu(OpRun):
    """onnxruntime's own Gelu, which the reference evaluator lacks."""

    op_domain = _CONTRIB

    def _run(self, x: Array, approximate: str = "none") -> tuple[Array]:
        assert approximate == "none"
        erf = np.vectorize(math.erf)
        return ((0.5 * x * (1 + erf(x / math.sqrt(2)))).astype(x.dtype),)


def layers() -> onnx.ModelProto:
    """Parts of HT-Demucs in the proportions of its work: 3x3 convolution, attention, feed-forward; 7 GFLOP.

    The values do not matter, so the weights repeat one small tile, which keeps the file small.
    """
    random = np.random.default_rng(4)
    channels = LAYERS_SHAPE[1]
    inner = _ROWS[2]
    constants: Constants = {
        "conv": (random.standard_normal((2 * channels, channels, 3, 3)) / 21).astype(np.float32),
        "tile": (random.standard_normal((64, 64)) / 23).astype(np.float32),
        "widen": np.array([_WIDTH // 64, inner // 64], np.int64),
        "narrow": np.array([inner // 64, _WIDTH // 64], np.int64),
        "start": np.zeros(1, np.int64),
        "stop": np.array([math.prod(_ROWS[:2]) * _WIDTH], np.int64),
        "flat": np.array([-1], np.int64),
        "rows": np.array((*_ROWS[:2], _WIDTH), np.int64),
    }
    nodes = [
        helper.make_node("Tile", ["tile", "widen"], ["w.inner"]),
        helper.make_node("Tile", ["tile", "narrow"], ["w.outer"]),
        helper.make_node("Conv", ["x", "conv"], ["convolved"], pads=[1, 1, 1, 1]),
        helper.make_node("Reshape", ["convolved", "flat"], ["long"]),
        helper.make_node("Slice", ["long", "start", "stop"], ["piece"]),
        helper.make_node("Reshape", ["piece", "rows"], ["row"]),
        helper.make_node("MultiHeadAttention", ["row", "row", "row"], ["seen"], domain=_CONTRIB, num_heads=8),
        helper.make_node("MatMul", ["seen", "w.inner"], ["inner"]),
        helper.make_node("Gelu", ["inner"], ["bent"], domain=_CONTRIB),
        helper.make_node("MatMul", ["bent", "w.outer"], ["y"]),
    ]
    return _model("layers", nodes, ("x", LAYERS_SHAPE), ("y", (*_ROWS[:2], _WIDTH)), constants)


def hadamard(size: int) -> npt.NDArray[np.float32]:
    """Sylvester's Hadamard matrix, scaled to be its own inverse (exact in float16 when `size` is a power of four)."""
    matrix = np.ones((1, 1), np.float32)
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.float32(size**0.5)


def _model(
    name: str,
    nodes: list[onnx.NodeProto],
    given: tuple[str, tuple[int, ...]],
    gives: tuple[str, tuple[int, ...]],
    constants: Constants,
) -> onnx.ModelProto:
    inputs, outputs = (
        [helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape)] for tensor, shape in (given, gives)
    )
    initialisers = [numpy_helper.from_array(array, tensor) for tensor, array in constants.items()]
    graph = helper.make_graph(nodes, name, inputs, outputs, initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(_CONTRIB, 1)])
    model.ir_version = 8
    return model


if __name__ == "__main__":
    write(Path(sys.argv[1]))
