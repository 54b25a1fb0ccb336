"""The report as tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from demixer_build.bench.report import Report, Side, Spread, Variant

RUNTIMES: Final = ("browser", "native")

WIDE: Final = 160
"""Columns where the output is no terminal."""


@dataclass(frozen=True)
class Sheet:
    """A table: its rows have a text for each heading."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def show(sheets: Iterable[Sheet]) -> None:
    """Print them."""
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    for sheet in sheets:
        table = Table(title=sheet.title, title_justify="left")
        for number, heading in enumerate(sheet.headings):
            table.add_column(heading, justify="left" if number == 0 else "right")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)


def sheets(report: Report) -> Iterator[Sheet]:
    """Yield every table of a report that is not empty."""
    yield Sheet("Machine", ("", ""), list(report.machine.items()))
    yield speed(report)
    yield sizes(report)
    yield first_visit(report)
    yield limits(report)
    if report.peers:
        yield peers(report)
    if report.left_out:
        yield Sheet("Left out", ("",), [(line,) for line in report.left_out])


def speed(report: Report) -> Sheet:
    """Each graph on each runtime."""
    headings = (
        "graph",
        "runtime",
        "s a second of audio",
        "model",
        "Python",
        "create",
        "peak memory",
        "to stock graph",
        "to limit",
    )
    rows = [(name, runtime, *_side(side)) for name, runtime, side in _sides(report)]
    return Sheet("Speed and memory", headings, rows)


def sizes(report: Report) -> Sheet:
    """Size and operations of each graph."""
    rows = [
        (name, f"{variant.bytes / 1e6:.1f} MB", f"{variant.compressed_bytes / 1e6:.1f} MB", f"{variant.gflop:.1f}")
        for name, variant in _variants(report)
        if variant.gflop
    ]
    return Sheet("Size", ("graph", "raw", "brotli", "GFLOP a run"), rows)


def first_visit(report: Report) -> Sheet:
    """Requests, bytes and seconds of first visits."""
    rows = [
        (visit.until, str(visit.requests), f"{visit.bytes / 1e3:,.0f} kB", f"{visit.seconds:.1f} s")
        for visit in report.first_visit
    ]
    return Sheet("First visit", ("until", "requests", "sent", "after"), rows)


def limits(report: Report) -> Sheet:
    """Upper limits of the runtimes and of the pipeline."""
    rows = [
        (runtime, f"{rates.gflops:.0f} GFLOP/s", f"{rates.pipeline_only:.1f} s" if rates.pipeline_only else "")
        for runtime, rates in (("browser", report.browser), ("native", report.native))
    ]
    return Sheet("Limits", ("runtime", "matrix products", "audio in a second, pipeline only"), rows)


def peers(report: Report) -> Sheet:
    """Other demixers."""
    rows = [
        (peer.name, f"{peer.seconds_per_second:.2f}", f"{peer.peak_mb:.0f} MB", spread_text(peer.ratio))
        for peer in report.peers
    ]
    return Sheet("Peers", ("pipeline", "s a second of audio", "peak memory", "our time to theirs"), rows)


def spread_text(spread: Spread | None) -> str:
    """Median, and extremes in brackets."""
    return f"{spread.median:.2f} ({spread.min:.2f}-{spread.max:.2f})" if spread else ""


def _variants(report: Report) -> Iterator[tuple[str, Variant]]:
    for model, variants in report.models.items():
        for precision, variant in variants.items():
            yield f"{model} {precision}", variant


def _sides(report: Report) -> Iterator[tuple[str, str, Side]]:
    for name, variant in _variants(report):
        for runtime in RUNTIMES:
            side: Side | None = getattr(variant, runtime)
            if side:
                yield name, runtime, side


def _side(side: Side) -> tuple[str, ...]:
    return (
        f"{side.seconds_per_second:.2f}",
        f"{side.model_share:.0%}",
        f"{side.python_share:.0%}",
        f"{side.create_seconds:.1f} s" if side.create_seconds is not None else "",
        f"{side.peak_mb:.0f} MB",
        spread_text(side.stock_ratio),
        f"{side.limit_ratio:.2f}" if side.limit_ratio else "",
    )
