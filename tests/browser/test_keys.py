"""Keys on every keyboard layout, in lists and on the lane of a song that is not separated yet; and media keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.engines import open_empty
from tests.browser.test_page import SOON, choose, desk_of, separate, write_song

#: Events of keyboards -> the key that a shortcut sees.
EVENTS: Final[list[tuple[str, dict[str, Any], str]]] = [
    ("US [", {"key": "[", "code": "BracketLeft"}, "["),
    ("US L", {"key": "L", "code": "KeyL"}, "l"),
    ("German ü, where a US keyboard has [", {"key": "ü", "code": "BracketLeft"}, "["),
    ("German +, which zooms", {"key": "+", "code": "BracketRight"}, "+"),
    ("German AltGr + 8", {"key": "[", "code": "Digit8", "ctrlKey": True, "altKey": True}, "["),
    ("French dead circumflex", {"key": "Dead", "code": "BracketLeft"}, "["),
    ("French A, where a US keyboard has Q", {"key": "a", "code": "KeyQ"}, "a"),
    ("French Q, where a US keyboard has A", {"key": "q", "code": "KeyA"}, "q"),
    ("Japanese [, where a US keyboard has ]", {"key": "[", "code": "BracketRight"}, "["),
    ("Japanese ], where a US keyboard has a backslash", {"key": "]", "code": "Backslash"}, "]"),
    ("Russian, on the key L", {"key": "д", "code": "KeyL"}, "l"),
    ("Russian, on the key [", {"key": "\N{CYRILLIC SMALL LETTER HA}", "code": "BracketLeft"}, "["),
    ("an arrow", {"key": "ArrowLeft", "code": "ArrowLeft"}, "arrowleft"),
    ("a character that is composed", {"key": "a", "code": "KeyA", "isComposing": True}, ""),
    ("an input method", {"key": "Process", "code": "KeyA"}, ""),
    ("autofill", {}, ""),
]


def test_every_layout_has_the_shortcuts(page: Page) -> None:
    open_empty(page)
    script = """async (events) => {
      const { keyOf } = await import("/src/ui/shortcuts.js");
      return events.map((event) => keyOf(event));
    }"""
    seen = page.evaluate(script, [event for _, event, _ in EVENTS])
    assert dict(zip([name for name, *_ in EVENTS], seen, strict=True)) == {name: key for name, _, key in EVENTS}


@pytest.fixture
def home(page: Page, tmp_path: Path) -> Page:
    page.goto("/")
    choose(page, write_song(tmp_path / "Tide Table.wav", seconds=20))
    expect(page.get_by_text("Drag over the song to select a region.")).to_be_visible(timeout=SOON)
    return page


def type_key(page: Page, **event: Any) -> None:
    """A key of a layout that Playwright's keyboard has not."""
    script = """(init) => document.activeElement.dispatchEvent(
      new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init }))"""
    page.evaluate(script, event)


def test_the_lane_is_a_slider_until_there_is_a_desk(home: Page) -> None:
    lane = home.get_by_role("slider", name="Position")
    lane.focus()
    for key in ("ArrowRight", "b", "Shift+ArrowLeft", "Shift+ArrowLeft"):
        home.keyboard.press(key)
    expect(lane).to_have_attribute("aria-valuetext", "0:04 / 0:20")
    assert float(str(lane.get_attribute("aria-valuenow"))) == pytest.approx(4.8)
    home.keyboard.press("a")
    region = home.get_by_text(re.compile(r"^0:04\.8 to 0:05\.0$"))
    expect(region).to_be_visible()

    home.locator("#language").focus()  # a list is searched by what is typed
    for key in ("b", "[", "s", "Escape"):
        home.keyboard.press(key)
    expect(region).to_be_visible()
    lane.focus()
    type_key(home, key="ü", code="BracketLeft")
    type_key(home, key="PageDown", code="Numpad3")  # no stem's key without Num Lock
    home.evaluate("document.body.dispatchEvent(new Event('keydown', { bubbles: true }))")  # as autofill does
    home.keyboard.press("End")
    type_key(home, key="]", code="Digit9", ctrlKey=True, altKey=True)
    expect(home.get_by_text("0:04.8 to 0:20.0")).to_be_visible()


#: Records what the page tells the browser's media session, and lets a test press its keys.
SESSION: Final = """
window.session = { handlers: {}, states: [] };
navigator.mediaSession.setActionHandler = (action, handler) => { session.handlers[action] = handler; };
navigator.mediaSession.setPositionState = (state) => session.states.push(state);
window.media = (action, details = {}) => session.handlers[action]({ action, ...details });
"""


def test_media_keys(page: Page, tmp_path: Path) -> None:
    page.add_init_script(SESSION)
    page.goto("/")
    songs = [write_song(tmp_path / f"{name}.wav", seconds=20) for name in ("First", "Second")]
    choose(page, *songs)
    separate(page)
    listed = page.get_by_role("list", name="Songs").get_by_role("listitem")
    for index in range(2):
        expect(listed.nth(index)).to_contain_text("Done", timeout=SOON)
    desk = desk_of(page, songs[0])
    position = desk.get_by_role("slider", name="Position")

    def told() -> Any:
        return page.evaluate("[navigator.mediaSession.metadata?.title, navigator.mediaSession.playbackState]")

    page.evaluate("media('play')")
    expect(desk.get_by_role("button", name="Pause")).to_be_visible(timeout=SOON)
    assert told() == ["First", "playing"]
    page.evaluate("media('pause')")
    expect(desk.get_by_role("button", name="Play")).to_be_visible()
    assert told() == ["First", "paused"]

    page.evaluate("media('seekto', { seekTime: 12 })")
    expect(position).to_have_value("12")
    page.evaluate("media('seekbackward', { seekOffset: 4 })")
    expect(position).to_have_value("8")
    page.evaluate("media('seekforward')")
    expect(position).to_have_value("13")
    assert page.evaluate("session.states.at(-1)") == {"duration": 20, "position": 13, "playbackRate": 1}
    page.evaluate("media('seekforward', { seekOffset: 100 })")
    expect(position).to_have_value("20")

    page.evaluate("media('seekto', { seekTime: 6 })")
    desk.focus()
    page.keyboard.press("[")  # the part that is practised
    page.evaluate("media('seekto', { seekTime: 15 })")
    for back in ("6", "0"):
        page.evaluate("media('previoustrack')")
        expect(position).to_have_value(back)
    page.evaluate("media('nexttrack')")
    desk_of(page, songs[1])
    assert told()[0] == "Second"
    page.evaluate("media('previoustrack')")
    desk_of(page, songs[0])
