"""Times first visits to the page, with an empty profile."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page, expect

from demixer_build.bench.chromium import Launcher
from demixer_build.bench.report import Visit
from demixer_build.bench.site import Served

LABELS: Final = {"hpss": "Harmonic / percussive", "spleeter-2stems": "Spleeter", "htdemucs": "HT-Demucs"}
"""Beginnings of the labels of the models' radio buttons."""


def first_visits(browsers: Launcher, served: Served, song: Path, models: Sequence[str]) -> list[Visit]:
    """Visit until the page can be used, and once for the first stem of each model, each time with an empty cache."""
    return [_visit(browsers, served, None, None), *(_visit(browsers, served, song, model) for model in models)]


def _visit(browsers: Launcher, served: Served, song: Path | None, model: str | None) -> Visit:
    with browsers.tab(served.url) as tab:
        requests, sent, begin = served.requests, served.sent, time.perf_counter()
        tab.page.goto("/")
        expect(tab.page.get_by_role("button", name="Choose songs")).to_be_enabled()
        expect(tab.page.get_by_role("radio").first).to_be_attached()  # the models are listed
        if song and model:
            begin_separation(tab.page, song, model)
            expect(desk(tab.page)).to_be_visible(timeout=0)
        seconds = time.perf_counter() - begin
        tab.page.evaluate("async () => { await navigator.serviceWorker.ready }")
        return Visit(
            until=f"first stem of {model}" if model else "usable page",
            requests=served.requests - requests,
            bytes=served.sent - sent,
            seconds=seconds,
        )


def begin_separation(page: Page, song: Path, model: str) -> None:
    """Choose a song and a model, and press Separate."""
    page.locator("input[type=file]").first.set_input_files(song)
    page.get_by_role("radio", name=LABELS[model]).check()
    page.get_by_role("button", name="Separate", exact=True).click()


def desk(page: Page) -> Locator:
    """The region in which the stems appear once they can be heard."""
    return page.get_by_role("region", name=re.compile("^Stems of"))
