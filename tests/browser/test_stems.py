"""The looks of stems on the page: from the catalogue, visible in both themes, and neutral for an unknown stem."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from demixer import catalogue
from tests.browser.kept_songs import keep

#: Contrast of a stem's colour with the lighter and the darker ground, as the browser paints them.
CONTRASTS = """(colours) => {
  const paint = (style) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.fillStyle = style;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = Array.from(context.getImageData(0, 0, 1, 1).data, (value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
  };
  const element = document.body.appendChild(document.createElement("p"));
  element.dataset.stem = "any";
  return colours.flatMap((colour) => ["--ground", "--surface"].map((ground) => {
    element.style.setProperty("--stem-colour", colour);
    element.style.color = "var(--stem)";
    element.style.backgroundColor = `var(${ground})`;
    const { color, backgroundColor } = getComputedStyle(element);
    const [light, dark] = [paint(color), paint(backgroundColor)].sort((one, other) => other - one);
    return light / dark;
  }));
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_stands_out_from_the_page(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto("/")
    colours = [stem.colour for stem in catalogue.STEMS.values()]
    assert min(page.evaluate(CONTRASTS, colours)) >= 3


def test_a_strip_looks_as_the_catalogue_says(page: Page) -> None:
    page.goto("/")
    noise = (np.random.default_rng(0).standard_normal((1, 44_100)) / 10).astype(np.float32)
    names = ["guitar", "piano", "lead-vocals", "backing-vocals", "theremin"]
    keep(page, "Tide Table", (len(names) * noise).astype(np.float32), dict.fromkeys(names, noise))
    page.reload()
    page.get_by_role("list", name="Songs").get_by_role("button", name="Tide Table").first.click()
    desk = page.get_by_role("region", name="Stems of Tide Table")
    for name in names[:-1]:
        look = catalogue.STEMS[name]
        strip = desk.get_by_role("group", name=look.label)
        expect(strip.locator(".strip-name use")).to_have_attribute("href", re.compile(f"#{look.icon}$"))
        assert strip.evaluate("(strip) => strip.style.getPropertyValue('--stem-colour')") == look.colour
    unknown = desk.get_by_role("group", name="theremin")
    expect(unknown.locator(".strip-name use")).to_have_attribute("href", re.compile("#music$"))
    assert unknown.evaluate("(strip) => getComputedStyle(strip).getPropertyValue('--stem')")
