"""Graphs by themselves, without pipeline: ours, the published one and plain products, in turn."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import onnx

from demixer_build.bench import native
from demixer_build.bench.chromium import Launcher
from demixer_build.bench.graphs import shapes
from demixer_build.bench.rounds import interleave

Seconds = dict[str, list[float]]


def in_browser(browsers: Launcher, url: str, graphs: dict[str, Path], rounds: int) -> Seconds:
    """Seconds of each run, for graphs by their path on the site."""
    with ExitStack() as open_tabs:
        runs = {}
        for name, path in graphs.items():
            tab = open_tabs.enter_context(browsers.tab(url))
            tab.page.goto("/bench/bench.html")
            tab.call("/bench/bench.js", "openGraph", f"/{name}", shapes(onnx.load(path)))
            runs[name] = lambda tab=tab: float(tab.call("/bench/bench.js", "runGraph"))
        return interleave(runs, rounds)


def on_this_machine(graphs: dict[str, Path], rounds: int) -> Seconds:
    """Seconds of each run on the native runtime."""
    with ExitStack() as processes:
        runs = {}
        for name, path in graphs.items():
            worker = processes.enter_context(native.worker())
            worker.ask("open", path)
            runs[name] = worker.run_graph
        return interleave(runs, rounds)
