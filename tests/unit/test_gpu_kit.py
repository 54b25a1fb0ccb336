"""The parts of the GPU's kit (`tests/gpu`) that need no GPU: its pieces, its table, and what it asks a server for."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import numpy as np

from demixer.graphs.htdemucs.forms import FORMS
from demixer.graphs.htdemucs.network import build
from tests.gpu import report
from tests.gpu.pack import pack
from tests.gpu.serving import find, served
from tests.gpu.unpack import unpack
from tests.parity.songs import snr
from tests.reduced import feeds, natively, reduced

PROGRAMS: Final = [
    {"name": "decoder.3/Conv&Conv&Im2Col", "microseconds": 1500},
    {"name": "decoder.3/Conv&Conv&MatMul", "microseconds": 500},
    {"name": "encoder.0/Gelu&Gelu&Gelu", "microseconds": 250},
    {"name": "Mul_4&Mul&Mul", "microseconds": 250},
]


def test_pieces_are_joined_to_what_was_packed(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(np.random.default_rng(0).bytes(5000))
    folders = pack(iter([("a/noise", noise), ("same", noise)]), tmp_path / "pieces", piece=2000)
    assert len(folders) > 1
    done = []
    for folder in folders:
        carried = tmp_path / "carried"  # each call brings one piece
        shutil.copytree(folder, carried)
        done.append(unpack(carried, len(folders), tmp_path / "there"))
        shutil.rmtree(carried)
    assert done == [False] * (len(folders) - 1) + [True]
    assert (tmp_path / "there" / "a" / "noise").read_bytes() == noise.read_bytes()


def test_time_on_the_gpu_by_operator_and_by_part() -> None:
    assert report.by_operator(PROGRAMS) == {"Conv": 2, "Gelu": 0.25, "Mul": 0.25}
    assert report.by_part(PROGRAMS) == {"decoder.3": 2, "encoder.0": 0.25, "elsewhere": 0.25}


def test_the_table_leaves_open_what_was_not_measured() -> None:
    graph = {"seconds": 0.25, "first": 1.5, "decibels": {"spectrograms": 80.0}, "megabytes": 2000.0}
    results: dict[str, dict[str, Any]] = {
        "facts": {"gpu": "A card", "browser": "A browser", "cores": 2},
        "graphs": {"fp32": graph, "fp16": {"error": "no float16"}},
        "engine": {"fp32": {"song": 180, "seconds": 9.0, "modelSeconds": 6.0, "decibels": {"drums": 70.0}}},
    }
    table = report.table(results)
    assert "A card" in table
    assert "| seconds a segment, after the first run (the first run) | 0.250 (1.50) | - |" in table
    assert "its length over the time | 20.0 | - |" in table
    assert "| Python's share | 0.33 | - |" in table
    assert "| GPU memory in MB, seconds a segment, with `bucket` | 2000, 0.250 | - |" in table


def test_a_path_leads_to_the_first_place_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "upper").mkdir()
    (tmp_path / "lower").mkdir()
    (tmp_path / "lower" / "file").touch()
    places = {"/up/": tmp_path / "upper", "/": tmp_path / "lower"}
    assert find(places, "/file") == tmp_path / "lower" / "file"
    assert find(places, "/up/file") is None
    assert find(places, "/up/../file") is None


def test_what_a_page_sends_arrives(tmp_path: Path) -> None:
    with served({}, tmp_path / "sent") as url:
        urlopen(Request(f"{url}/sent/out.f32", data=b"four", method="PUT")).close()
    assert (tmp_path / "sent" / "out.f32").read_bytes() == b"four"


def test_attention_by_the_runtimes_own_operator_is_the_same() -> None:
    given = feeds()
    expected = natively(build(reduced(), FORMS["fp32"]), given)
    fused = natively(build(reduced(), replace(FORMS["fp32"], fused=True)), given)
    for name, exact in expected.items():
        assert snr(exact.ravel(), fused[name].ravel()) >= 80
