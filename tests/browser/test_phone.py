"""A phone: the whole journey by taps, targets that a finger hits, and swipes that scroll instead of changing values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, CDPSession, Error, Locator, Page, ViewportSize, expect

from tests.browser.states import finished, journey
from tests.browser.test_library import UNDER_WAY, start
from tests.browser.test_states import BEYOND
from tests.browser.visits import write_song
from tests.browser.watch import Watch

SOON: Final = 120_000
"""Milliseconds for whatever needs the engine, on a busy machine."""

#: Least side of a target in CSS pixels (WCAG 2.5.8).
LEAST: Final = 24

#: Visible controls that are smaller. Radio buttons, check boxes and file inputs are as large as their labels.
SMALL: Final = """(least) => {
  const scope = document.querySelector("dialog[open]") ?? document;
  const controls = scope.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']");
  const targets = new Set(Array.from(controls, (each) =>
    each.matches("input[type=radio], input[type=checkbox], input[type=file]") ? each.closest("label") ?? each : each));
  return Array.from(targets).filter((each) => each.checkVisibility({ visibilityProperty: true })).flatMap((each) => {
    const { width, height } = each.getBoundingClientRect();
    const name = each.getAttribute("aria-label") ?? each.textContent.trim().slice(0, 30);
    const isSmall = Math.min(width, height) < least - 0.01;
    return isSmall ? [`${each.localName}.${each.className} ${name}: ${width} x ${height}`] : [];
  });
}"""


#: Sizes of phones in CSS pixels, the usual one last.
SIZES: Final[tuple[ViewportSize, ...]] = ({"width": 320, "height": 658}, {"width": 390, "height": 844})


@pytest.fixture
def phone(browser: Browser, base_url: str, watch: Watch, returning: str) -> Iterator[Page]:
    """A watched page on a phone."""
    context = browser.new_context(
        base_url=base_url,
        viewport=SIZES[-1],
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        service_workers="block",
    )
    context.add_init_script(returning)
    page = context.new_page()
    watch.follow(page)
    yield page
    context.close()


def sizes(page: Page) -> Iterator[int]:
    """Give a page the size of each phone, and yield its width."""
    for size in SIZES:
        page.set_viewport_size(size)
        yield size["width"]


def tap(target: Locator) -> None:
    """Tap in the middle of a target, and see that nothing reaches beyond the screen."""
    target.tap()
    for width in sizes(target.page):
        assert not target.page.evaluate(BEYOND), width


def test_every_target_is_large_enough_for_a_finger(phone: Page, tmp_path: Path) -> None:
    states = journey(phone, tmp_path, busy=False)
    small = {each for _ in states for _ in sizes(phone) for each in phone.evaluate(SMALL, LEAST)}
    assert sorted(small) == []


def test_a_song_is_separated_played_and_exported_by_taps(phone: Page, tmp_path: Path) -> None:
    phone.add_init_script("delete window.showSaveFilePicker")
    phone.goto("/")
    with phone.expect_file_chooser() as chooser:
        tap(phone.get_by_role("button", name=re.compile("^Choose")).first)
    chooser.value.set_files(write_song(tmp_path / "A Song with a Name that Goes On for Quite a While (Live).wav", 4))
    tap(phone.get_by_role("radio", name="Harmonic / percussive"))
    tap(phone.get_by_role("button", name="Separate", exact=True))
    desk = phone.get_by_role("region", name=re.compile("^Stems of A Song"))
    expect(desk.get_by_role("button", name="Download all")).to_be_enabled(timeout=SOON)
    percussive = desk.get_by_role("group", name="Percussive")
    tap(percussive.get_by_role("button", name="Mute"))
    expect(percussive.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    tap(desk.get_by_role("button", name="Play", exact=True))
    tap(desk.get_by_role("button", name="Pause", exact=True))
    tap(desk.get_by_role("button", name="Export mix"))
    dialog = phone.get_by_role("dialog", name="Export")
    with phone.expect_download(timeout=SOON) as saved:
        tap(dialog.get_by_role("button", name="Export", exact=True))
    assert saved.value.suggested_filename.endswith(".wav")
    expect(dialog.get_by_role("status")).to_contain_text("Saved as", timeout=SOON)


def test_a_finger_changes_a_fader_sideways_and_scrolls_up_and_down(phone: Page) -> None:
    phone.goto("/")
    states = finished(phone)
    assert next(states) == "done"
    states.close()
    fader = phone.get_by_role("group", name="Bass").get_by_role("slider", name="Volume")
    finger = phone.context.new_cdp_session(phone)
    values = phone.evaluate_handle(
        """(fader) => {
          const values = [];
          new MutationObserver(() => values.push(fader.ariaValueText))
            .observe(fader, { attributes: true, attributeFilter: ["aria-valuetext"] });
          return values;
        }""",
        fader.element_handle(),
    )
    before = phone.evaluate("scrollY")
    swipe(finger, fader, 0, -150)
    phone.wait_for_function("(before) => scrollY > before + 20", arg=before)
    assert set(values.json_value()) <= {"0.0 dB"}
    expect(fader).to_have_attribute("aria-valuetext", "0.0 dB")
    swipe(finger, fader, -40, 0)
    expect(fader).not_to_have_attribute("aria-valuetext", "0.0 dB")


def swipe(finger: CDPSession, start: Locator, across: float, down: float) -> None:
    """Put a finger on the right part of an element and move it by so many pixels."""
    start.scroll_into_view_if_needed()
    box = start.bounding_box()
    assert box
    x, y = box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2
    point = {"x": x, "y": y}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    for step in range(1, 11):
        point = {"x": x + across * step / 10, "y": y + down * step / 10}
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


#: A phone that tells of its memory, in GB; and one that does not, as all with iOS.
MEMORY: Final = {
    "2 GB": "Object.defineProperty(Navigator.prototype, 'deviceMemory', { value: 2 })",
    "unknown": "delete Navigator.prototype.deviceMemory",
}


@pytest.mark.parametrize("memory", MEMORY)
def test_a_model_that_the_device_may_not_hold_comes_last_and_can_be_chosen(phone: Page, memory: str) -> None:
    phone.add_init_script(MEMORY[memory])
    phone.goto("/")
    models = phone.get_by_role("radiogroup", name="Model").get_by_role("radio")
    expect(models).to_have_count(3)
    assert models.evaluate_all("(all) => all.map(({ value }) => value)")[::2] == ["spleeter-2stems", "htdemucs"]
    expect(models.first).to_be_checked()
    expect(phone.get_by_text("HT-Demucs needs more memory than this device probably has")).to_be_visible()
    tap(models.last)
    expect(models.last).to_be_checked()


def test_a_computer_is_offered_the_best_model_first(page: Page) -> None:
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'deviceMemory', { value: 8 })")
    page.goto("/")
    models = page.get_by_role("radiogroup", name="Model").get_by_role("radio")
    expect(models.first).to_have_value("htdemucs")
    expect(models.first).to_be_checked()
    expect(page.get_by_text("memory", exact=False).filter(visible=True)).to_have_count(0)


def test_a_killed_tab_goes_on_where_it_was_and_after_the_second_time_with_less(
    phone: Page, tmp_path: Path, watch: Watch
) -> None:
    context = phone.context
    song = write_song(tmp_path / "Long Tide.wav", 120)
    watch.expect("the page crashed")
    goes_on = re.compile(r"^\d+\s?% of this song has been separated with Harmonic")
    page = phone
    page.goto("/")
    start(page, song)
    for killed in (1, 2):
        kill_tab(page)
        page = context.new_page()
        page.goto("/")
        expect(page.get_by_text(goes_on)).to_be_visible()
        told = page.get_by_text("has run out of memory on this device more than once")
        expect(told).to_have_count(killed - 1)
        page.get_by_role("button", name="Continue", exact=True).tap()
        if killed == 1:
            page.evaluate(UNDER_WAY)
    expect(page.get_by_role("combobox", name="Compute device")).to_have_value("wasm-1")
    expect(page.get_by_role("button", name="Download all")).to_be_enabled(timeout=SOON)
    page.reload()
    expect(page.get_by_role("radiogroup", name="Model").get_by_role("radio")).to_have_count(3)
    expect(told).to_have_count(0)  # it has finished since


def test_a_tab_that_was_left_has_not_been_killed(phone: Page, tmp_path: Path) -> None:
    phone.goto("/")
    start(phone, write_song(tmp_path / "Long Tide.wav", 120))
    for _ in range(2):
        phone.reload()
        phone.get_by_role("button", name="Continue", exact=True).tap()
        phone.evaluate(UNDER_WAY)
    assert phone.evaluate("localStorage.getItem('demixer.crashes')") is None


def kill_tab(page: Page) -> None:
    """End a page's process while its engine computes, as a phone without memory does."""
    page.wait_for_function(
        "() => Object.keys(JSON.parse(localStorage.getItem('demixer.separating') ?? '{}')).length > 0"
    )
    with page.expect_event("crash"), suppress(Error):
        page.goto("chrome://crash")
