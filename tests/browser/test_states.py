"""Every state of the page, in light and dark, on a phone, a tablet and a desk, and with larger text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import CDPSession, Page

from tests.browser.states import journey

WIDTHS: Final = (320, 768, 1440)

#: Pixels, as the browser is set to by those who need larger text.
TEXTS: Final = {"100 %": 16, "200 %": 32}

#: Elements that can be scrolled sideways, with the content that reaches beyond their edge.
BEYOND: Final = """() => {
  const { documentElement: root } = document;
  const boxes = [root, ...document.querySelectorAll("dialog[open], .export-body")];
  return boxes.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map((box) => {
    const edge = box === root ? innerWidth : box.getBoundingClientRect().left + box.clientLeft + box.clientWidth;
    const inside = Array.from(box.querySelectorAll("*"));
    const over = inside.filter((each) => each.getBoundingClientRect().right > edge + 0.5);
    const names = over.map(({ localName, className, textContent }) => [localName, className, textContent.slice(0, 20)]);
    return [box.localName, box.scrollWidth, box.clientWidth, ...names];
  });
}"""

#: Texts that look like a missing key.
NO_KEYS: Final = r"http://\S+|\S*\.(?:stem\.mp4|wav|zip)"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("busy", [False, True])
def test_every_state_is_accessible_at_every_size(page: Page, theme: Any, busy: bool, tmp_path: Path) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    browser = page.context.new_cdp_session(page)
    for state in journey(page, tmp_path, busy=busy):
        for text, pixels in TEXTS.items():
            set_text(browser, pixels)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                at = f"{state}, {theme}, {width} px wide, {text} text"
                assert not page.evaluate(BEYOND), at
                violations = Axe().run(page).response["violations"]
                assert not violations, f"{at}: {json.dumps(violations, indent=1)[:4000]}"
        set_text(browser, TEXTS["100 %"])
        shown = re.sub(NO_KEYS, "", page.locator("body").inner_text())
        assert not re.findall(r"\b[a-z]+(?:\.[a-z-]+)+\b", shown), state


def set_text(browser: CDPSession, pixels: int) -> None:
    browser.send("Page.setFontSizes", {"fontSizes": {"standard": pixels}})
