"""Chart of the ratios: a bar up to the median, a line from minimum to maximum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from demixer_build.bench.report import Report, Spread
from demixer_build.bench.tables import RUNTIMES

_LABELS: Final = 260
_WIDTH: Final = 760
_SCALE: Final = 380
"""Pixels of the labels, of the whole chart, and of a ratio of 1."""
_ROW: Final = 30
_STYLE: Final = """
svg { font: 13px system-ui, sans-serif; --ink: #1b1f24; --faint: #d5d9df; --bar: #2f6fde }
@media (prefers-color-scheme: dark) { svg { --ink: #e8eaed; --faint: #3a3f47; --bar: #7aa7ff } }
text { fill: var(--ink) } rect { fill: var(--bar) } line { stroke: var(--ink) } .one { stroke: var(--faint) }
"""


def ratios(report: Report) -> dict[str, Spread]:
    """Every ratio to the published graph and to the peers, by label."""
    found = {
        f"{model}, {precision}, {runtime}": side.stock_ratio
        for model, variants in report.models.items()
        for precision, variant in variants.items()
        for runtime in RUNTIMES
        if (side := getattr(variant, runtime)) and side.stock_ratio
    }
    return found | {f"to {peer.name}": peer.ratio for peer in report.peers}


def chart(spreads: Mapping[str, Spread], title: str) -> str:
    """Draw the chart as an SVG document for light and dark themes."""
    height = _ROW * (len(spreads) + 2)
    rows = [part for number, (name, spread) in enumerate(spreads.items(), 1) for part in _row(name, spread, number)]
    one = _at(1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}"><style>{_STYLE}</style><text x="0" y="16">{escape(title)}</text>'
        f'<line class="one" x1="{one}" x2="{one}" y1="{_ROW}" y2="{height - _ROW}"/>'
        f'<text x="{one}" y="{height - 10}" text-anchor="middle">1</text>{"".join(rows)}</svg>\n'
    )


def _row(name: str, spread: Spread, number: int) -> Iterator[str]:
    y = number * _ROW + 4
    yield f'<text x="0" y="{y + 15}">{escape(name)}</text>'
    yield f'<rect x="{_LABELS}" y="{y}" width="{_at(spread.median) - _LABELS}" height="20"/>'
    yield f'<line x1="{_at(spread.min)}" x2="{_at(spread.max)}" y1="{y + 10}" y2="{y + 10}"/>'
    yield f'<text x="{_at(max(spread.max, 1)) + 8}" y="{y + 15}">{spread.median:.2f}</text>'


def _at(value: float) -> int:
    return round(_LABELS + value * _SCALE)
