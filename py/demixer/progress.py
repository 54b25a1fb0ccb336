"""Progress of a job, and cancelling it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from demixer.errors import Cancelled

Stage = Literal["measure", "separate", "analyse"]


@dataclass(frozen=True)
class Progress:
    """One mark: `done` of `total` steps of a stage are finished."""

    stage: Stage
    done: int
    total: int


class Signal(Protocol):
    """Becomes `aborted` when the caller cancels: JavaScript's `AbortSignal`, or a stand-in in tests."""

    @property
    def aborted(self) -> bool: ...


class Monitor:
    """Reports progress, and stops a job that its caller has cancelled.

    Parameters
    ----------
    report : callable, optional
        Called with every `Progress` mark.
    signal : Signal, optional
        Checked at every mark.
    """

    def __init__(self, report: Callable[[Progress], None] | None = None, signal: Signal | None = None) -> None:
        self._report = report
        self._signal = signal

    def mark(self, stage: Stage, done: int, total: int) -> None:
        """Report progress; raises `Cancelled` when the signal is aborted."""
        if self._signal is not None and self._signal.aborted:
            raise Cancelled
        if self._report is not None:
            self._report(Progress(stage, done, total))
