"""The tiny graphs: small, reproducible, and right in their answers."""

from __future__ import annotations

import asyncio
import json
import runpy
from pathlib import Path

import numpy as np
import onnx
import pytest

from demixer.families.spleeter import Spleeter
from demixer.runtimes.native import NativeSession
from demixer_build.paths import MODELS, WEB

MAKE = runpy.run_path(str(MODELS / "testing" / "make.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("testing")
    MAKE["write"](folder)
    return folder


def test_probe_gives_its_input_back(folder: Path) -> None:
    x = np.random.default_rng(1).standard_normal(MAKE["PROBE_SHAPE"], dtype=np.float32)
    y = asyncio.run(NativeSession(folder / "probe.onnx").run({"x": x}))["y"]
    np.testing.assert_allclose(y, x, rtol=0, atol=1e-4)


def test_probe_does_the_work_that_it_is_said_to_do(folder: Path) -> None:
    model = onnx.shape_inference.infer_shapes(onnx.load(folder / "probe.onnx"))
    rows, size = MAKE["PROBE_SHAPE"]
    products = [node for node in model.graph.node if node.op_type == "MatMul"]
    assert MAKE["PROBE_FLOPS"] == len(products) * 2 * rows * size * size
    assert (folder / "probe.onnx").stat().st_size < 1_000_000


def test_the_engine_knows_the_probe() -> None:
    rows, size = MAKE["PROBE_SHAPE"]
    known = f"rows: {rows}, size: {size}, products: {MAKE['PROBE_PRODUCTS']} "
    assert known in (WEB / "engine" / "devices" / "self-test.js").read_text(encoding="utf-8")


def test_echo_gives_known_parts_of_the_mixture(folder: Path) -> None:
    mixture = 0.1 * np.random.default_rng(2).standard_normal((2, Spleeter.segment), dtype=np.float32)
    stems = asyncio.run(Spleeter(NativeSession(folder / "echo.onnx")).separate(mixture))
    for stem, gain in zip(stems, MAKE["ECHO_GAINS"], strict=True):
        np.testing.assert_allclose(stem, gain * mixture, rtol=0, atol=2e-6)


@pytest.mark.parametrize(("name", "tolerance"), [("question", 1e-4), ("question-fp16", 2e-2)])
def test_the_question_has_its_answer(folder: Path, name: str, tolerance: float) -> None:
    shape = MAKE["QUESTION_SHAPE"]
    x = np.sin(np.arange(np.prod(shape))).astype(np.float32).reshape(shape)
    y = asyncio.run(NativeSession(folder / f"{name}.onnx").run({"x": x}))["y"]
    answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    np.testing.assert_allclose(y.ravel(), answer, rtol=0, atol=tolerance)
    assert np.std(answer) > 1  # far from what a device that is broken gives


def test_the_question_asks_for_what_the_models_are_made_of(folder: Path) -> None:
    kinds = {node.op_type for node in onnx.load(folder / "question.onnx").graph.node}
    assert {"Conv", "ConvTranspose", "InstanceNormalization", "LayerNormalization", "MatMul"} <= kinds
    assert {"Softmax", "Gelu", "Sigmoid", "LeakyRelu", "Relu"} <= kinds


def test_the_layers_are_of_real_size_in_a_small_file(folder: Path) -> None:
    path = folder / "layers.onnx"
    assert path.stat().st_size < 300_000
    x = np.random.default_rng(5).standard_normal(MAKE["LAYERS_SHAPE"], dtype=np.float32)
    y = asyncio.run(NativeSession(path).run({"x": x}))["y"]
    assert np.isfinite(y).all()
    assert np.std(y) > 0.01


@pytest.mark.parametrize(("script", "constant"), [("self-test.js", "QUESTION_SHAPE"), ("benchmark.js", "LAYERS_SHAPE")])
def test_the_engine_knows_the_inputs(script: str, constant: str) -> None:
    known = f"const {constant} = {list(MAKE[constant])};"
    assert known in (WEB / "engine" / "devices" / script).read_text(encoding="utf-8")


def test_graphs_are_the_same_bytes_every_time(folder: Path, tmp_path: Path) -> None:
    MAKE["write"](tmp_path)
    names = {path.name for path in folder.iterdir()}
    assert names == {"probe.onnx", "echo.onnx", "layers.onnx", "question.onnx", "question-fp16.onnx", "answer.json"}
    for name in names:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
