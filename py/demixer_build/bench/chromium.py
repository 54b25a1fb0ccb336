"""Chromium for measurements: one browser each, so that its memory is that of the measurement alone."""

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

    The profile is an ordinary one: a private window keeps its storage in the memory of the browser.
    """

    page: Page
    process: psutil.Process
    """The browser's main process."""

    def renderer(self) -> list[psutil.Process]:
        """The process of the page and its workers: the largest one, since the browser keeps spare ones."""
        children = self.process.children(recursive=True)
        renderers = [child for child in children if "--type=renderer" in _command(child)]
        return sorted(renderers, key=_resident)[-1:]

    def call(self, module: str, function: str, *arguments: Any) -> Any:
        """Call a function exported by a module of the site."""
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
        """Open a tab, in which paths are relative to `url`."""
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
                page.set_default_timeout(0)  # a song may take an hour
                yield Tab(page, main)
            finally:
                context.close()

    def version(self) -> str:
        """Version of the browser."""
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
    except psutil.Error:  # the process has ended
        return 0


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:  # the process has ended
        return []
