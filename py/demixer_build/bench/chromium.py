"""A Chromium for one measurement: its memory is all that measurement's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from playwright.sync_api import Page, Playwright, sync_playwright

from demixer_build import browser


@dataclass(frozen=True)
class Tab:
    """A page in a browser of its own, with an empty profile.

    It is an ordinary one: in a private window, storage is the browser's memory, and every write goes there by message.
    """

    page: Page
    process: psutil.Process
    """The browser's main process."""

    def renderer(self) -> list[psutil.Process]:
        """The process of its page and workers: the largest one, since the browser keeps empty ones beside it."""
        children = self.process.children(recursive=True)
        renderers = [child for child in children if "--type=renderer" in _command(child)]
        return sorted(renderers, key=_resident)[-1:]

    def call(self, module: str, function: str, *arguments: Any) -> Any:
        """Call a function of a module of the site."""
        script = "async ([module, name, given]) => (await import(module))[name](...given)"
        return self.page.evaluate(script, [module, function, arguments])


class Launcher:
    """Starts browsers.

    Parameters
    ----------
    playwright : Playwright
    executable : Path
    """

    def __init__(self, playwright: Playwright, executable: Path) -> None:
        self._playwright = playwright
        self._executable = executable

    @contextmanager
    def tab(self, url: str) -> Iterator[Tab]:
        """Open a tab; `url` is the site's address, which paths are then relative to."""
        mark = f"--demixer-bench={uuid.uuid4().hex}"
        with TemporaryDirectory(prefix="demixer-bench-") as profile:
            context = self._playwright.chromium.launch_persistent_context(
                profile,
                executable_path=self._executable,
                args=[*browser.QUIET, mark],
                base_url=url,
                accept_downloads=True,
                timeout=120_000,
            )
            try:
                ours = psutil.Process().children(recursive=True)
                main = next(each for each in ours if mark in (words := _command(each)) and "--type=" not in str(words))
                page = context.pages[0]
                page.set_default_timeout(0)  # a song of an hour takes what it takes
                yield Tab(page, main)
            finally:
                context.close()

    def version(self) -> str:
        """Of the browser."""
        chromium = self._playwright.chromium.launch(
            executable_path=self._executable, args=browser.QUIET, timeout=120_000
        )
        try:
            return chromium.version
        finally:
            chromium.close()


@contextmanager
def launcher() -> Iterator[Launcher]:
    """Find a Chromium and drive it.

    Raises
    ------
    BuildError
        When there is none and none can be installed.
    """
    executable = browser.ensure()
    with sync_playwright() as playwright:
        yield Launcher(playwright, executable)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended meanwhile
        return 0


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:  # it has ended meanwhile
        return []
