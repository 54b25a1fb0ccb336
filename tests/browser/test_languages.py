"""The page in every language: the browser's at first, then the chosen one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from demixer_build import paths
from tests.browser.host import hosting
from tests.browser.visits import Visit, installed

LANGUAGES: Final = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "ja": "日本語"}
SOON: Final = 120_000
"""Milliseconds for whatever needs the engine, on a busy machine."""


def texts(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((paths.DIST / "locales" / f"{language}.json").read_text(encoding="utf-8"))
    return found


def speaks(page: Page, language: str) -> None:
    """Assert that the page is in a language: its `lang`, texts and names, none missing or cut off."""
    here = texts(language)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.get_by_role("combobox", name=here["language.label"], exact=True)).to_have_value(language)
    expect(page.get_by_text(here["promise.what"], exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=here["drop.choose"], exact=True)).to_be_visible()
    expect(page.get_by_role("radiogroup", name=here["model.label"], exact=True)).to_be_attached()
    shown = page.locator("body").inner_text()
    assert not re.findall(r"\b[a-z]+(?:\.[a-z0-9-]+)+\b", shown.replace(".stem.mp4", "")), language
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), language


def choose_language(page: Page, language: str) -> None:
    page.locator("#language").select_option(language)
    speaks(page, language)


def write_song(path: Path, seconds: float) -> Path:
    time = np.arange(round(seconds * 44_100)) / 44_100
    soundfile.write(path, (0.3 * np.sin(2 * np.pi * 220 * time)).astype(np.float32), 44_100, subtype="FLOAT")
    return path


@pytest.fixture
def songs(tmp_path: Path) -> tuple[Path, Path]:
    """A short song, and one that keeps the engine busy."""
    return write_song(tmp_path / "Tide Table.wav", 4), write_song(tmp_path / "Long Tide.wav", 240)


def spoken(locale: str, language: str) -> Any:
    return pytest.param(language, marks=pytest.mark.browser_context_args(locale=locale), id=locale)


@pytest.mark.parametrize(
    "language",
    [
        spoken("de-DE", "de"),
        spoken("es-MX", "es"),
        spoken("fr-CA", "fr"),
        spoken("ja-JP", "ja"),
        spoken("en-GB", "en"),
        spoken("pt-BR", "en"),
    ],
)
def test_the_page_speaks_the_language_of_the_browser(page: Page, language: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/")
    expect(page.get_by_role("radio", name="HT-Demucs")).to_be_visible()
    speaks(page, language)
    expect(page.locator("#language option:checked")).to_have_text(LANGUAGES[language])


@pytest.mark.browser_context_args(locale="de-DE")
def test_the_choice_is_remembered(page: Page) -> None:
    page.goto("/")
    speaks(page, "de")
    choose_language(page, "fr")
    page.reload()
    speaks(page, "fr")


@pytest.mark.browser_context_args(locale="de-DE")
def test_every_hint_is_in_the_language_of_the_page(page: Page, tmp_path: Path) -> None:
    page.goto("/")
    shown = page.evaluate(
        """async (hints) => {
          const { ERROR_CODES } = await import("/src/base/errors.js");
          const { errorHint } = await import("/src/ui/texts.js");
          const codes = Object.keys(ERROR_CODES);
          return codes.flatMap((code) => hints.map((hint) => [code, errorHint({ code, hint })]));
        }""",
        [None, "What Python advises.", "rate", "channels", "format", "https"],
    )
    german = texts("de")
    for code, hint in shown:
        assert hint in {text for key, text in german.items() if key.startswith(f"error.{code}.hint")}
    assert ["audio/unsupported", german["error.audio/unsupported.hint.rate"]] in shown
    soundfile.write(tmp_path / "Slow Tide.wav", np.zeros(8000, np.float32), 2000, subtype="FLOAT")
    page.locator("input[type=file]").set_input_files(tmp_path / "Slow Tide.wav")
    alert = page.get_by_role("alert").filter(has_text="audio/unsupported")
    expect(alert).to_contain_text(german["error.audio/unsupported.hint.rate"], timeout=SOON)


def test_songs_and_work_outlive_every_language(page: Page, songs: tuple[Path, Path]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/")
    page.get_by_role("radio", name="Harmonic / percussive").check()
    page.evaluate("() => { globalThis.loaded = true }")  # gone when the page has been reloaded
    page.locator("input[type=file]").set_input_files(songs[0])
    page.get_by_role("button", name="Separate", exact=True).click()
    desk = page.locator("mixing-desk")
    expect(desk.get_by_role("button", name="Download all")).to_be_enabled(timeout=SOON)
    desk.get_by_role("group", name="Harmonic").get_by_role("button", name="Mute").click()
    page.locator("input[type=file]").set_input_files(songs[1])
    page.locator(".song-open").filter(has_text="Long Tide").click()
    page.get_by_role("button", name="Separate", exact=True).click()
    expect(page.get_by_role("progressbar", name="Separating Long Tide")).to_be_visible()
    page.locator(".song-open").filter(has_text="Tide Table").click()

    for language in ("ja", "de", "es", "fr", "en"):
        here = texts(language)
        choose_language(page, language)
        expect(page.locator(".song-name")).to_have_text(["Tide Table", "Long Tide"])
        region = page.get_by_role("region", name=here["desk.label"].replace("{song}", "Tide Table"), exact=True)
        harmonic = region.get_by_role("group", name=here["stem.harmonic"], exact=True)
        mute = harmonic.get_by_role("button", name=here["strip.mute"], exact=True)
        expect(mute).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".song-open").nth(1)).to_contain_text(here["song.status.working"].split("{")[0].strip())

    assert page.evaluate("globalThis.loaded === true")
    page.locator(".song-open").filter(has_text="Long Tide").click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("progressbar", name="Separating Long Tide")).to_be_hidden()


def test_a_dropped_song_comes_once(page: Page, tmp_path: Path) -> None:
    """The element that listened before the language changed does so no longer."""
    page.goto("/")
    choose_language(page, "ja")
    choose_language(page, "en")
    files = page.evaluate_handle(
        """(bytes) => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(bytes)], "Tide Table.wav", { type: "audio/wav" }));
          return files;
        }""",
        list(write_song(tmp_path / "Tide Table.wav", 1).read_bytes()),
    )
    page.dispatch_event("body", "drop", {"dataTransfer": files})
    expect(page.locator("#song-title")).to_have_text("Tide Table")
    expect(page.locator(".song-name")).to_have_count(1)


def test_every_text_with_a_count_has_the_forms_of_its_language(page: Page) -> None:
    page.goto("/")
    for language in LANGUAGES:
        forms = page.evaluate("(tag) => new Intl.PluralRules(tag).resolvedOptions().pluralCategories", language)
        prefix = "engine.threads."
        assert {f"{prefix}{form}" for form in forms} == {key for key in texts(language) if key.startswith(prefix)}


@pytest.fixture
def offline_page(visit: Visit) -> Iterator[Page]:
    """The page as the service worker alone gives it."""
    with hosting(paths.DIST) as host, visit() as context, context.new_page() as page:
        page.goto(host.url)
        installed(page)
        host.stop()
        yield page
        host.start()


def test_every_language_works_offline(offline_page: Page) -> None:
    for language in ("ja", "fr", "es", "de"):
        choose_language(offline_page, language)
    offline_page.reload()
    speaks(offline_page, "de")
