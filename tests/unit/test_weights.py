"""Weights stored as float16: what changes and what must not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from demixer_build.weights import LARGE, check, fits_fp16, load_weights, save, store_fp16

SIZE = 32


def graph(weights: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> onnx.ModelProto:
    """`y = x @ weights + bias`."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["xw"]), helper.make_node("Add", ["xw", "b"], ["y"])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, SIZE]) for name in "xy")
    tensors = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")]
    model = helper.make_model(
        helper.make_graph(nodes, "linear", [x], [y], tensors), opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 8
    return model


@pytest.fixture
def linear() -> onnx.ModelProto:
    rng = np.random.default_rng(1)
    return graph(
        rng.standard_normal((SIZE, SIZE), dtype=np.float32),
        rng.standard_normal(SIZE, dtype=np.float32),
    )


def types(model: onnx.ModelProto) -> dict[str, int]:
    return {tensor.name: tensor.data_type for tensor in model.graph.initializer}


def run(model: onnx.ModelProto, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": x})
    assert isinstance(y, np.ndarray)
    return y


def test_stores_large_tensors_as_fp16_and_small_ones_as_they_are(linear: onnx.ModelProto) -> None:
    before = linear.SerializeToString(deterministic=True)
    stored = store_fp16(linear)
    assert types(stored) == {"w.fp16": TensorProto.FLOAT16, "b": TensorProto.FLOAT}
    assert linear.SerializeToString(deterministic=True) == before, "the input was modified"
    check(stored, linear)


def test_computes_in_fp32_with_the_rounded_weights(linear: onnx.ModelProto) -> None:
    stored = store_fp16(linear)
    x = np.random.default_rng(2).standard_normal((1, SIZE), dtype=np.float32)
    weights = load_weights(stored)
    assert weights["w"].dtype == np.float32
    np.testing.assert_allclose(run(stored, x), x @ weights["w"] + weights["b"], rtol=0, atol=1e-5)


def test_the_runtime_folds_the_casts(linear: onnx.ModelProto, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(store_fp16(linear).SerializeToString(), options, ["CPUExecutionProvider"])
    optimised = onnx.load(tmp_path / "optimised.onnx")
    assert "Cast" not in {node.op_type for node in optimised.graph.node}


@pytest.mark.parametrize(
    ("scale", "fits"), [(1.0, True), (1e3, True), (1e5, False), (1e-3, True), (1e-7, False), (0.0, True)]
)
def test_keeps_fp32_what_fp16_cannot_hold(linear: onnx.ModelProto, scale: float, fits: bool) -> None:
    weights = load_weights(linear)["w"] * np.float32(scale)
    assert fits_fp16(weights) is fits
    model = graph(weights, np.zeros(SIZE, np.float32))
    stored = store_fp16(model)
    assert types(stored)["w.fp16" if fits else "w"] == (TensorProto.FLOAT16 if fits else TensorProto.FLOAT)
    check(stored, model)


def test_a_single_overflow_keeps_the_tensor_fp32(linear: onnx.ModelProto) -> None:
    weights = load_weights(linear)["w"].copy()
    weights[3, 4] = 7e4
    assert not fits_fp16(weights)


def test_tiny_values_among_large_ones_do_no_harm() -> None:
    weights = np.ones(LARGE, np.float32)
    weights[::2] = 1e-9
    assert fits_fp16(weights)


def test_an_initialiser_that_is_also_an_input_is_left_alone(linear: onnx.ModelProto) -> None:
    linear.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [SIZE, SIZE]))
    assert types(store_fp16(linear)) == types(linear)


def test_check_finds_a_changed_and_a_missing_weight(linear: onnx.ModelProto) -> None:
    stored = store_fp16(linear)
    other = graph(load_weights(linear)["w"] * np.float32(1.01), load_weights(linear)["b"])
    with pytest.raises(ValueError, match="weight w differs"):
        check(stored, other)
    del stored.graph.initializer[1]
    stored.graph.initializer.append(numpy_helper.from_array(np.zeros(SIZE, np.float32), "c"))
    stored.graph.node[-1].input[1] = "c"
    with pytest.raises(ValueError, match="weight b is missing"):
        check(stored, linear)


def test_saves_the_same_bytes_every_time(linear: onnx.ModelProto, tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(store_fp16(linear), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
