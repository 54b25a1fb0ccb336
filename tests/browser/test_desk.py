"""The desk in use: regions, loops, previews, zoom, spectrograms, and the state it keeps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_page import SOON, accessible, choose, desk_of, home, separate, strip, write_song
from tests.browser.watch import Watch

__all__ = ["home"]

SECONDS: Final = 20

#: Highest brightness of each row of a spectrogram, from the top; 0 to 3 * 255.
ROWS: Final = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const rows = Array(height).fill(0);
  let painted = 0;
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
    const [red, green, blue, alpha] = data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4);
    painted += alpha > 0;
    rows[y] += (red + green + blue) / width;
  }
  return { rows, painted: painted / (width * height) };
}"""


#: Number of columns of a waveform whose height differs from that of the previous one.
CHANGES: Final = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const painted = (x) => data.filter((value, at) => at % 4 === 3 && (at >> 2) % width === x && value > 0).length;
  const heights = Array.from({ length: width }, (_, x) => painted(x));
  return heights.filter((each, x) => x > 0 && each !== heights[x - 1]).length;
}"""


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Tide Table.wav", seconds=SECONDS)


def lane(page: Page) -> Locator:
    """The lane of the song itself."""
    return page.locator("song-overview track-lane")


def drag(page: Page, within: Locator, start: float, stop: float) -> None:
    """Press at a fraction of an element's width, and let go at another."""
    box = within.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + stop * box["width"], y, steps=4)
    page.mouse.up()


def seconds(position: Locator) -> float:
    return float(position.input_value())


def test_a_region_is_previewed_and_looped_before_the_song_is_separated(home: Page, song: Path) -> None:
    choose(home, song)
    home.get_by_role("radio", name="Harmonic / percussive").check()
    expect(home.get_by_text("Drag over the song to select a region.")).to_be_visible(timeout=SOON)
    drag(home, lane(home), 0.25, 0.5)
    expect(home.get_by_text(re.compile(r"^0:0[45]\.\d to 0:(09|10)\.\d$"))).to_be_visible()
    drag(home, lane(home), 0.5, 0.4)  # its edge
    expect(home.get_by_text(re.compile(r"^0:0[45]\.\d to 0:0[78]\.\d$"))).to_be_visible()
    home.get_by_role("button", name="Preview region").click()

    desk = home.get_by_role("region", name="Stems of Tide Table")
    expect(desk.get_by_text(re.compile("A preview of 0:0[45].* to 0:0[78].*"))).to_be_visible(timeout=SOON)
    expect(desk.get_by_role("button", name="Download all")).to_be_disabled()
    desk.get_by_role("button", name="Loop").click()
    desk.get_by_role("button", name="Play").click()
    position = desk.get_by_role("slider", name="Position")
    seen = []
    for _ in range(25):
        seen.append(seconds(position))
        home.wait_for_timeout(200)
    assert 4.5 < min(seen[1:]) < max(seen) < 8.5
    assert (np.diff(seen) < 0).any(), "it has not turned back"

    separate(home)
    desk_of(home, song)
    expect(desk.get_by_text(re.compile("A preview of"))).to_have_count(0)
    home.get_by_role("button", name="Clear the region").click()
    expect(home.get_by_text("Drag over the song to select a region.")).to_be_visible()


def test_closer_looks_and_keys(home: Page, song: Path, watch: Watch) -> None:
    watch.expect("willReadFrequently")  # this test reads pixels, the page does not
    choose(home, song)
    expect(home.get_by_text("Drag over the song to select a region.")).to_be_visible(timeout=SOON)
    for key in ("ArrowRight", "[", "ArrowRight", "]"):
        home.keyboard.press(key)
    expect(home.get_by_text("0:05.0 to 0:10.0")).to_be_visible()
    expect(home.get_by_role("button", name="Preview region")).to_be_visible()
    home.keyboard.press("Escape")
    home.keyboard.press("Home")
    separate(home)
    desk = desk_of(home, song)
    desk.focus()
    part = home.get_by_role("slider", name="Visible part")
    home.keyboard.press("+")
    expect(part).to_have_attribute("aria-valuetext", "0:00.0 to 0:10.0")
    home.keyboard.press("End")
    expect(part).to_have_attribute("aria-valuetext", "0:10.0 to 0:20.0")  # the playhead stays in sight
    part.fill("0")
    home.get_by_role("button", name="Zoom in").click()  # it is out of sight: about the middle
    expect(part).to_have_attribute("aria-valuetext", "0:02.5 to 0:07.5")
    part.fill("10")
    expect(part).to_have_attribute("aria-valuetext", "0:10.0 to 0:15.0")
    strip(desk, "Harmonic").locator("track-lane").click(position={"x": 2, "y": 10})
    expect(desk.get_by_role("slider", name="Position")).to_have_attribute("aria-valuetext", "0:10 / 0:20")
    desk.focus()
    home.keyboard.press("[")
    home.keyboard.press("ArrowRight")
    home.keyboard.press("]")
    expect(home.get_by_text(re.compile(r"^0:10\.\d to 0:15\.\d$"))).to_be_visible()
    home.keyboard.press("Escape")
    expect(home.get_by_text("Drag over the song to select a region.")).to_be_visible()
    for _ in range(4):
        home.keyboard.press("+")
    expect(part).to_have_attribute("aria-valuetext", re.compile(r"^0:1\d\.\d to 0:1\d\.\d$"))
    closest = strip(desk, "Harmonic").locator("wave-form canvas").element_handle()
    # The whole song's peaks would be 344 for this half of a second.
    home.wait_for_function(f"(canvas) => ({CHANGES})(canvas) > 500", arg=closest)
    home.keyboard.press("0")
    expect(part).to_be_hidden()
    home.keyboard.press("2")
    expect(strip(desk, "Percussive").get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    home.keyboard.press("Shift+1")
    expect(strip(desk, "Harmonic").get_by_role("button", name="Solo")).to_have_attribute("aria-pressed", "true")
    home.keyboard.press("o")
    expect(desk.get_by_role("button", name="Original")).to_have_attribute("aria-pressed", "true")

    home.keyboard.press("?")
    help_ = home.get_by_role("dialog", name="Help")
    expect(help_.get_by_text("Waveform or spectrogram")).to_be_visible()
    accessible(home, "keys")
    help_.get_by_role("checkbox", name="Use single-character shortcuts").uncheck()
    home.keyboard.press("Escape")
    desk.focus()
    home.keyboard.press("o")
    home.keyboard.press("ArrowLeft")  # still moves: it is no character
    expect(desk.get_by_role("slider", name="Position")).to_have_attribute("aria-valuetext", "0:10 / 0:20")
    expect(desk.get_by_role("button", name="Original")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_spectrogram_shows_the_tones_where_they_lie(home: Page, song: Path, theme: str, watch: Watch) -> None:
    watch.expect("willReadFrequently")  # this test reads pixels, the page does not
    home.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    choose(home, song)
    separate(home)
    desk = desk_of(home, song)
    home.get_by_role("button", name="Spectrogram").click()
    for each in (lane(home), strip(desk, "Harmonic").locator("track-lane")):
        canvas = each.locator("spectro-gram canvas")
        expect(each.get_by_text("1 kHz", exact=True)).to_be_visible()
        home.wait_for_function(f"(canvas) => ({ROWS})(canvas).painted === 1", arg=canvas.element_handle(), timeout=SOON)
        rows = np.array(canvas.evaluate(ROWS)["rows"])
        loudest = rows.argmax() if theme == "dark" else rows.argmin()
        # Tones of 220 and 330 Hz, between 30 Hz at the bottom and 20 kHz at the top.
        pitch = 30 * (20_000 / 30) ** (1 - (loudest + 0.5) / len(rows))
        assert 190 < pitch < 380
    accessible(home, "spectrogram")


def test_each_song_keeps_its_desk_for_the_next_visit(home: Page, song: Path, tmp_path: Path) -> None:
    other = write_song(tmp_path / "Undertow.wav", seconds=3)
    choose(home, song, other)
    separate(home)
    desk = desk_of(home, song)
    strip(desk, "Harmonic").get_by_role("button", name="Mute").click()
    desk.get_by_role("slider", name="Position").fill("7")
    rows = home.get_by_role("list", name="Songs").get_by_role("listitem")
    expect(rows.nth(1)).to_contain_text("Done", timeout=SOON)
    rows.nth(1).get_by_role("button", name="Undertow").first.click()
    second = desk_of(home, other)
    mute = strip(second, "Harmonic").get_by_role("button", name="Mute")
    expect(mute).to_have_attribute("aria-pressed", "false")
    expect(second.get_by_role("slider", name="Position")).to_have_attribute("aria-valuetext", "0:00 / 0:03")
    second.get_by_role("slider", name="Pan").first.fill("-10")
    home.evaluate("() => localStorage.setItem('demixer.song.of-another-tab', '{}')")

    home.reload()
    assert home.evaluate("() => localStorage.getItem('demixer.song.of-another-tab')") == "{}"
    rows.filter(has_text="Undertow").get_by_role("button", name="Undertow").first.click()
    expect(second.get_by_role("slider", name="Pan").first).to_have_attribute("aria-valuetext", "50% left")
    rows.filter(has_text="Tide").get_by_role("button", name="Tide Table").first.click()
    expect(mute).to_have_count(0)
    expect(strip(desk, "Harmonic").get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    expect(desk.get_by_role("slider", name="Position")).to_have_attribute("aria-valuetext", "0:07 / 0:20")
