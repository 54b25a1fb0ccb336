"""What a browser's renderer processes take while it works."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread
from typing import Final, Self

import psutil
from playwright.sync_api import BrowserContext

INTERVAL_SECONDS: Final = 0.5


def processes(context: BrowserContext, kind: str) -> list[psutil.Process]:
    """The browser's processes of a kind: "browser" is the one above all, a "renderer" runs pages and their workers."""
    browser = context.browser
    session = browser.new_browser_cdp_session() if browser else context.new_cdp_session(context.pages[0])
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return [psutil.Process(process["id"]) for process in found if process["type"] == kind]


def resident(running: list[psutil.Process]) -> float:
    """Megabytes in memory, those that processes share counted once."""
    total = 0
    for process in running:
        with suppress(psutil.Error):  # it may end while it is asked
            total += process.memory_full_info().pss
    return total / 1e6


class Peak:
    """While entered, follows the memory of processes together.

    Parameters
    ----------
    running : list of psutil.Process
    """

    def __init__(self, running: list[psutil.Process]) -> None:
        self._running = running
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
            self.megabytes = max(self.megabytes, resident(self._running))
