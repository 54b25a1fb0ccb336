"""SVG charts of results: a dot for each song and a bar at the median, in light and dark colours."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from demixer.evaluation.score import Result
from demixer.evaluation.views import VIEWS

_LABELS: Final = 190
_WIDTH: Final = 760
_ROW: Final = 22
_HEAD: Final = 30
_MARGIN: Final = 46
"""Pixels: left of the axis, of the whole chart, a system's row, a target's heading, right of the axis."""

_STYLE: Final = """
svg { font: 13px system-ui, sans-serif; --ink: #1b1f24; --faint: #d5d9df; --dot: #2f6fde; --bar: #c2410c }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e8eaed; --faint: #3a3f47; --dot: #7aa7ff; --bar: #ff9d5c } }
text { fill: var(--ink) } .head { font-weight: 600 } .value { fill: var(--bar); font-weight: 600 }
line { stroke: var(--faint) } circle { fill: var(--dot); fill-opacity: .45 }
.median { stroke: var(--bar); stroke-width: 3 }
"""


def dot_chart(results: Sequence[Result], view: str, metric: str, title: str) -> str:
    """One metric of a view: a row for each target and system.

    Parameters
    ----------
    results : sequence of Result
    view, metric : str
        Keys of `VIEWS` and `METRICS`.
    title : str
        Shown above the chart, and read by screen readers.

    Returns
    -------
    str
        An SVG document; empty when no song has a value.
    """
    groups = [(target, list(_rows(results, view, target, metric))) for target in VIEWS[view]]
    values = [value for _, rows in groups for _, known in rows for value in known]
    if not values:
        return ""
    axis = _Axis(min(0.0, *values), max(1.0, *values))
    body: list[str] = []
    y = _HEAD
    for target, rows in groups:
        body.append(f'<text class="head" x="0" y="{y + 16}">{escape(target)}</text>')
        for system, known in rows:
            y += _ROW
            body += _row(axis, y + 12, system, known)
        y += _HEAD
    ticks = [_tick(axis, value, y) for value in axis.ticks()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 24}" width="{_WIDTH}" height="{y + 24}" '
        f'role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>'
        f'<text class="head" x="0" y="16">{escape(title)}</text>{"".join(ticks)}{"".join(body)}</svg>\n'
    )


def _rows(results: Sequence[Result], view: str, target: str, metric: str) -> Iterator[tuple[str, list[float]]]:
    """Every system that has values, with those of its songs."""
    for system in dict.fromkeys(result.system for result in results):
        measured = (result for result in results if result.system == system and view in result.scores)
        known = [value for result in measured if (value := result.scores[view][target][metric]) is not None]
        if known:
            yield system, known


def _row(axis: _Axis, y: int, system: str, values: Sequence[float]) -> Iterator[str]:
    median = statistics.median(values)
    yield f'<text x="12" y="{y + 4}">{escape(system)}</text>'
    yield f'<line x1="{_LABELS}" x2="{_WIDTH - _MARGIN}" y1="{y}" y2="{y}"/>'
    for value in values:
        yield f'<circle cx="{axis.at(value):.1f}" cy="{y}" r="5"/>'
    x = axis.at(median)
    yield f'<line class="median" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 8}" y2="{y + 8}"/>'
    yield f'<text class="value" x="{_WIDTH - _MARGIN + 8}" y="{y + 4}">{median:.2f}</text>'


def _tick(axis: _Axis, value: float, bottom: int) -> str:
    x = axis.at(value)
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD}" y2="{bottom - 8}"/>'
        f'<text x="{x:.1f}" y="{bottom + 10}" text-anchor="middle">{value:g} dB</text>'
    )


class _Axis:
    """Horizontal axis in decibels."""

    def __init__(self, lowest: float, highest: float) -> None:
        self._step = next(step for step in (1, 2, 5, 10, 20, 50, 100) if (highest - lowest) / step <= 8)
        self._low = math.floor(lowest / self._step) * self._step
        self._high = math.ceil(highest / self._step) * self._step

    def at(self, value: float) -> float:
        return _LABELS + (value - self._low) / (self._high - self._low) * (_WIDTH - _LABELS - _MARGIN)

    def ticks(self) -> range:
        return range(self._low, self._high + 1, self._step)
