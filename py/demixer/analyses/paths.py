"""The best path through states (Viterbi)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt


def viterbi(
    observed: npt.NDArray[np.float64],
    change: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.int64]:
    """Find the path of the highest score (Viterbi 1967).

    Parameters
    ----------
    observed : np.ndarray [shape=(steps, states)]
        Score of each state at each step, steps >= 1.
    change : np.ndarray [shape=(states, states)]
        Score of a step from one state (row) to another (column).
    scale : np.ndarray [shape=(steps,)], optional
        Factor of `change` at each step.

    Returns
    -------
    np.ndarray [shape=(steps,)]
    """
    states = np.arange(observed.shape[1])
    score = observed[0]
    back = np.zeros(observed.shape, np.int16)
    for step in range(1, len(observed)):
        ways = score[:, None] + (change if scale is None else change * scale[step])
        back[step] = ways.argmax(axis=0)
        score = ways[back[step], states] + observed[step]
    path = np.zeros(len(observed), np.int64)
    path[-1] = score.argmax()
    for step in range(len(observed) - 1, 0, -1):
        path[step - 1] = back[step, path[step]]
    return path


def runs(path: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Yield start, stop and state of each stretch of a path that stays in one state."""
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    for start, stop in zip(starts, np.append(starts[1:], len(path)), strict=True):
        yield int(start), int(stop), int(path[start])
