"""The steps of a visit to the page, and browsers with a profile."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.sync_api import BrowserContext, BrowserType, Error, Locator, Page, expect

from tests.songs import mixture

Visit = Callable[[], AbstractContextManager[BrowserContext]]


def visits(browser_type: BrowserType, launch: dict[str, Any], profile: Path, script: str = "") -> Visit:
    """Return a function that starts the browser on the same profile each time, and runs a script before each page's."""

    @contextmanager
    def visit() -> Iterator[BrowserContext]:
        context = browser_type.launch_persistent_context(profile, accept_downloads=True, **launch)
        context.add_init_script(script)
        try:
            yield context
        finally:
            with suppress(Error):  # a test may have killed it
                context.close()

    return visit


def write_song(path: Path, seconds: float = 3) -> Path:
    """Write a song, which repeats what takes long to synthesize, quieter each time."""
    part = mixture(min(seconds, 8))
    parts = np.concatenate([part * np.float32(1 / n) for n in range(1, math.ceil(seconds / 8) + 1)], axis=1)
    soundfile.write(path, parts[:, : round(seconds * 44_100)].T, 44_100, subtype="FLOAT")
    return path


def choose(page: Page, song: Path) -> None:
    page.locator("input[type=file]").set_input_files(song)


def model(page: Page, label: str) -> None:
    page.get_by_role("radio", name=label).check()


def begin(page: Page) -> None:
    page.get_by_role("button", name="Separate", exact=True).click()


def download(page: Page, stem: str, folder: Path, *, timeout: float = 60_000) -> Path:
    """Wait for a stem and save it."""
    desk = page.get_by_role("region", name=re.compile("^Stems of"))
    button = desk.get_by_role("button", name=f"Download {stem}")
    expect(button).to_be_enabled(timeout=timeout)
    with page.expect_download() as saved:
        button.click()
    path = folder / f"{stem}.wav"
    saved.value.save_as(path)
    return path


def ready(page: Page) -> Locator:
    """The message that the page works offline."""
    return page.get_by_role("status").and_(page.get_by_text("Ready to work offline", exact=True))


def installed(page: Page) -> Locator:
    """Wait until the service worker controls the page, which then offers to work offline."""
    offer = page.get_by_role("button", name="Get ready to work offline")
    expect(offer).to_be_visible(timeout=60_000)
    return offer


def prepare(page: Page, timeout: float = 60_000) -> None:
    """Have the page download everything that the chosen model needs."""
    installed(page).click()
    expect(ready(page)).to_be_visible(timeout=timeout)


def kept(page: Page) -> list[str]:
    """URLs of all entries of all caches."""
    script = """async () => {
      const urls = [];
      for (const name of await caches.keys())
        for (const { url } of await (await caches.open(name)).keys()) urls.push(url);
      return urls;
    }"""
    urls: list[str] = page.evaluate(script)
    return urls


def drop(page: Page, part: str) -> int:
    """Remove entries by a part of their URL from all caches, as a browser short of space may; return their number."""
    script = """async (part) => {
      let count = 0;
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const { url } of await cache.keys())
          if (url.includes(part)) count += await cache.delete(url);
      }
      return count;
    }"""
    count: int = page.evaluate(script, part)
    return count
