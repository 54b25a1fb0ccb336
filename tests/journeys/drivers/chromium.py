"""Chromium through Playwright, which holds the journeys honest: they must pass where everything else is tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Download, Page

from tests.browser.watch import Watch
from tests.journeys.drivers.driver import Driver, Part, script


class Chromium(Driver):
    """A window of a running Chromium with a storage of its own.

    Parameters
    ----------
    folder : Path
        For the downloads.
    browser : Browser
        Stays open.
    origin : str
        Requests elsewhere are foreign.
    """

    engine = "chromium"

    def __init__(self, folder: Path, browser: Browser, origin: str) -> None:
        super().__init__(folder / "downloads")
        self.version = f"Chromium {browser.version}"
        context = browser.new_context()
        self._opened.callback(context.close)
        self._page: Page = context.new_page()
        self._page.add_init_script("delete window.showSaveFilePicker")  # a dialog, where there is no screen
        self._watch = Watch(origin)
        self._watch.follow(self._page)
        self._page.on("download", self._save)

    def open(self, url: str) -> None:
        self._page.goto(url)

    def evaluate(self, function: str, *arguments: Any) -> Any:
        return self._page.evaluate(f"(given) => ({script(function)})(...given)", list(arguments))

    def _press(self, path: list[Part]) -> bool:
        found = self._page.evaluate_handle(f"(path) => ({script('(path) => target(path)')})(path)", path).as_element()
        if found is None:
            return False
        found.click()
        return True

    def _give(self, *files: Path) -> None:
        self._page.locator("input[type=file]").set_input_files(files)

    def screenshot(self, path: Path) -> None:
        self._page.screenshot(path=path)

    def take_problems(self) -> list[str]:
        problems = self._watch.problems
        self._watch.forget()
        return problems

    def _save(self, download: Download) -> None:
        partial = self.downloads / f"{download.suggested_filename}.part"
        download.save_as(partial)
        partial.rename(self.downloads / download.suggested_filename)
