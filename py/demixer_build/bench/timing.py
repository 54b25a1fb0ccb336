"""Timings of single graphs and of whole songs, in the browser and on the native runtime.

Ratios of interleaved runs: a busy machine slows both sides of a round alike.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import onnx

from demixer_build.bench import native
from demixer_build.bench.chromium import Launcher
from demixer_build.bench.graphs import shapes
from demixer_build.bench.memory import Peak
from demixer_build.bench.report import Spread
from demixer_build.bench.subjects import RATE, STRIDE, Subject

Seconds = dict[str, list[float]]
"""Graph -> seconds of each of its runs."""


@dataclass(frozen=True)
class Song:
    """Timing and memory of one separation."""

    seconds_per_second: float
    model_share: float
    create_seconds: float | None
    peak_mb: float


def graphs_in_browser(browsers: Launcher, url: str, graphs: dict[str, Path], rounds: int) -> Seconds:
    """Time graphs, given by their path on the site, in the browser."""
    with ExitStack() as open_tabs:
        runs = {}
        for name, path in graphs.items():
            tab = open_tabs.enter_context(browsers.tab(url))
            tab.page.goto("/bench/bench.html")
            tab.call("/bench/bench.js", "openGraph", f"/{name}", shapes(onnx.load(path)))
            runs[name] = lambda tab=tab: float(tab.call("/bench/bench.js", "runGraph"))
        return interleave(runs, rounds)


def graphs_natively(graphs: dict[str, Path], rounds: int) -> Seconds:
    """Time graphs on the native runtime."""
    with ExitStack() as processes:
        runs = {}
        for name, path in graphs.items():
            worker = processes.enter_context(native.worker())
            worker.ask("open", path)
            runs[name] = worker.run_graph
        return interleave(runs, rounds)


def song_in_browser(browsers: Launcher, url: str, subject: Subject, length: int) -> Song:
    """Separate `length` samples with the engine, as the page does."""
    graph = (subject.model, subject.precision)
    with browsers.tab(url) as tab, Peak(tab.renderer) as peak:
        tab.page.goto("/bench/bench.html")
        create = tab.call("/bench/bench.js", "openModel", *graph)
        tab.call("/bench/bench.js", "separate", *graph, STRIDE)  # a warm-up
        took = tab.call("/bench/bench.js", "separate", *graph, length)
    return _song(took["seconds"], took["modelSeconds"], create, peak, length)


def song_natively(subject: Subject, length: int) -> Song:
    """Separate `length` samples as the command line does."""
    with native.worker() as worker, Peak(lambda: [worker.process]) as peak:
        create = worker.ask("open", subject.file)
        worker.ask("separate", subject.model, STRIDE)
        seconds, model_seconds = worker.ask("separate", subject.model, length)
    return _song(seconds, model_seconds, create, peak, length)


def _song(seconds: float, model_seconds: float, create: float | None, peak: Peak, length: int) -> Song:
    return Song(seconds * RATE / length, model_seconds / seconds, create, peak.mb)


def interleave(runs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call each function in turn, round after round; the first round is a warm-up and does not count.

    Parameters
    ----------
    runs : mapping of str to callable
        Each returns the seconds that it took.
    rounds : int
        Rounds that count.

    Returns
    -------
    dict of str to list of float
        Seconds of each, by round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            took = run()
            if number:
                seconds[name].append(took)
    return seconds


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ratios of our times to theirs, round by round."""
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def spread(values: Sequence[float]) -> Spread:
    """Median and extremes."""
    return Spread(statistics.median(values), min(values), max(values))
