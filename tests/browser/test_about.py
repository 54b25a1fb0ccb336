"""The About panel: measured quality, and the device check."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from demixer_build.paths import DIST
from tests.browser.visits import model
from tests.browser.watch import Watch

SOON = 120_000
"""Milliseconds for whatever needs the engine, on a busy machine."""

PARITY = -80.0
"""dB: browser against native, of a model without weights."""


@pytest.fixture
def about(page: Page) -> Locator:
    """The open panel, the model without weights being chosen."""
    page.goto("/")
    model(page, "Harmonic")
    page.get_by_role("button", name="About").click()
    return page.get_by_role("dialog", name="About")


def check(about: Locator) -> Locator:
    about.get_by_role("button", name="Check this device").click()
    return about.get_by_role("status")


def test_the_measured_quality_is_shown_with_its_data(about: Locator) -> None:
    shipped = json.loads((DIST / "quality.json").read_text())
    assert {row["preset"] for row in shipped[0]["rows"] if row["model"] == "htdemucs"} == {"fast", "standard", "best"}
    for song in shipped:
        table = about.get_by_role("table", name=re.compile(f"^{song['song']}, "))
        expect(table.get_by_role("row", name="HT-Demucs, Best")).to_be_visible()
        (best,) = (row for row in song["rows"] if (row["model"], row["preset"]) == ("htdemucs", "best"))
        cells = table.get_by_role("row", name="HT-Demucs, Best").get_by_role("cell").all_inner_texts()
        assert [float(cell) for cell in cells] == pytest.approx(list(best["sdr"].values()), abs=0.051)


def test_a_device_is_checked(about: Locator) -> None:
    expect(check(about)).to_contain_text("Harmonic / percussive matches the reference on this device", timeout=SOON)
    stems = dict(line.split(": ") for line in about.get_by_role("listitem").all_inner_texts())
    assert stems.keys() == {"Harmonic", "Percussive"}
    for difference in stems.values():
        assert float(difference.removesuffix(" dB").replace("\u2212", "-")) <= PARITY


def test_a_device_that_computes_something_else_is_reported(about: Locator) -> None:
    right = np.fromfile(DIST / "check" / "hpss.default.f32", np.float32)
    wrong = right + np.float32(0.02) * np.random.default_rng(0).standard_normal(right.size, np.float32)
    about.page.route("**/check/hpss.default.f32", lambda route: route.fulfill(body=wrong.tobytes()))
    expect(check(about)).to_contain_text("more than it should", timeout=SOON)
    expect(about.get_by_role("listitem")).to_have_count(2)


def test_a_check_that_cannot_be_made_says_why(about: Locator, watch: Watch) -> None:
    watch.expect("check/check.json")
    about.page.route("**/check/check.json", lambda route: route.abort())
    expect(check(about)).to_contain_text("The check failed. The model could not be downloaded.")
    expect(about.get_by_role("button", name="Check this device")).to_be_enabled()
