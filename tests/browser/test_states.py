"""Every state of the page, in light and dark, on a phone, a tablet and a desk, and with larger text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

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


@pytest.mark.parametrize("busy", [False, True])
def test_every_state_is_accessible_at_every_size(page: Page, busy: bool, tmp_path: Path) -> None:
    page.add_init_script(Axe().axe_script)
    page.emulate_media(reduced_motion="reduce")
    browser = page.context.new_cdp_session(page)
    for state in journey(page, tmp_path, busy=busy):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for text, pixels in TEXTS.items():
                set_text(browser, pixels)
                assert not page.evaluate(BEYOND), f"{state}, {width} px wide, {text} text"
            set_text(browser, TEXTS["100 %"])
            assert not violations(page), f"{state}, {width} px wide"
            page.emulate_media(color_scheme="dark")  # changes colours alone
            assert not violations(page, "color-contrast"), f"{state}, dark, {width} px wide"
            page.emulate_media(color_scheme="light")
        shown = re.sub(NO_KEYS, "", page.locator("body").inner_text())
        assert not re.findall(r"\b[a-z]+(?:\.[a-z-]+)+\b", shown), state


def violations(page: Page, *rules: str) -> str:
    """Describe what axe finds against some of its rules, or against all."""
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    found = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return json.dumps(found, indent=1)[:4000] if found else ""


def set_text(browser: CDPSession, pixels: int) -> None:
    browser.send("Page.setFontSizes", {"fontSizes": {"standard": pixels}})
