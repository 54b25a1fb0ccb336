"""Long songs and many songs: only the disk fills up. Takes up to an hour: `build.py test --soak`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from demixer_build.bench.memory import Peak, proportional
from tests.browser.memory import processes
from tests.browser.visits import Visit, begin, choose, download, model, write_song

RATE: Final = 44_100
BLOCK_SECONDS: Final = 10
STEMS: Final = {"Harmonic / percussive": ("Harmonic", "Percussive"), "Spleeter": ("Vocals", "Accompaniment")}

#: Milliseconds: two hours of music on a slow machine.
PATIENCE: Final = 7_200_000

Record = Callable[[str, object], None]


def write_long_song(path: Path, minutes: int) -> Path:
    """Tones and hits that never repeat, written block by block."""
    random = np.random.default_rng(minutes)
    time = np.arange(BLOCK_SECONDS * RATE) / RATE
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16", format="WAV") as file:
        for _ in range(minutes * 60 // BLOCK_SECONDS):
            tone = np.sin(2 * np.pi * random.uniform(80, 400) * time)
            hits = random.standard_normal((len(time), 2)) * np.exp(-8 * (time % 0.5))[:, None]
            file.write(0.2 * tone[:, None] + 0.1 * hits)
    return path


def read_end(path: Path, seconds: int = 10) -> tuple[np.ndarray, int]:
    """The last seconds of a file, and its length in samples."""
    length = soundfile.info(path).frames
    samples, _ = soundfile.read(path, start=length - seconds * RATE, dtype="float32")
    return samples, length


def separate(page: Page, song: Path, label: str) -> float:
    """Separate a song with a fresh engine; return the peak memory in megabytes."""
    model(page, label)
    renderers = processes(page.context, "renderer")
    with Peak(lambda: renderers, proportional) as peak:
        choose(page, song)
        begin(page)
        wait(page, song)
    return peak.mb


def wait(page: Page, song: Path) -> None:
    """Until all stems are there, or an error is."""
    desk = page.get_by_role("region", name=f"Stems of {song.stem}", exact=True)
    finished = desk.locator("button:enabled", has_text="Download all")
    failed = page.get_by_role("alert").filter(has_text="/", visible=True)
    expect(finished.or_(failed)).to_be_visible(timeout=PATIENCE)
    expect(failed).to_have_count(0)


@pytest.fixture
def page(visit: Visit, base_url: str) -> Iterator[Page]:
    """A page of an ordinary profile: a private window keeps its small storage in memory."""
    with visit() as context:
        page = context.new_page()
        page.goto(base_url)
        yield page


@pytest.mark.soak
@pytest.mark.parametrize("label", STEMS)
def test_two_hours(page: Page, tmp_path: Path, label: str, record_property: Record) -> None:
    song = write_long_song(tmp_path / "Two Hours.wav", 120)
    record_property("peak of the renderers", f"{separate(page, song, label):.0f} MB")
    end, length = read_end(song)
    total = np.zeros_like(end)
    for stem in STEMS[label]:
        samples, stem_length = read_end(download(page, stem, tmp_path, timeout=PATIENCE))
        assert stem_length == length
        total += samples
    assert np.abs(total - end).max() <= 1e-4


@pytest.mark.soak
@pytest.mark.parametrize("label", STEMS)
def test_memory_does_not_grow_with_the_song(page: Page, tmp_path: Path, label: str, record_property: Record) -> None:
    peaks = []
    for minutes in (3, 12, 60):
        song = write_long_song(tmp_path / f"{minutes} minutes.wav", minutes)
        peaks.append(separate(page, song, label))
        record_property(f"peak for {minutes} minutes", f"{peaks[-1]:.0f} MB")
        page.get_by_role("button", name=f"Remove {song.stem}").first.click()
    assert peaks[-1] <= 1.1 * peaks[0]


@pytest.mark.soak
def test_ten_songs_leave_nothing_behind(page: Page, tmp_path: Path, record_property: Record) -> None:
    model(page, "Spleeter")
    after = []
    for number in range(10):
        song = write_song(tmp_path / f"Song {number}.wav", 30)
        choose(page, song)
        begin(page)
        wait(page, song)
        page.request_gc()
        after.append(sum(map(proportional, processes(page.context, "renderer"))) / 1e6)
    record_property("after the second song", f"{after[1]:.0f} MB")
    record_property("after the tenth song", f"{after[-1]:.0f} MB")
    assert len(page.get_by_role("list", name="Songs").get_by_text(re.compile("^Done$")).all()) == 10
    assert after[-1] <= 1.05 * after[1]
