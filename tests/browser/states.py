"""Brings the page into each of its states in turn, where it stays until the next one."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from playwright.sync_api import Page, expect

from tests import songs
from tests.browser.kept_songs import keep
from tests.browser.visits import begin, choose, model, write_song

SOON: Final = 120_000
"""Milliseconds for whatever needs Python, on a busy machine."""

#: Holds the messages of workers of some name from a message on; the page receives heartbeats instead.
HOLD: Final = """
window.held = { name: null, from: null, messages: [] };
window.Worker = class extends Worker {
  constructor(url, options) {
    super(url, options);
    const say = (data) => this.dispatchEvent(Object.assign(new MessageEvent("message", { data }), { passed: true }));
    this.addEventListener("message", (event) => {
      if (event.passed || held.name === null || !options.name.startsWith(held.name)) return;
      if (held.messages.length === 0 && !held.from(event.data)) return;
      event.stopImmediatePropagation();
      if (held.name === "engine") held.alive ??= setInterval(() => say({ type: "held" }), 1000);
      held.messages.push(() => say(event.data));
    });
  }
};
window.release = () => {
  const { messages, alive } = held;
  clearInterval(alive);
  Object.assign(held, { name: null, messages: [], alive: null });
  for (const say of messages) say();
};
"""

NO_PICKER: Final = "delete window.showSaveFilePicker"


@contextmanager
def holding(page: Page, worker: str, start: str) -> Iterator[None]:
    """Hold a worker's messages from the first one on for which `start`, a JavaScript function, returns true."""
    page.evaluate(f"() => Object.assign(held, {{ name: '{worker}', from: {start} }})")
    yield
    page.evaluate("release()")


def journey(page: Page, folder: Path, *, busy: bool) -> Iterator[str]:
    """Bring a new page into each state, with or without a separation under way, and yield its name."""
    page.add_init_script(HOLD)
    page.add_init_script(NO_PICKER)
    page.goto("/")
    expect(page.get_by_role("radio", name="Harmonic / percussive")).to_be_visible()
    if busy:
        yield from working(page, folder)
        return
    yield "empty"
    for name in ("Help", "Privacy", "Storage", "About"):
        page.get_by_role("button", name=name, exact=True).click()
        dialog = page.get_by_role("dialog", name=name)
        expect(dialog).to_be_visible()
        if name == "About":
            expect(dialog.get_by_role("table")).not_to_have_count(0)
        yield name.lower()
        page.keyboard.press("Escape")
    yield from failing(page, folder)
    yield from finished(page)


def failing(page: Page, folder: Path) -> Iterator[str]:
    broken = folder / "broken.mp3"
    broken.write_bytes(b"this is not music" * 100)
    choose(page, broken)
    expect(page.get_by_role("alert").filter(has_text="audio/unreadable")).to_be_visible(timeout=SOON)
    yield "error"
    page.get_by_role("button", name="Remove this song").click()


def finished(page: Page) -> Generator[str]:
    keep_songs(page)
    page.reload()
    page.get_by_role("list", name="Songs").get_by_role("button", name="Low Water").first.click()
    desk = page.get_by_role("region", name="Stems of Low Water")
    expect(desk.get_by_role("button", name="Download all")).to_be_enabled()
    desk.get_by_role("group", name="Bass").get_by_role("button", name="Mute").click()
    yield "done"
    page.get_by_role("button", name="Spectrogram").click()
    expect(desk.get_by_role("group", name="Drums").get_by_text("1 kHz", exact=True)).to_be_visible()
    yield "spectrogram"
    page.get_by_role("button", name="Waveform").click()
    with holding(page, "export", "(message) => 'ok' in message"):
        desk.get_by_role("button", name="Export mix").click()
        dialog = page.get_by_role("dialog", name="Export")
        expect(dialog.get_by_text("Measuring").first).to_be_visible()
        yield "measuring"
    expect(dialog.get_by_text("This would clip")).to_be_visible(timeout=SOON)
    yield "clipping"
    with holding(page, "export", "({ type, data }) => type === 'export.progress' && data.fraction > 0.3"):
        dialog.get_by_role("button", name="Export", exact=True).click()
        expect(dialog.get_by_role("progressbar")).to_have_attribute("aria-valuetext", re.compile("left"), timeout=SOON)
        yield "exporting"
    expect(dialog.get_by_role("status")).to_contain_text("Saved as", timeout=SOON)
    yield "exported"
    page.keyboard.press("Escape")
    with holding(page, "export", "({ type, data }) => type === 'export.progress' && data.fraction > 0.3"):
        desk.get_by_role("button", name="Download all").click()
        expect(desk.get_by_role("progressbar")).to_have_attribute("aria-valuetext", re.compile("left"), timeout=SOON)
        yield "writing"
    expect(desk.get_by_text("Saved as")).to_be_visible(timeout=SOON)


def working(page: Page, folder: Path) -> Iterator[str]:
    # Playwright waits for ever where a worker has ended before: nothing is routed later.
    page.route("**/*.onnx", lambda route: None if "/default." in route.request.url else route.continue_())
    choose(page, write_song(folder / "A Song with a Name that Goes On for Quite a While (Live).wav", 40))
    expect(page.get_by_text(re.compile("About .* for this song"))).to_have_count(3, timeout=SOON)
    yield "chosen"
    model(page, "Spleeter")
    begin(page)
    expect(page.get_by_text("Downloading the model")).to_be_visible(timeout=SOON)
    yield "downloading"
    page.get_by_role("button", name="Cancel", exact=True).click()
    model(page, "Harmonic")
    with holding(page, "engine", "({ type, data }) => type === 'job.progress' && data.done / data.total > 0.4"):
        begin(page)
        expect(page.get_by_role("region", name=re.compile("^Stems of A Song"))).to_be_visible(timeout=SOON)
        yield "separating"
        page.get_by_role("button", name="Cancel", exact=True).click()


def keep_songs(page: Page) -> None:
    """Store two songs of an earlier visit; the first would clip in most formats."""
    seconds = 4
    parts = songs.stems(seconds)
    stems = {**parts, "vocals": np.ascontiguousarray(0.8 * parts["other"][:, ::-1], np.float32)}
    loud = {name: np.float32(3) * stem for name, stem in stems.items()}
    tags = {"title": "Tide Table", "artist": "The Tester"}
    keep(page, "Low Water", np.sum(list(loud.values()), axis=0, dtype=np.float32), loud, tags=tags, repeats=30)
    keep(page, "Undertow", np.sum(list(stems.values()), axis=0, dtype=np.float32), stems)
