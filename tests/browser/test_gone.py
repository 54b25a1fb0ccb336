"""Files and storage that go away while the page works: it says what has happened and what to do next."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.browser.test_page import SOON, choose, desk_of, separate, write_song


def test_a_file_that_was_changed_or_removed_after_it_was_chosen(page: Page, tmp_path: Path) -> None:
    held: list[Route] = []
    page.route("**/decode-worker-*.js", lambda route: held.append(route))
    page.goto("/")
    changed, removed = (write_song(tmp_path / f"{name}.wav", seconds=4) for name in ("Changed", "Removed"))
    for song in (changed, removed):
        choose(page, song)
        while not held:
            page.wait_for_timeout(50)
        if song is changed:
            write_song(song, seconds=2)
            os.utime(song, (0, 0))  # browsers compare whole seconds
        else:
            song.unlink()
        held.pop().continue_()
        told = f"{song.stem} was changed or removed after it was chosen"
        expect(page.get_by_role("alert").filter(has_text=told)).to_contain_text("Choose the file again.")


def clear(page: Page) -> None:
    """Clear the browser's storage, as its settings do."""
    session = page.context.new_cdp_session(page)
    origin = page.evaluate("location.origin")
    session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "file_systems"})
    session.detach()


def test_storage_that_was_cleared(page: Page, tmp_path: Path) -> None:
    song = write_song(tmp_path / "Tide Table.wav", seconds=4)
    page.add_init_script("delete window.showSaveFilePicker")
    page.goto("/")
    choose(page, song)
    separate(page)
    desk = desk_of(page, song)
    clear(page)
    desk.get_by_role("button", name="Play").click()
    expect(desk.get_by_role("status").filter(has_text="the browser's storage was cleared")).to_have_count(1)
    desk.get_by_role("button", name="Export mix").click()
    dialog = page.get_by_role("dialog", name="Export")
    dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog.get_by_role("alert").filter(has_text="Choose the song again.")).to_have_count(1, timeout=SOON)


def test_storage_that_is_cleared_during_a_separation(page: Page, tmp_path: Path) -> None:
    page.goto("/")
    choose(page, write_song(tmp_path / "Long Tide.wav", seconds=600, channels=1))
    separate(page)
    expect(page.get_by_role("region", name="Stems of Long Tide")).to_be_visible(timeout=SOON)
    clear(page)
    alert = page.get_by_role("alert").filter(has_text=re.compile("storage was cleared while the page worked"))
    expect(alert).to_contain_text("Choose the song again.", timeout=SOON)
    expect(alert.get_by_role("button", name="Try again")).to_have_count(0)


def test_a_song_of_which_a_part_is_missing_says_so_at_every_visit(page: Page, tmp_path: Path) -> None:
    song = write_song(tmp_path / "Broken Off.wav", seconds=4)
    song.write_bytes(song.read_bytes()[: song.stat().st_size // 2])
    page.goto("/")
    choose(page, song)
    notice = page.get_by_role("status").filter(has_text="2 sec of this song are missing")
    expect(notice).to_be_visible(timeout=SOON)
    page.reload()
    page.get_by_role("list", name="Songs").get_by_role("button", name=re.compile("^Broken Off")).click()
    expect(notice).to_be_visible(timeout=SOON)
    choose(page, write_song(tmp_path / "Whole.wav", seconds=4))
    expect(page.get_by_role("heading", name="Whole")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("missing")).to_have_count(0)
