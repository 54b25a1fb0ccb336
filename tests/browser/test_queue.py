"""The queue in use: order, tags, stopping and retrying songs, and the page's messages during work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import soundfile
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_page import SOON, accessible, choose, desk_of, home, separate, write_song

__all__ = ["home"]

#: Records the page's requests to the system; `away` hides the page.
SYSTEM: Final = """
window.asked = { notifications: [], locks: 0, released: 0, permission: 0 };
window.away = false;
Object.defineProperty(document, "hidden", { get: () => window.away });
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { asked.permission += 1; return (this.permission = "granted"); }
  constructor(text) { super(); asked.notifications.push(text); }
};
Object.defineProperty(navigator, "wakeLock", { value: {
  request: async () => { asked.locks += 1; return { release: async () => { asked.released += 1; } }; },
} });
"""

#: True when the browser would ask before it closes the page.
CLOSING: Final = """() => {
  const event = new Event("beforeunload", { cancelable: true });
  dispatchEvent(event);
  return event.defaultPrevented;
}"""


@pytest.fixture
def songs(tmp_path: Path) -> list[Path]:
    """One that takes a while, and two short ones."""
    return [
        write_song(tmp_path / "Ebb.wav", seconds=240, channels=1),
        write_song(tmp_path / "Flood.wav", seconds=2),
        write_song(tmp_path / "Neap.wav", seconds=2),
    ]


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Songs").get_by_role("listitem")


def names(page: Page) -> list[str]:
    return rows(page).locator(".song-name").all_inner_texts()


def test_songs_are_reordered_by_keys_and_by_dragging(home: Page, songs: list[Path]) -> None:
    choose(home, *songs)
    expect(rows(home)).to_have_count(3)
    grip = home.get_by_role("button", name="Move Ebb with the arrow keys")
    grip.focus()
    home.keyboard.press("ArrowDown")
    expect(rows(home).nth(1)).to_contain_text("Ebb")
    expect(grip).to_be_focused()
    home.keyboard.press("ArrowDown")
    home.keyboard.press("ArrowDown")  # there is nothing below
    expect(rows(home).nth(2)).to_contain_text("Ebb")
    home.keyboard.press("ArrowUp")
    expect(rows(home).nth(1)).to_contain_text("Ebb")
    assert names(home) == ["Flood", "Ebb", "Neap"]

    target = rows(home).nth(0).bounding_box()
    neap = home.get_by_role("button", name="Move Neap with the arrow keys").bounding_box()
    assert target
    assert neap
    home.mouse.move(neap["x"] + 8, neap["y"] + 8)
    home.mouse.down()
    home.mouse.move(neap["x"] + 8, target["y"] + 4, steps=20)
    home.mouse.up()
    expect(rows(home).nth(0)).to_contain_text("Neap")
    assert names(home) == ["Neap", "Flood", "Ebb"]
    home.get_by_role("button", name="Remove Flood").first.click()
    home.get_by_role("button", name="Undo").click()
    expect(rows(home)).to_have_count(3)
    assert names(home) == ["Neap", "Flood", "Ebb"]
    expect(rows(home).and_(home.locator("[data-status=ready]"))).to_have_count(3, timeout=SOON)
    home.reload()
    expect(rows(home)).to_have_count(3)
    assert names(home) == ["Neap", "Flood", "Ebb"]


def test_stopping_one_song_leaves_the_others_alone(home: Page, songs: list[Path]) -> None:
    choose(home, *songs)
    expect(home.get_by_text(re.compile("About .* for this song"))).to_have_count(3, timeout=SOON)
    separate(home)
    expect(home.get_by_text(re.compile(r"0 of 3 songs separated · about .* left in total"))).to_be_visible(timeout=SOON)
    expect(rows(home).nth(1)).to_contain_text("Waiting")
    accessible(home, "queue")
    home.get_by_role("button", name="Stop Flood").click()
    expect(rows(home).nth(1)).to_contain_text("Ready")
    expect(rows(home).nth(0)).to_contain_text("Separating")
    home.get_by_role("button", name="Stop Ebb").click()
    expect(rows(home).nth(0)).to_contain_text(re.compile("Ready|Unfinished"))
    expect(rows(home).nth(2)).to_contain_text("Done", timeout=SOON)
    expect(rows(home).nth(1)).to_contain_text("Ready")
    expect(home.get_by_text("1 of 3 songs separated")).to_be_visible()


def test_a_song_that_failed_is_tried_again_from_the_list(home: Page, songs: list[Path]) -> None:
    home.route("**/models/spleeter-2stems/*.onnx", lambda route: route.abort())
    choose(home, songs[1], songs[2])
    expect(home.get_by_text(re.compile("About .* for this song"))).to_have_count(3, timeout=SOON)
    home.get_by_role("button", name="Remove Neap").first.click()
    choose(home, songs[2])
    separate(home, "Spleeter")
    failed = rows(home).filter(has_text="Failed")
    expect(failed).to_have_count(2, timeout=SOON)
    expect(home.get_by_role("alert").filter(has_text="model/network")).to_be_visible()
    home.unroute("**/models/spleeter-2stems/*.onnx")
    home.get_by_role("button", name="Try Flood again").click()
    expect(rows(home).filter(has_text="Flood")).to_contain_text("Done", timeout=SOON)
    expect(failed).to_have_count(1)


def test_title_and_artist_are_shown_and_kept(home: Page, tmp_path: Path) -> None:
    plain = write_song(tmp_path / "07 track.wav", seconds=2)
    samples, rate = soundfile.read(plain)
    tagged = tmp_path / "07 track.flac"
    with soundfile.SoundFile(tagged, "w", rate, 2, format="FLAC") as file:
        file.title, file.artist = "Spring Tide", "The Lunars"
        file.write(samples)
    choose(home, tagged)
    shown = home.get_by_text("Spring Tide, The Lunars").locator("visible=true")
    expect(shown).to_have_count(1, timeout=SOON)
    home.reload()
    expect(shown).to_have_count(1, timeout=SOON)


def test_the_page_shows_when_it_works_and_when_it_is_done(page: Page, songs: list[Path]) -> None:
    page.add_init_script(SYSTEM)
    page.goto("/")
    choose(page, songs[0])
    expect(page.get_by_text(re.compile("About .* for this song"))).to_have_count(3, timeout=SOON)
    assert not page.evaluate(CLOSING)
    separate(page)
    expect(page).to_have_title(re.compile(r"^\d+% Ebb - Demixer$"))
    assert page.evaluate(CLOSING)
    told: dict[str, Any] = page.evaluate("asked")
    assert told["permission"] == 0, "it asks before it is asked to"
    assert told["locks"] == 1
    notify = page.get_by_role("button", name="Notify me")
    notify.click()
    expect(notify).to_have_attribute("aria-pressed", "true")
    page.evaluate("away = true")
    expect(page).to_have_title("Done: Ebb - Demixer", timeout=SOON)
    told = page.evaluate("asked")
    assert told == {"notifications": ["The stems of Ebb are ready."], "locks": 1, "released": 1, "permission": 1}
    assert not page.evaluate(CLOSING)
    page.evaluate("away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page).to_have_title("Demixer")
    desk_of(page, songs[0])


def test_a_page_at_work_asks_before_it_is_closed(home: Page, songs: list[Path]) -> None:
    choose(home, songs[0])
    separate(home)
    expect(home.get_by_role("progressbar")).to_be_visible()
    with home.expect_event("dialog") as asked:
        home.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.accept()
