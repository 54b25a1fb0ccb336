"""What a browser's renderer processes take while it works."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread
from typing import Final, Self

import psutil
from playwright.sync_api import Page

INTERVAL_SECONDS: Final = 0.5


def renderers(page: Page) -> list[psutil.Process]:
    """The processes that run pages and their workers."""
    browser = page.context.browser
    assert browser
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return [psutil.Process(process["id"]) for process in processes if process["type"] == "renderer"]


def resident(processes: list[psutil.Process]) -> float:
    """Megabytes in memory, those that processes share counted once."""
    total = 0
    for process in processes:
        with suppress(psutil.Error):  # it may end while it is asked
            total += process.memory_full_info().pss
    return total / 1e6


class Peak:
    """While entered, follows the memory of processes together.

    Parameters
    ----------
    processes : list of psutil.Process
    """

    def __init__(self, processes: list[psutil.Process]) -> None:
        self._processes = processes
        self._ended = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self.megabytes = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            self.megabytes = max(self.megabytes, resident(self._processes))
