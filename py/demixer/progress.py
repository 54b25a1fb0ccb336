"""How far a job is, and whether it should go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from demixer.errors import Cancelled

Stage = Literal["measure", "separate"]


@dataclass(frozen=True)
class Progress:
    """One true mark: `done` of `total` steps of a stage are finished."""

    stage: Stage
    done: int
    total: int


class Monitor:
    """Reports marks and carries the wish to stop.

    Parameters
    ----------
    report : callable, optional
        Called with every `Progress` mark.
    """

    def __init__(self, report: Callable[[Progress], None] | None = None) -> None:
        self.report = report
        self._cancelled = False

    def cancel(self) -> None:
        """Ask the job to stop at its next mark."""
        self._cancelled = True

    def mark(self, stage: Stage, done: int, total: int) -> None:
        """Tell how far the job is; raises `Cancelled` when it should stop."""
        if self._cancelled:
            raise Cancelled
        if self.report is not None:
            self.report(Progress(stage, done, total))
