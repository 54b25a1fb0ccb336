"""Ratios that a busy machine does not bend: everything takes its turn in every round, and rounds are compared."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from demixer_build.bench.report import Spread


def interleave(runs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call each in turn, round after round; the first round warms up and is dropped.

    Parameters
    ----------
    runs : mapping of str to callable
        Each gives the seconds it took.
    rounds : int
        How many count.

    Returns
    -------
    dict of str to list of float
        Seconds of each, one for each round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            took = run()
            if number:
                seconds[name].append(took)
    return seconds


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours over theirs, round by round."""
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def spread(values: Sequence[float]) -> Spread:
    """Median and extremes."""
    return Spread(statistics.median(values), min(values), max(values))
