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
    """Bytes in memory, those shared with other processes included."""
    return int(process.memory_info().rss)


def proportional(process: psutil.Process) -> int:
    """Bytes in memory, shared ones divided by their users; all of them where the system does not tell."""
    full = process.memory_full_info()
    return int(getattr(full, "pss", full.rss))


class Peak:
    """While entered, follows the memory of some processes together.

    Parameters
    ----------
    processes : callable
        Those to add up, asked for anew each time.
    measure : callable
        The bytes of one.
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
        with suppress(psutil.Error):  # one may end while it is asked
            self.bytes = max(self.bytes, sum(self._measure(process) for process in self._processes()))
