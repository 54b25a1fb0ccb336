"""Songs in the storage outlive reloads and killed browsers, resume their separation, and can be removed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from demixer.errors import CODES
from tests.browser.memory import processes
from tests.browser.visits import Visit, begin, choose, download, model, write_song
from tests.browser.watch import Watch

SOON: Final = 120_000
"""Milliseconds for whatever needs the engine, on a busy machine."""

#: Every file in the browser's private storage, by path, with its size.
FILES: Final = """async () => {
  let files = {};
  const walk = async (folder, path) => {
    for await (const entry of folder.values()) {
      if (entry.kind === "directory") await walk(entry, `${path}${entry.name}/`);
      else files[path + entry.name] = (await entry.getFile()).size;
    }
  };
  for (;;) {
    try {
      await walk(await navigator.storage.getDirectory(), "");
      return files;
    } catch {
      files = {}; // something was being removed
    }
  }
}"""

#: Resolves when a separation has saved its first state.
UNDER_WAY: Final = """async () => {
  const seen = async (folder) => {
    for await (const entry of folder.values()) {
      if (entry.kind === "directory" ? await seen(entry) : entry.name.startsWith("state.")) return true;
    }
    return false;
  };
  // A file that is being removed may be gone already.
  while (!(await seen(await navigator.storage.getDirectory()).catch(() => false)))
    await new Promise(requestAnimationFrame);
}"""


def files(page: Page) -> dict[str, int]:
    found: dict[str, int] = page.evaluate(FILES)
    return found


def opened(context: BrowserContext, base_url: str, watch: Watch | None = None) -> Page:
    page = context.new_page()
    if watch:
        watch.follow(page)
    page.goto(base_url)
    expect(page.get_by_role("radio", name="Harmonic")).to_be_visible()
    return page


def row(page: Page, song: Path) -> Locator:
    """The button of a song in the list."""
    return page.get_by_role("list", name="Songs").get_by_role("button", name=re.compile(f"^{song.stem}"))


def separated(page: Page, song: Path, folder: Path) -> bytes:
    """Separate a song from beginning to end, and save a stem."""
    choose(page, song)
    model(page, "Harmonic")
    begin(page)
    return download(page, "Harmonic", folder, timeout=SOON).read_bytes()


def start(page: Page, song: Path) -> None:
    """Begin to separate a song, and wait until some of it is kept."""
    choose(page, song)
    model(page, "Harmonic")
    begin(page)
    page.evaluate(UNDER_WAY)


def kill(context: BrowserContext) -> None:
    """End the browser as a power cut does."""
    (main,) = processes(context, "browser")
    main.kill()


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Tide Table.wav", 4)


@pytest.fixture
def long_song(tmp_path: Path) -> Path:
    """Long enough to be cut off in the middle."""
    return write_song(tmp_path / "Long Tide.wav", 120)


def test_a_finished_song_reopens_at_once(visit: Visit, song: Path, tmp_path: Path, base_url: str, watch: Watch) -> None:
    with visit() as context:
        first = separated(opened(context, base_url, watch), song, tmp_path)
    with visit() as context:
        page = opened(context, base_url, watch)
        expect(row(page, song)).to_contain_text("Done")
        row(page, song).click()
        assert download(page, "Harmonic", tmp_path).read_bytes() == first
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.get_by_role("slider", name="Position")).not_to_have_value("0")
        assert not [worker for worker in page.workers if "engine" in worker.url]  # all this needs no engine


def reload(context: BrowserContext) -> None:
    context.pages[-1].reload()


@pytest.mark.parametrize("interrupt", [reload, kill], ids=["reload", "killed browser"])
def test_a_separation_that_was_cut_off_goes_on_to_the_same_stems(
    visit: Visit, long_song: Path, tmp_path: Path, base_url: str, interrupt: Callable[[BrowserContext], None]
) -> None:
    with visit() as context:
        page = opened(context, base_url)
        whole = separated(page, long_song, tmp_path)
        page.get_by_role("region", name=long_song.stem, exact=True).get_by_role("button", name="Remove").click()
        start(page, long_song)
        interrupt(context)
        if interrupt is reload:
            finish(page, tmp_path, whole)
    if interrupt is kill:
        with visit() as context:
            finish(opened(context, base_url), tmp_path, whole)


def finish(page: Page, folder: Path, whole: bytes) -> None:
    """Go on with what was cut off, and compare it with an uninterrupted run, bit for bit."""
    expect(page.get_by_text(re.compile(r"^\d+\s?% of this song has been separated with Harmonic"))).to_be_visible()
    kept = {name for name in files(page) if "/harmonic/" in name}
    assert kept
    page.get_by_role("button", name="Continue", exact=True).click()
    assert download(page, "Harmonic", folder, timeout=SOON).read_bytes() == whole
    done = files(page)
    assert kept <= set(done)  # gone on with, not begun anew
    assert not [name for name in done if "/state." in name]


def test_what_a_cancel_leaves_can_be_continued_or_discarded(
    page: Page, long_song: Path, tmp_path: Path, base_url: str
) -> None:
    page.goto(base_url)
    whole = separated(page, long_song, tmp_path)
    page.get_by_role("region", name=long_song.stem, exact=True).get_by_role("button", name="Remove").click()
    start(page, long_song)
    page.get_by_role("button", name="Cancel", exact=True).click()
    resume = page.get_by_role("button", name="Continue", exact=True)
    expect(resume).to_be_visible()
    resume.click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(resume).to_be_visible()
    resume.click()
    assert download(page, "Harmonic", tmp_path, timeout=SOON).read_bytes() == whole

    begin(page)
    page.evaluate(UNDER_WAY)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Discard", exact=True).click()
    expect(resume).to_be_hidden()
    page.wait_for_function(f"async () => !Object.keys(await ({FILES})()).some((name) => name.includes('hpss'))")


def test_discarding_leaves_what_another_model_has_finished(
    visit: Visit, long_song: Path, tmp_path: Path, base_url: str
) -> None:
    with visit() as context:
        page = opened(context, base_url)
        whole = separated(page, long_song, tmp_path)
        model(page, "Spleeter")
        begin(page)
        page.evaluate(UNDER_WAY)
        page.get_by_role("button", name="Cancel", exact=True).click()
        page.get_by_role("button", name="Discard", exact=True).click()
        page.wait_for_function(f"async () => !Object.keys(await ({FILES})()).some((name) => name.includes('spleeter'))")
    with visit() as context:
        page = opened(context, base_url)
        expect(row(page, long_song)).to_contain_text("Done")
        row(page, long_song).click()
        assert download(page, "Harmonic", tmp_path).read_bytes() == whole


def test_a_removed_song_can_be_restored_and_is_then_gone(page: Page, song: Path, tmp_path: Path, base_url: str) -> None:
    page.goto(base_url)
    first = separated(page, song, tmp_path)
    remove = page.get_by_role("region", name=song.stem, exact=True).get_by_role("button", name=f"Remove {song.stem}")
    remove.click()
    page.get_by_role("button", name="Undo").click()
    assert download(page, "Harmonic", tmp_path).read_bytes() == first
    page.get_by_role("button", name="Storage").click()
    storage = page.get_by_role("dialog", name="Storage")
    storage.get_by_role("button", name=re.compile(f"^Remove {song.stem}")).click()
    expect(storage.get_by_text(song.stem)).to_have_count(0)
    page.wait_for_function(f"async () => Object.keys(await ({FILES})()).length === 0")


def quota(page: Page, base_url: str, size: int | None) -> None:
    """Limit the page's storage to a size in bytes; without a size, lift the limit."""
    asked: dict[str, Any] = {"origin": base_url} if size is None else {"origin": base_url, "quotaSize": size}
    page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", asked)


def used(page: Page) -> int:
    size: int = page.evaluate("async () => (await navigator.storage.estimate()).usage")
    return size


def test_a_full_storage_says_so_and_offers_the_oldest_songs(
    page: Page, song: Path, long_song: Path, tmp_path: Path, base_url: str
) -> None:
    page.goto(base_url)
    separated(page, song, tmp_path)
    quota(page, base_url, used(page) + 30_000_000)
    choose(page, long_song)
    alert = page.get_by_role("alert").filter(has_text="There is no space left")
    expect(alert).to_contain_text("storage/quota", timeout=SOON)
    assert "storage/quota" in CODES
    offer = page.get_by_role("alert").get_by_role("button", name=re.compile(f"^Remove {song.stem}, "))
    expect(offer).to_be_visible()

    quota(page, base_url, None)
    # The quota that Chromium reports ignores the test's.
    page.evaluate("usage => { navigator.storage.estimate = async () => ({ usage, quota: usage + 8e7 }) }", used(page))
    choose(page, long_song)
    expect(page.get_by_text("The stems do not fit in the browser's storage.")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("button", name="Separate", exact=True)).to_be_disabled()
    page.evaluate("delete navigator.storage.estimate")
    offer.click()
    expect(row(page, song)).to_have_count(0)
    expect(page.get_by_role("button", name="Separate", exact=True)).to_be_enabled()
    begin(page)
    download(page, "Harmonic", tmp_path, timeout=SOON)


def test_without_storage_songs_are_kept_in_memory(page: Page, song: Path, tmp_path: Path, base_url: str) -> None:
    page.goto(base_url)
    kept = separated(page, song, tmp_path)
    page.add_init_script(
        "StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('', 'SecurityError'))"
    )
    page.reload()
    assert separated(page, song, tmp_path) == kept
    page.reload()
    expect(page.get_by_role("list", name="Songs")).to_be_hidden()


def test_another_tab_leaves_the_songs_of_this_one_alone(
    context: BrowserContext, song: Path, tmp_path: Path, base_url: str
) -> None:
    here = opened(context, base_url)
    separated(here, song, tmp_path)
    there = opened(context, base_url)
    expect(there.get_by_role("list", name="Songs")).to_be_hidden()
    here.close()
    there.reload()
    expect(row(there, song)).to_contain_text("Done")
