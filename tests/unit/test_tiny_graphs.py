"""The probe and the echo: small, the same every time, and with the answers that they promise."""

from __future__ import annotations

import asyncio
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
    assert known in (WEB / "engine" / "probe.js").read_text(encoding="utf-8")


def test_echo_gives_known_parts_of_the_mixture(folder: Path) -> None:
    mixture = 0.1 * np.random.default_rng(2).standard_normal((2, Spleeter.segment), dtype=np.float32)
    stems = asyncio.run(Spleeter(NativeSession(folder / "echo.onnx")).separate(mixture))
    for stem, gain in zip(stems, MAKE["ECHO_GAINS"], strict=True):
        np.testing.assert_allclose(stem, gain * mixture, rtol=0, atol=2e-6)


def test_graphs_are_the_same_bytes_every_time(folder: Path, tmp_path: Path) -> None:
    MAKE["write"](tmp_path)
    for name in ("probe.onnx", "echo.onnx"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
