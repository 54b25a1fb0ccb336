"""The page as in `tests/screenshots/`, compared by layout and brightness instead of pixel by pixel.

`DEMIXER_SCREENSHOTS=1 python build.py test tests/browser/test_screenshots.py` retakes the pictures: look at them
before you commit them.
"""

from __future__ import annotations

import io
import os
import re
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from demixer.audio import Samples
from demixer_build import paths
from tests import songs
from tests.browser.kept_songs import keep
from tests.browser.states import HOLD, NO_PICKER, SOON, holding
from tests.browser.visits import begin, choose, model, write_song

FOLDER: Final = paths.ROOT / "tests" / "screenshots"

WIDE: Final = ViewportSize(width=1100, height=720)
PHONE: Final = ViewportSize(width=380, height=720)

#: Pixels of a cell: a line of text with its space. Within one, other fonts put the same words a little elsewhere.
CELL: Final = 20

#: A cell that differs by so much of 255 shows something else, as 3 % of them may. Serif and monospaced letters make
#: that of up to 0.7 % of the cells, a strip without its contents of 4 %, waveforms that are not drawn of 8 %.
ANOTHER: Final = 24
MOST: Final = 0.03

#: Loudness of each part, bar by bar.
ARRANGEMENT: Final = {
    "drums": (0.0, 0.5, 1.2, 1.2, 1.0, 1.0, 0.3, 1.3, 1.3, 1.3, 1.0, 0.4),
    "bass": (0.0, 1.2, 1.6, 1.6, 1.4, 1.6, 0.0, 1.6, 1.8, 1.8, 1.6, 0.8),
    "other": (1.2, 1.0, 0.7, 0.7, 0.9, 0.9, 1.5, 0.8, 0.8, 0.9, 1.2, 0.6),
    "vocals": (0.0, 0.0, 1.6, 0.3, 1.8, 0.2, 1.0, 1.8, 0.6, 1.9, 0.9, 0.0),
}


def arranged() -> dict[str, Samples]:
    """A short song of one channel [each shape=(1, n)]."""
    bar = songs.bar(44_100)
    parts = songs.stems(len(ARRANGEMENT["drums"]) * bar / 44_100)
    parts["vocals"] = parts["other"]
    beat = np.arange(parts["other"].shape[1]) / bar * 4 % 1
    notes = {"vocals": np.sin(np.pi * beat) ** 0.5, "bass": 1 - 0.7 * beat}
    return {
        name: (np.repeat(gains, bar) * notes.get(name, 1) * parts[name][:1]).astype(np.float32)
        for name, gains in ARRANGEMENT.items()
    }


@pytest.fixture
def still(page: Page) -> Page:
    """A page on which nothing moves."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size(WIDE)
    page.add_init_script(HOLD)
    page.add_init_script(NO_PICKER)
    page.goto("/")
    expect(page.get_by_role("radio", name="Harmonic / percussive")).to_be_visible()
    return page


def picture(png: bytes) -> av.VideoFrame:
    with av.open(io.BytesIO(png), "r") as container:
        return next(container.decode(video=0))


def small(png: bytes) -> bytes:
    """The same picture in fewer bytes: flat areas need no prediction."""
    frame = picture(png).reformat(format="rgb24")
    coder = av.CodecContext.create("png", "w")
    coder.width, coder.height, coder.pix_fmt, coder.time_base = frame.width, frame.height, "rgb24", Fraction(1)
    coder.options = {"compression_level": "9", "pred": "none"}
    return b"".join(bytes(packet) for packet in (*coder.encode(frame), *coder.encode(None)))


def luminance(png: bytes) -> npt.NDArray[np.float64]:
    """Mean of each cell [shape=(rows, columns)], 0 to 255."""
    grey = picture(png).to_ndarray(format="gray")
    rows, columns = (length // CELL for length in grey.shape)
    cells = grey[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    return np.asarray(cells.mean(axis=(1, 3)))


def looks_like(page: Page, name: str, *moving: Locator) -> None:
    """Compare with a picture, apart from areas that always differ."""
    page.mouse.move(0, 0)
    shown = page.screenshot(animations="disabled")
    path = FOLDER / f"{name}.png"
    if os.environ.get("DEMIXER_SCREENSHOTS"):
        path.write_bytes(small(shown))
    expected, found = luminance(path.read_bytes()), luminance(shown)
    assert found.shape == expected.shape
    another = np.abs(found - expected) > ANOTHER
    for locator in moving:
        box = locator.bounding_box()
        assert box
        top, left = int(box["y"] // CELL), int(box["x"] // CELL)
        bottom, right = int((box["y"] + box["height"]) // CELL), int((box["x"] + box["width"]) // CELL)
        another[top : bottom + 1, left : right + 1] = False
    assert another.mean() <= MOST, f"{name}: {another.mean():.0%} of it looks different"


def open_desk(page: Page) -> None:
    stems = arranged()
    keep(page, "Tide Table", np.sum(list(stems.values()), axis=0, dtype=np.float32), stems)
    page.reload()
    page.get_by_role("list", name="Songs").get_by_role("button", name="Tide Table").first.click()
    desk = page.get_by_role("region", name="Stems of Tide Table")
    expect(desk.get_by_role("button", name="Download all")).to_be_enabled()
    desk.get_by_role("slider", name="Position").fill("9")
    desk.get_by_role("group", name="Drums").get_by_role("button", name="Mute").click()
    desk.scroll_into_view_if_needed()


def test_empty(still: Page) -> None:
    looks_like(still, "empty")


def test_separating(still: Page, tmp_path: Path) -> None:
    choose(still, write_song(tmp_path / "Tide Table.wav", 60))
    expect(still.get_by_text(re.compile("About .* for this song"))).to_have_count(3, timeout=SOON)
    model(still, "Harmonic")
    with holding(still, "engine", "({ type, data }) => type === 'job.progress' && data.done / data.total > 0.5"):
        begin(still)
        expect(still.get_by_text("The first 0:")).to_be_visible(timeout=SOON)
        still.wait_for_function("() => held.messages.length > 0")
        looks_like(still, "separating", still.locator("song-overview"), still.locator("job-view"))


def test_desk_and_export(still: Page) -> None:
    open_desk(still)
    looks_like(still, "desk-light")
    still.emulate_media(color_scheme="dark", reduced_motion="reduce")
    looks_like(still, "desk-dark")
    still.get_by_role("button", name="Export mix").click()
    dialog = still.get_by_role("dialog", name="Export")
    expect(dialog.get_by_text(re.compile("^\N{MINUS SIGN}1\\d\\d.\\d dB$"))).to_be_visible(timeout=SOON)
    looks_like(still, "export")
    still.keyboard.press("Escape")
    still.emulate_media(color_scheme="light", reduced_motion="reduce")
    still.set_viewport_size(PHONE)
    still.get_by_role("group", name="Drums").scroll_into_view_if_needed()
    looks_like(still, "phone")
