"""A song through the whole pipeline, model by model."""

from __future__ import annotations

from dataclasses import dataclass

from demixer_build.bench import native
from demixer_build.bench.chromium import Launcher
from demixer_build.bench.memory import Peak
from demixer_build.bench.subjects import RATE, STRIDE, Subject


@dataclass(frozen=True)
class Song:
    """What one separation took."""

    seconds_per_second: float
    model_share: float
    create_seconds: float | None
    peak_mb: float


def in_browser(browsers: Launcher, url: str, subject: Subject, length: int) -> Song:
    """Separate `length` samples with the engine, as the page does."""
    asked = (subject.model, subject.precision)
    with browsers.tab(url) as tab, Peak(tab.renderer) as peak:
        tab.page.goto("/bench/bench.html")
        create = tab.call("/bench/bench.js", "openModel", *asked)
        tab.call("/bench/bench.js", "separate", *asked, STRIDE)  # warms up
        took = tab.call("/bench/bench.js", "separate", *asked, length)
    return _song(took["seconds"], took["modelSeconds"], create, peak, length)


def on_this_machine(subject: Subject, length: int) -> Song:
    """Separate `length` samples as the command line does."""
    with native.worker() as worker, Peak(lambda: [worker.process]) as peak:
        create = worker.ask("open", subject.file)
        worker.ask("separate", subject.model, STRIDE)
        seconds, model_seconds = worker.ask("separate", subject.model, length)
    return _song(seconds, model_seconds, create, peak, length)


def _song(seconds: float, model_seconds: float, create: float | None, peak: Peak, length: int) -> Song:
    return Song(seconds * RATE / length, model_seconds / seconds, create, peak.mb)
