"""Graphs built operation by operation: shapes that are kept are those of ONNX, and the results those of numpy."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from demixer.graphs.graph import CONTRIB, Graph, fits_half
from demixer.graphs.onnx_writer import Value, write_model

Array = npt.NDArray[Any]

RNG: Final = np.random.default_rng(0)
X: Final = RNG.standard_normal((1, 4, 6, 8), dtype=np.float32)
OPSETS: Final = pytest.mark.parametrize("opset", [17, 20])


def serialised(graph: Graph, outputs: dict[str, Value]) -> bytes:
    """The graph, once ONNX's own shape inference has agreed with the shapes that were kept."""
    sink = BytesIO()
    write_model(graph.model(outputs), sink)
    model = onnx.load_from_string(sink.getvalue())
    onnx.checker.check_model(model, full_check=True)
    return sink.getvalue()


def run(graph: Graph, outputs: dict[str, Value], **inputs: Array) -> list[Array]:
    session = onnxruntime.InferenceSession(serialised(graph, outputs), providers=["CPUExecutionProvider"])
    found = session.run(list(outputs), inputs)
    for array, value in zip(found, outputs.values(), strict=True):
        assert array.shape == value.shape
        assert array.dtype == value.dtype
    return list(found)


Operation = Callable[[Graph, Value], Value]

OPERATIONS: Final[dict[str, tuple[Operation, Array]]] = {
    "plus": (lambda g, x: g.plus(x, g.scalar(2.5)), X + np.float32(2.5)),
    "minus": (lambda g, x: g.minus(x, x), X - X),
    "times": (lambda g, x: g.times(x, g.constant(X[:, :1], "w")), X * X[:, :1]),
    "over": (lambda g, x: g.over(x, g.scalar(4)), X / 4),
    "reshape": (lambda g, x: g.reshape(x, 24, 8), X.reshape(24, 8)),
    "transpose": (lambda g, x: g.transpose(x, 0, 2, 3, 1), X.transpose(0, 2, 3, 1)),
    "concat": (lambda g, x: g.concat(x, x, axis=2), np.concatenate([X, X], 2)),
    "split": (lambda g, x: g.split(x, 3, axis=2)[1], X[:, :, 2:4]),
    "slice": (lambda g, x: g.slice(x, 1, 5, axis=3), X[..., 1:5]),
    "slice from the end": (lambda g, x: g.slice(x, 1, 5, axis=-1), X[..., 1:5]),
    "expand": (lambda g, x: g.expand(x, 3, 4, 6, 8), np.broadcast_to(X, (3, 4, 6, 8))),
    "sum": (lambda g, x: g.reduce("ReduceSum", x, 1, 3), X.sum((1, 3), keepdims=True)),
    "mean": (lambda g, x: g.reduce("ReduceMean", x, -1), X.mean(-1, keepdims=True)),
    "relu": (lambda g, x: g.add("Relu", x), np.maximum(X, 0)),
    "matmul": (lambda g, x: g.matmul(x, g.constant(X[0, 0].T, "w")), X @ X[0, 0].T),
    "gemm": (
        lambda g, x: g.gemm(g.reshape(x, 24, 8), g.constant(X[0, 0], "w"), g.scalar(1), trans_b=True),
        X.reshape(24, 8) @ X[0, 0].T + 1,
    ),
    "pointwise convolution": (
        lambda g, x: g.conv(x, g.constant(X[0, :3, :4, :1, None], "w")),
        np.einsum("bchw,oc->bohw", X, X[0, :3, :4, 0]),
    ),
    "optional inputs": (lambda g, x: g.add("Clip", x, None, g.scalar(0)), np.minimum(X, 0)),
    "cast": (lambda g, x: g.cast(x, "float16"), X.astype(np.float16)),
}


@OPSETS
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str, opset: int) -> None:
    operation, expected = OPERATIONS[name]
    graph = Graph("operation", opset=opset)
    (found,) = run(graph, {"y": operation(graph, graph.input("x", X.shape))}, x=X)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
@pytest.mark.parametrize("pads", [(0, 0, 0, 0), (1, 2, 3, 4)])
def test_shapes_of_convolutions(stride: tuple[int, int], dilation: tuple[int, int], pads: tuple[int, ...]) -> None:
    graph = Graph("convolution")
    x = graph.input("x", X.shape)
    weight, bias = graph.constant(RNG.standard_normal((5, 4, 3, 2)), "w"), graph.constant(np.ones(5), "b")
    down = graph.conv(x, weight, bias, stride=stride, dilation=dilation, pads=pads)
    up = graph.conv_transpose(down, weight, stride=stride, pads=(1, 0, 0, 1))
    run(graph, {"down": down, "up": up}, x=X)


def test_convolutions_of_one_axis() -> None:
    graph = Graph("convolution")
    x = graph.input("x", (2, 4, 48))
    weight = graph.constant(RNG.standard_normal((5, 4, 3)), "w")
    run(graph, {"y": graph.conv(x, weight, stride=(2,), pads=(1, 1))}, x=X.reshape(1, 4, 48).repeat(2, 0))
    assert graph.flop == 2 * 2 * 5 * 4 * 3 * 24


@pytest.mark.parametrize(
    "wrong",
    [
        lambda g, x: g.reshape(x, 5, 5),
        lambda g, x: g.plus(x, g.cast(x, "float16")),
        lambda g, x: g.plus(x, g.constant(np.ones(3), "w")),
        lambda g, x: g.matmul(x, g.constant(np.ones((3, 3)), "w")),
        lambda g, x: g.gemm(g.reshape(x, 24, 8), g.constant(np.ones((3, 3)), "w"), g.scalar(0)),
        lambda g, x: g.split(x, 5, axis=1),
        lambda g, x: g.slice(x, 3, 9, axis=3),
        lambda g, x: g.conv(x, g.constant(np.ones((1, 3, 1, 1)), "w")),
        lambda g, x: g.conv_transpose(x, g.constant(np.ones((3, 1, 1, 1)), "w")),
        lambda g, x: g.concat(x, g.constant(np.ones((1, 4, 6, 7)), "w"), axis=1),
    ],
)
def test_mistakes_show_when_the_graph_is_built(wrong: Operation) -> None:
    graph = Graph("wrong")
    with pytest.raises(ValueError, match=r"."):
        wrong(graph, graph.input("x", X.shape))


def test_names_tell_the_scope_and_are_unique() -> None:
    graph = Graph("names")
    x = graph.input("x", (1,))
    with graph.scope("encoder"), graph.scope("layer.0"):
        first, second = graph.add("Relu", x), graph.add("Relu", x)
    assert [first.name, second.name] == ["encoder/layer.0/Relu", "encoder/layer.0/Relu_2"]
    assert graph.add("Relu", x).name == "Relu"


def test_weights_that_float16_holds_are_stored_so_and_computed_in_float32() -> None:
    exact = RNG.standard_normal(1000).astype(np.float16).astype(np.float32)
    graph = Graph("stored")
    x = graph.input("x", (1000,))
    outputs = {"y": graph.plus(x, graph.constant(exact, "exact")), "z": graph.plus(x, graph.constant(exact / 3, "w"))}
    stored = {t.name: t.data_type for t in onnx.load_from_string(serialised(graph, outputs)).graph.initializer}
    assert stored == {"exact.fp16": onnx.TensorProto.FLOAT16, "w": onnx.TensorProto.FLOAT}
    found, _ = run(graph, outputs, x=np.zeros(1000, np.float32))
    np.testing.assert_array_equal(found, exact)


def test_the_runtime_folds_the_casts(tmp_path: Path) -> None:
    graph = Graph("folded")
    x = graph.input("x", (1000,))
    outputs = {"y": graph.plus(x, graph.constant(np.ones(1000), "w"))}
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(serialised(graph, outputs), options, ["CPUExecutionProvider"])
    assert {node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node} == {"Add"}


@pytest.mark.parametrize(
    ("scale", "fits"), [(1.0, True), (1e3, True), (1e5, False), (1e-3, True), (1e-7, False), (0.0, True)]
)
def test_weights_are_rounded_to_float16_where_its_range_suffices(scale: float, fits: bool) -> None:
    weights = (RNG.standard_normal(1000) * scale).astype(np.float32)
    assert fits_half(weights) is fits
    graph = Graph("rounded")
    x = graph.input("x", (1000,))
    outputs = {"y": graph.plus(x, graph.constant(weights, "w", half=True))}
    (stored,) = onnx.load_from_string(serialised(graph, outputs)).graph.initializer
    assert stored.data_type == (onnx.TensorProto.FLOAT16 if fits else onnx.TensorProto.FLOAT)
    (found,) = run(graph, outputs, x=np.zeros(1000, np.float32))
    np.testing.assert_array_equal(found, weights.astype(np.float16 if fits else np.float32))


def test_a_single_overflow_keeps_weights_in_float32() -> None:
    weights = np.ones(1000, np.float32)
    weights[3] = 7e4
    assert not fits_half(weights)


def test_tiny_values_among_large_ones_do_no_harm() -> None:
    weights = np.ones(1000, np.float32)
    weights[::2] = 1e-9
    assert fits_half(weights)


def test_a_graph_in_float16_with_a_part_in_float32() -> None:
    graph = Graph("half", dtype="float16")
    x = graph.narrow(graph.input("x", (3,)))
    with graph.computing_in("float32"):
        wide = graph.times(graph.cast(x, "float32"), graph.scalar(1e6))
        wide = graph.over(wide, graph.scalar(1e6))
    y = graph.times(graph.narrow(wide), graph.constant(np.array([1, 2, 3]) / 2, "w"))
    (found,) = run(graph, {"y": graph.cast(y, "float32")}, x=np.array([1, 2, 4], np.float32))
    np.testing.assert_allclose(found, [0.5, 2, 6], rtol=1e-3)


def test_operators_of_the_runtime_import_their_domain() -> None:
    graph = Graph("contrib", opset=17)
    x = graph.input("x", (3,))
    (found,) = run_unchecked(graph, {"y": graph.add("Gelu", x, domain=CONTRIB)}, np.zeros(3, np.float32))
    np.testing.assert_array_equal(found, np.zeros(3))


def run_unchecked(graph: Graph, outputs: dict[str, Value], x: Array) -> list[Array]:
    """Without ONNX's checker, which does not know the operators of onnxruntime."""
    sink = BytesIO()
    write_model(graph.model(outputs), sink)
    session = onnxruntime.InferenceSession(sink.getvalue(), providers=["CPUExecutionProvider"])
    return list(session.run(list(outputs), {"x": x}))


def test_an_input_can_be_an_output_and_a_value_two() -> None:
    graph = Graph("same")
    x = graph.input("x", (3,))
    y = graph.add("Neg", x)
    z = graph.add("Neg", y)
    found = run(graph, {"x.same": x, "a": y, "b": y, "z": z}, x=np.ones(3, np.float32))
    np.testing.assert_array_equal(found, [[1, 1, 1], [-1, -1, -1], [-1, -1, -1], [1, 1, 1]])


def test_constants_are_copied() -> None:
    weight = np.ones(3, np.float32)
    graph = Graph("copied")
    x = graph.input("x", (3,))
    y = graph.plus(x, graph.constant(weight, "w"))
    weight[:] = 5
    (found,) = run(graph, {"y": y}, x=np.zeros(3, np.float32))
    np.testing.assert_array_equal(found, np.ones(3))
