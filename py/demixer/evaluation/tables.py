"""Medians and means over songs, and the results as JSON and CSV."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from demixer.evaluation.score import METRICS, Result
from demixer.evaluation.views import VIEWS


@dataclass(frozen=True)
class Row:
    """A system's figures for one target over all songs: metric -> dB, None when no song has the target."""

    view: str
    target: str
    system: str
    songs: int
    median: dict[str, float | None]
    mean: dict[str, float | None]


@dataclass(frozen=True)
class Cost:
    """Seconds of work for a second of music, and their ratio to the first system's."""

    system: str
    seconds_per_second: float
    ratio: float


def summary(results: Sequence[Result]) -> list[Row]:
    """One row for each view, target and system."""
    systems = list(dict.fromkeys(result.system for result in results))
    rows = [
        _row(view, target, system, [result for result in results if result.system == system])
        for view, targets in VIEWS.items()
        for target in targets
        for system in systems
    ]
    return [row for row in rows if row.songs]


def _row(view: str, target: str, system: str, results: Sequence[Result]) -> Row:
    scores = [result.scores[view][target] for result in results if view in result.scores]
    known = {metric: [value for score in scores if (value := score[metric]) is not None] for metric in METRICS}
    return Row(
        view,
        target,
        system,
        songs=len(known["sdr"]),
        median={metric: round(statistics.median(values), 4) if values else None for metric, values in known.items()},
        mean={metric: round(statistics.fmean(values), 4) if values else None for metric, values in known.items()},
    )


def costs(results: Sequence[Result]) -> list[Cost]:
    """The cost of each system over all songs."""
    totals: dict[str, tuple[float, float]] = {}
    for result in results:
        seconds, duration = totals.get(result.system, (0.0, 0.0))
        totals[result.system] = seconds + result.seconds, duration + result.duration
    paces = {system: seconds / duration for system, (seconds, duration) in totals.items()}
    first = next(iter(paces.values()), 1.0) or 1.0
    return [Cost(system, round(pace, 4), round(pace / first, 3)) for system, pace in paces.items()]


def as_dict(results: Sequence[Result]) -> dict[str, object]:
    """All tables and results as plain data."""
    return {
        "metrics": METRICS,
        "songs": sorted({result.song for result in results}),
        "summary": [asdict(row) for row in summary(results)],
        "costs": [asdict(cost) for cost in costs(results)],
        "results": [asdict(result) for result in results],
    }


def write_json(results: Sequence[Result], file: Path) -> None:
    """Write all tables and results."""
    file.write_text(json.dumps(as_dict(results), indent=1) + "\n", encoding="utf-8")


def write_csv(results: Sequence[Result], file: Path) -> None:
    """Write one line for each song, system, view and target."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["song", "system", "view", "target", *METRICS])
        for result in results:
            for view, targets in result.scores.items():
                for target, scores in targets.items():
                    writer.writerow([result.song, result.system, view, target, *(scores[metric] for metric in METRICS)])
