"""Peak memory of processes, sampled while they work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Final, Self

import psutil

INTERVAL_SECONDS: Final = 0.5

Measure = Callable[[psutil.Process], int]


def resident(process: psutil.Process) -> int:
    """Resident bytes, including those shared with other processes."""
    return int(process.memory_info().rss)


def proportional(process: psutil.Process) -> int:
    """Resident bytes, shared ones divided by their number of users where the system reports that."""
    full = process.memory_full_info()
    return int(getattr(full, "pss", full.rss))


class Peak:
    """Context manager that samples the memory of some processes and keeps its peak.

    Parameters
    ----------
    processes : callable
        Returns the processes to add up, at each sample.
    measure : callable
        Returns the bytes of one process.
    """

    def __init__(self, processes: Callable[[], Sequence[psutil.Process]], measure: Measure = resident) -> None:
        self._processes = processes
        self._measure = measure
        self._ended = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self.bytes = 0

    @property
    def mb(self) -> float:
        return self.bytes / 1e6

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._sample()

    def _watch(self) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            self._sample()

    def _sample(self) -> None:
        with suppress(psutil.Error):  # a process may have ended
            self.bytes = max(self.bytes, sum(self._measure(process) for process in self._processes()))
