"""What must not go wrong on long songs, measured on the real page; each kind of row is a function of `ROWS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from playwright.sync_api import expect

from demixer_build.bench import visits
from demixer_build.bench.chromium import Launcher, launcher
from demixer_build.bench.memory import Peak, proportional
from demixer_build.bench.site import Served, served
from demixer_build.bench.subjects import RATE
from demixer_build.bench.tables import Sheet
from demixer_build.console import step
from demixer_build.paths import STATE

MINUTES: Final = (3, 12, 60)
MODELS: Final = ("hpss", "spleeter-2stems")
_BLOCK_SECONDS: Final = 10


def measure() -> Iterator[Sheet]:
    """Every table, as it is finished."""
    with launcher() as browsers, served({}) as site:
        for table in TABLES:
            yield table(browsers, site)


def length_and_memory(browsers: Launcher, site: Served) -> Sheet:
    """How the memory of the page grows with the length of a song."""
    rows = []
    for model in MODELS:
        for minutes in MINUTES:
            with step(f"Separating {minutes} minutes with {model}"):
                rows.append((model, f"{minutes} min", *_separate(browsers, site, model, song(minutes))))
    return Sheet("Length and peak memory of all renderer processes", ("model", "song", "peak", "ended with"), rows)


#: Rows of other kinds are added here.
TABLES: Final[tuple[Callable[[Launcher, Served], Sheet], ...]] = (length_and_memory,)


def _separate(browsers: Launcher, site: Served, model: str, song: Path) -> tuple[str, str]:
    """Peak memory, and how it ended: with stems, or with what the page says of an error."""
    with browsers.tab(site.url) as tab, Peak(tab.renderers, proportional) as peak:
        tab.page.goto("/")
        visits.begin_separation(tab.page, song, model)
        finished = visits.desk(tab.page).get_by_role("button", name="Download all")
        failed = tab.page.get_by_role("alert").filter(visible=True)
        expect(finished.and_(tab.page.locator(":enabled")).or_(failed).first).to_be_visible(timeout=0)
        ended = failed.first.inner_text() if failed.count() else "stems"
    return f"{peak.mb:.0f} MB", " ".join(ended.split())


def song(minutes: int) -> Path:
    """A stereo song of 16 bits, the same every time; written block by block, as it may be an hour."""
    path = STATE / "bench" / "songs" / f"{minutes} minutes.wav"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        noise = np.random.default_rng(0)
        time = np.arange(_BLOCK_SECONDS * RATE) / RATE
        with soundfile.SoundFile(partial, "w", RATE, 2, "PCM_16", format="WAV") as file:
            for _ in range(minutes * 60 // _BLOCK_SECONDS):
                tone = np.sin(2 * np.pi * noise.choice([110, 147, 196, 262]) * time)
                hits = noise.standard_normal((len(time), 2)) * np.exp(-8 * (time % 0.5))[:, None]
                file.write(0.2 * tone[:, None] + 0.1 * hits)
        partial.replace(path)
    return path
