"""Writes the report: one HTML file with tables and charts, and the charts as files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from demixer.evaluation import tables
from demixer.evaluation.charts import dot_chart
from demixer.evaluation.score import METRICS, Result
from demixer.evaluation.views import VIEWS

_STYLE: Final = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .2rem .8rem; text-align: right }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left }
tr { border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent) }
svg { max-width: 100%; height: auto }
"""


def write(results: Sequence[Result], folder: Path) -> list[Path]:
    """Write `scores.json`, `scores.csv`, `report.html` and the charts; return their paths."""
    charts = {
        f"sdr-{view.replace(' ', '-')}.svg": dot_chart(results, view, "sdr", f"{METRICS['sdr']}, {view}")
        for view in VIEWS
    }
    charts = {name: chart for name, chart in charts.items() if chart}
    for name, chart in charts.items():
        (folder / name).write_text(chart, encoding="utf-8")
    tables.write_json(results, folder / "scores.json")
    tables.write_csv(results, folder / "scores.csv")
    (folder / "report.html").write_text(page(results, list(charts.values())), encoding="utf-8")
    return [folder / name for name in ("report.html", "scores.json", "scores.csv", *charts)]


def page(results: Sequence[Result], charts: Sequence[str]) -> str:
    """The HTML report."""
    songs = sorted({result.song for result in results})
    listed = "".join(f"<li>{escape(song)}</li>" for song in songs)
    rows = tables.summary(results)
    parts = []
    for view in VIEWS:
        for kind in ("median", "mean"):
            cells = [
                [row.target, row.system, str(row.songs), *map(_decibels, getattr(row, kind).values())]
                for row in rows
                if row.view == view
            ]
            if cells:
                head = ["Stem", "System", "Songs", *METRICS.values()]
                parts.append(f"<h2>{escape(view.capitalize())}: {kind} over songs, dB</h2>{_table(head, cells)}")
    costs = [[cost.system, f"{cost.seconds_per_second:.3f}", f"{cost.ratio:.2f}"] for cost in tables.costs(results)]
    per_song = [
        [result.song, result.system, target, *map(_decibels, scores.values())]
        for result in results
        for targets in result.scores.values()
        for target, scores in targets.items()
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Separation quality</title><style>{_STYLE}</style><h1>Separation quality</h1>"
        f"<p>{len(songs)} songs:</p><ul>{listed}</ul>{''.join(charts)}{''.join(parts)}"
        f"<h2>Cost on this machine</h2>{_table(['System', 'Seconds per second of music', 'Ratio'], costs)}"
        f"<h2>Each song, dB</h2>{_table(['Song', 'System', 'Stem', *METRICS.values()], per_song)}</html>\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

    return f"<table>{line('th', head)}{''.join(line('td', row) for row in rows)}</table>"


def _decibels(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
