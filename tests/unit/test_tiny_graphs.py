"""The tiny graphs: small, reproducible, and right in their answers."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from demixer.families.spleeter import Spleeter
from demixer.graphs.graph import EXACT
from demixer.models import Precision, read_manifest
from demixer.runtimes.native import NativeSession
from demixer_build.paths import DIST, MODELS, WEB

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


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("default", 1e-2), ("fp16", 1e-2)])
def test_the_question_has_its_answer(folder: Path, precision: str, tolerance: float) -> None:
    y = asyncio.run(NativeSession(folder / f"question-{precision}.onnx").run({"x": question_input()}))["y"]
    np.testing.assert_allclose(y.ravel(), answer(folder), rtol=0, atol=tolerance)
    assert np.std(answer(folder)) > 1  # far from what a device that is broken gives


@pytest.mark.skipif(not (DIST / "models" / "manifest.json").exists(), reason="dist/ is not built")
@pytest.mark.parametrize("precision", get_args(Precision))
def test_the_question_asks_for_all_that_the_models_are_made_of(folder: Path, precision: Precision) -> None:
    """In every type; and beyond the integers of float16, where a model goes there."""
    asked = Operators(onnx.load(folder / f"question-{precision}.onnx"))
    for path in computed_in(precision):
        for operator, (is_long, dtypes) in Operators(onnx.load(path)).found.items():
            assert operator in asked.found, (path.name, operator)
            asked_long, asked_dtypes = asked.found[operator]
            assert dtypes <= asked_dtypes, (path.name, operator)
            assert is_long <= asked_long, (path.name, operator)


def computed_in(precision: Precision) -> Iterator[Path]:
    """The graphs of the built models that the question of a precision stands for.

    A model without graphs for GPUs runs its default there too.
    """
    manifest = json.loads((DIST / "models" / "manifest.json").read_text(encoding="utf-8"))
    for model in read_manifest(manifest).values():
        names = [precision, *(["default"] if precision == "fp32" and not model.gpu else [])]
        for name in names:
            yield from (DIST / "models" / artifact.path for artifact in model.artifacts.get(name, ()))


class Operators:
    """The operators of a graph: the element types of their outputs that are long, and of all.

    Shapes are unknown behind operators of onnxruntime alone; what depends on constants is computed when a graph is
    loaded.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        inferred = onnx.shape_inference.infer_shapes(model).graph
        types = {value.name: value.type.tensor_type for value in (*inferred.value_info, *inferred.output)}
        live = {value.name for value in inferred.input}
        self.found: dict[str, tuple[set[int], set[int]]] = {}
        for node in inferred.node:
            long, dtypes = self.found.setdefault(f"{node.domain}:{node.op_type}", (set(), set()))
            type_ = types.get(node.output[0])
            if type_ is not None:
                dtypes.add(type_.elem_type)
            if live.isdisjoint(node.input):
                continue
            live.update(node.output)
            if type_ is not None and any(size.dim_value > EXACT for size in type_.shape.dim):
                long.add(type_.elem_type)


def test_a_runtime_that_counts_in_float16_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime-web 1.30 computes the positions of a transposed convolution in the type of its tensor."""
    mended = evaluate_counting(onnx.load(folder / "question-fp16.onnx"))
    assert np.abs(mended - answer(folder)).max() < tolerance_of("fp16") / 5

    monkeypatch.setattr("demixer.graphs.graph.EXACT", np.inf)
    unmended = evaluate_counting(onnx.load_from_string(MAKE["serialise"](MAKE["question"]("fp16"))))
    assert np.abs(unmended - answer(folder)).max() > 5 * tolerance_of("fp16")


class ConvTranspose(OpRun):
    """Computes the positions of its samples in the type of its input; the evaluator knows it by its name."""

    op_domain = ""

    def _run(
        self, x: Any, w: Any, b: Any, kernel_shape: Any = None, pads: Any = None, strides: Any = None, **_: Any
    ) -> Any:
        rows, columns = (
            positions(x.shape[2 + n], kernel_shape[n], strides[n], pads[n], pads[2 + n], x.dtype) for n in (0, 1)
        )
        y = np.zeros((1, w.shape[1], rows.shape[1], columns.shape[1]))
        padded = np.pad(x[0].astype(np.float64), [(0, 0), (0, 1), (0, 1)])  # index -1 is nothing
        for r in range(kernel_shape[0]):
            for c in range(kernel_shape[1]):
                y[0] += np.einsum("io,irc->orc", w[:, :, r, c].astype(np.float64), padded[:, rows[r]][:, :, columns[c]])
        return ((y + b.reshape(1, -1, 1, 1)).astype(x.dtype),)


def positions(size: int, taps: int, stride: int, before: int, after: int, dtype: Any) -> Any:
    """The input sample that each tap [shape=(taps, outputs)] sees, or -1."""
    corner = np.arange((size - 1) * stride + taps - before - after) - (taps - 1 - before)
    # A tap and the kernel's mirrored one see the same sample.
    at = (corner.astype(dtype) + np.arange(taps)[::-1, None].astype(dtype)) / np.asarray(stride, dtype)
    return np.where((at >= 0) & (at < size) & (at % 1 == 0), at, -1).astype(int)


def evaluate_counting(model: onnx.ModelProto) -> Any:
    """Output of a question on a runtime that counts in the type of its tensors."""
    (y,) = ReferenceEvaluator(model, new_ops=[ConvTranspose]).run(None, {"x": question_input()})
    return np.ravel(y)


def question_input() -> Any:
    shape = MAKE["QUESTION_SHAPE"]
    return np.sin(np.arange(np.prod(shape))).astype(np.float32).reshape(shape)


def answer(folder: Path) -> Any:
    return np.array(json.loads((folder / "answer.json").read_text(encoding="utf-8")))


def tolerance_of(precision: Precision) -> float:
    """The largest error that the engine accepts."""
    script = (WEB / "engine" / "devices" / "self-test.js").read_text(encoding="utf-8")
    found = re.search(rf"TOLERANCES = .*\b{precision}: ([\d.e-]+)", script)
    assert found
    return float(found[1])


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
    questions = {f"question-{precision}.onnx" for precision in get_args(Precision)}
    assert names == {"probe.onnx", "echo.onnx", "layers.onnx", "answer.json"} | questions
    for name in names:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
