"""The benchmark's own arithmetic and tables; nothing here depends on a clock."""

from __future__ import annotations

import asyncio
import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from demixer.families.htdemucs import SEGMENT, HTDemucs
from demixer.runtimes.native import NativeSession
from demixer_build.bench import graphs, memory, plot, tables
from demixer_build.bench.graphs import gflop
from demixer_build.bench.report import Peer, Rates, Report, Side, Spread, Variant, Visit, as_json
from demixer_build.bench.timing import interleave, ratio, spread

SIDE = Side(2.0, 0.95, 0.05, 1.25, 1300.0, Spread(0.75, 0.7, 0.8), 1.2)
REPORT = Report(
    machine={"processor": "a fast one"},
    quick=False,
    browser=Rates(30.0, 21.0),
    native=Rates(100.0, None),
    models={
        "htdemucs": {
            "default": Variant(54_000_000, 47_000_000, 292.0, SIDE, SIDE),
            "fp32": Variant(1, 1, 336.0, None, None),
        },
        "hpss": {"default": Variant(0, 0, None, replace(SIDE, stock_ratio=None, limit_ratio=None), None)},
    },
    first_visit=[Visit("usable page", 30, 250_000, 0.5)],
    peers=[Peer("other", 7.0, 3400.0, Spread(0.3, 0.2, 0.4))],
    left_out=["one thing: for a reason"],
)


def graph(
    nodes: list[onnx.NodeProto], x: tuple[int | str, ...], weights: dict[str, npt.NDArray[np.float32]]
) -> onnx.ModelProto:
    takes = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)]
    gives = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    constants = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    return helper.make_model(helper.make_graph(nodes, "g", takes, gives, constants))


def weight(*shape: int) -> npt.NDArray[np.float32]:
    return np.ones(shape, np.float32)


@pytest.mark.parametrize(
    ("operator", "x", "shape", "attributes", "multiply_adds"),
    [
        ("MatMul", (5, 7), (7, 3), {}, 5 * 7 * 3),
        ("MatMul", (2, 5, 7), (7, 3), {}, 2 * 5 * 7 * 3),
        ("Gemm", (7, 5), (7, 3), {"transA": 1}, 5 * 7 * 3),
        ("Gemm", (5, 7), (3, 7), {"transB": 1}, 5 * 7 * 3),
        ("Conv", (1, 4, 10, 10), (6, 4, 3, 3), {}, 6 * 4 * 9 * 8 * 8),
        ("Conv", (1, 4, 10, 10), (4, 1, 3, 3), {"group": 4}, 4 * 9 * 8 * 8),
        ("ConvTranspose", (1, 4, 5, 5), (4, 6, 2, 2), {"strides": [2, 2]}, 4 * 6 * 4 * 5 * 5),
    ],
)
def test_operations_are_counted(
    operator: str, x: tuple[int, ...], shape: tuple[int, ...], attributes: dict[str, Any], multiply_adds: int
) -> None:
    node = helper.make_node(operator, ["x", "w"], ["y"], **attributes)
    assert gflop(graph([node], x, {"w": weight(*shape)})) == pytest.approx(2e-9 * multiply_adds)


def test_other_operators_cost_nothing() -> None:
    assert gflop(graph([helper.make_node("Relu", ["x"], ["y"])], (9, 9), {})) == 0


def test_metadata_of_a_graph_state_its_work() -> None:
    model = graph([helper.make_node("Relu", ["x"], ["y"])], (9, 9), {})
    helper.set_model_props(model, {"gflop": "12.5"})
    assert gflop(model) == 12.5


def test_what_cannot_be_counted_is_said() -> None:
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    with pytest.raises(ValueError, match="shape of x"):
        gflop(graph([product], ("frames", 7), {"w": weight(7, 3)}))


def test_everything_takes_its_turn_and_the_first_round_is_dropped() -> None:
    calls: list[str] = []

    def run(name: str) -> float:
        calls.append(name)
        return float(len(calls))

    seconds = interleave({"a": lambda: run("a"), "b": lambda: run("b")}, rounds=2)
    assert calls == ["a", "b"] * 3
    assert seconds == {"a": [3, 5], "b": [4, 6]}


def test_ratios_are_of_the_same_round() -> None:
    assert ratio([1, 9, 4], [2, 10, 2]) == Spread(median=0.9, min=0.5, max=2)
    assert spread([3.0, 1.0]) == Spread(2, 1, 3)


def test_products_are_known_work() -> None:
    assert gflop(graphs.matmul()) == pytest.approx(2e-9 * graphs.PRODUCTS * graphs.SIZE**3)


def test_the_idle_model_has_the_shapes_and_shares_the_mixture(tmp_path: Path) -> None:
    onnx.save(graphs.idle(), tmp_path / "idle.onnx")
    assert graphs.shapes(graphs.idle()) == {"mixture": graphs.MIXTURE, "spectrogram": graphs.SPECTROGRAM}
    mixture = np.random.default_rng(0).standard_normal((2, SEGMENT), np.float32)
    stems = asyncio.run(HTDemucs(NativeSession(tmp_path / "idle.onnx")).separate(mixture))
    inner = slice(4096, -4096)  # the outermost frames are dropped
    np.testing.assert_allclose(stems.sum(axis=0)[:, inner], mixture[:, inner], atol=0.05)


def test_the_json_is_plain_and_keeps_its_names() -> None:
    plain = json.loads(json.dumps(as_json(REPORT)))
    assert plain["schema"] == 1
    assert plain.keys() == {
        *("machine", "quick", "browser", "native", "models", "first_visit", "peers", "left_out", "schema")
    }
    variant = plain["models"]["htdemucs"]["default"]
    assert variant.keys() == {"bytes", "compressed_bytes", "gflop", "browser", "native"}
    assert variant["browser"].keys() == {
        *("seconds_per_second", "model_share", "python_share", "create_seconds", "peak_mb"),
        *("stock_ratio", "limit_ratio"),
    }
    assert variant["browser"]["stock_ratio"] == {"median": 0.75, "min": 0.7, "max": 0.8}
    assert plain["models"]["htdemucs"]["fp32"]["browser"] is None
    assert plain["first_visit"] == [{"until": "usable page", "requests": 30, "bytes": 250_000, "seconds": 0.5}]


def test_no_digit_is_invented() -> None:
    assert as_json(replace(REPORT, browser=Rates(31.41592653, None)))["browser"]["gflops"] == 31.42


def test_tables_have_a_text_for_every_heading() -> None:
    sheets = list(tables.sheets(REPORT))
    for sheet in sheets:
        assert {len(row) for row in sheet.rows} == {len(sheet.headings)}
        assert all(isinstance(text, str) for row in sheet.rows for text in row)
    assert ("htdemucs default", "54.0 MB", "47.0 MB", "292.0") in tables.sizes(REPORT).rows
    assert [row[:2] for row in tables.speed(REPORT).rows] == [
        ("htdemucs default", "browser"),
        ("htdemucs default", "native"),
        ("hpss default", "browser"),
    ]


def test_what_has_nothing_to_say_is_no_table() -> None:
    titles = [sheet.title for sheet in tables.sheets(replace(REPORT, peers=[], left_out=[]))]
    assert "Peers" not in titles
    assert "Left out" not in titles


def test_a_spread_is_read_as_median_and_extremes() -> None:
    assert tables.spread_text(Spread(0.75, 0.7, 0.8)) == "0.75 (0.70-0.80)"
    assert tables.spread_text(None) == ""


def test_the_plot_has_a_bar_for_each_ratio() -> None:
    drawn = plot.ratios(REPORT)
    assert set(drawn) == {"htdemucs, default, browser", "htdemucs, default, native", "to other"}
    root = ElementTree.fromstring(plot.chart(drawn, "Ratios <of time>"))
    bars = root.findall("{*}rect")
    assert [float(bar.get("width", "nan")) for bar in bars] == sorted(
        (float(bar.get("width", "nan")) for bar in bars), reverse=True
    )
    assert math.isclose(
        float(bars[0].get("width", "nan")) / float(bars[2].get("width", "nan")), 0.75 / 0.3, rel_tol=0.01
    )


def test_peak_memory_includes_the_last_moment() -> None:
    us = psutil.Process(os.getpid())
    with memory.Peak(lambda: [us, us]) as peak:
        pass
    assert peak.bytes >= memory.resident(us)
    assert 0 < memory.proportional(us) <= 2 * memory.resident(us)
