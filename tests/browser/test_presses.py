"""Presses of controls that the page's own changes come between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.visits import choose, write_song

#: The tops of the models and of *Separate*.
TOPS = """() => [...document.querySelectorAll("model-picker input[name=model], model-picker button")]
  .map((element) => element.getBoundingClientRect().top + scrollY)"""


@pytest.fixture
def home(page: Page) -> Page:
    page.goto("/")
    expect(page.get_by_role("radio", name="Spleeter")).to_be_visible()
    return page


def test_a_press_is_a_click_though_the_page_changes_before_the_release(home: Page) -> None:
    home.evaluate("document.querySelector('.drop-notice').style.minHeight = '20rem'")  # moves what is below
    radio = home.get_by_role("radio", name="Spleeter")
    box = radio.bounding_box()
    assert box
    home.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    home.mouse.down()
    home.evaluate("dispatchEvent(new CustomEvent('link-dropped'))")
    home.mouse.up()
    expect(radio).to_be_checked()
    expect(home.get_by_role("status").filter(has_text="A link cannot be opened here")).to_be_visible()
    moved = radio.bounding_box()
    assert moved
    assert moved["y"] > box["y"] + 200


def test_nothing_to_press_moves_when_a_song_has_been_decoded(home: Page, tmp_path: Path) -> None:
    loading: list[Route] = []
    home.route("**/decode-worker*.js", lambda route: loading.append(route))
    with home.expect_request("**/decode-worker*.js"):
        choose(home, write_song(tmp_path / "A song.wav"))
    expect(home.get_by_role("heading", name="A song")).to_be_visible()
    before = tops(home)
    (route,) = loading
    route.continue_()
    expect(home.get_by_text("44.1 kHz")).to_be_visible()
    assert tops(home) == before


def tops(page: Page) -> list[Any]:
    """The tops at the widths of a desktop and of a phone."""
    found = []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        found.append(page.evaluate(TOPS))
    return found


def test_a_report_about_the_storage_leaves_its_buttons_and_the_focus(home: Page) -> None:
    script = """() => {
      const song = { id: "one", name: "One", added: 0, folder: "one", stems: [], unfinished: null };
      const state = (runtime, songs) => ({
        models: [], songs, problem: null, engine: { info: null, error: null }, offline: { phase: "idle", fraction: 0 },
        storage: { shell: 1, runtime, models: [], usage: 1, quota: 2 },
      });
      const list = document.querySelector("storage-list");
      list.closest("dialog").show();
      list.render(state(0, [song]));
      const button = list.querySelector("li:last-child button");
      button.focus();
      list.render(state(1, [{ ...song, id: "two", name: "Two" }, song]));
      return [document.activeElement === button, button.getAttribute("aria-label"), list.querySelectorAll("li").length];
    }"""
    assert home.evaluate(script) == [True, "Remove One, Jan 1, 1970", 4]
