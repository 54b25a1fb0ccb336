"""The zoo through the page: a file becomes a song that is ready or one error, and the next good file works.

With `-s`, the table of what became of each file is printed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.watch import Watch
from tests.zoo import COMPRESSED, NOT_FINITE, OTHERS, UNCOMPRESSED, Animal, Right

SOON: Final = 120_000
"""Milliseconds for whatever needs the engine, on a busy machine."""

GOOD: Final = next(animal for animal in UNCOMPRESSED if animal.name == "8 kHz mono.wav")


class Keeper:
    """One page for all files, never reloaded."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.table: list[tuple[str, str, float]] = []
        self.facts = page.get_by_text(re.compile(r"^\d+:\d\d · ")).filter(visible=True)
        self.alert = page.get_by_role("alert").filter(has_text=re.compile(r"\baudio/"), visible=True)

    def choose(self, animal: Animal) -> None:
        """Replace the page's file by another one, and wait until it is a song or an error."""
        self.clear()
        path = self.folder / animal.name
        path.write_bytes(animal.encode())
        begin = time.perf_counter()
        self.page.locator("input[type=file]").set_input_files(path)
        expect(self.facts.or_(self.alert).first).to_be_visible(timeout=SOON)  # a song may turn out to be wrong
        self.note(animal, begin)

    def note(self, animal: Animal, begin: float) -> None:
        """Record the outcome of a file for the table."""
        shown = self.alert.get_by_text(re.compile("^audio/")).or_(self.facts).last
        self.table.append((animal.name, shown.inner_text(), time.perf_counter() - begin))

    def clear(self) -> None:
        """Take the song off the page, if there is one."""
        if self.facts.or_(self.alert).count():
            self.page.get_by_role("button", name=re.compile("^Remove ")).filter(visible=True).first.click()
            expect(self.facts.or_(self.alert)).to_have_count(0)


@pytest.fixture(scope="module")
def keeper(browser: Browser, base_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeper]:
    watch = Watch(base_url)
    page = browser.new_page(base_url=base_url)
    watch.follow(page)
    page.goto("/")
    expect(page.get_by_role("radio", name="Harmonic / percussive")).to_be_visible()
    keeper = Keeper(page, tmp_path_factory.mktemp("zoo"))
    yield keeper
    page.context.close()
    for name, outcome, seconds in keeper.table:
        print(f"| {name} | {outcome} | {seconds:.1f} s |")
    assert not watch.problems


def facts_of(right: Right) -> re.Pattern[str]:
    """The facts that the page shows of a song."""
    channels = len(right.song())
    layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels, .+")
    return re.compile(rf"^0:0{'[01]' if right.cut else '2'} · {right.rate / 1000:g} kHz · {layout}$")


def expect_good(keeper: Keeper) -> None:
    keeper.choose(GOOD)
    keeper.table.pop()
    assert isinstance(GOOD.outcome, Right)
    expect(keeper.facts).to_have_text(facts_of(GOOD.outcome))


@pytest.mark.parametrize("animal", [*UNCOMPRESSED, *COMPRESSED, *OTHERS], ids=lambda animal: animal.name)
def test_a_file_is_a_song_or_one_error(
    keeper: Keeper, animal: Animal, record_property: Callable[[str, object], None]
) -> None:
    keeper.choose(animal)
    record_property("outcome", keeper.table[-1][1])
    if isinstance(animal.outcome, Right):
        expect(keeper.facts).to_have_text(facts_of(animal.outcome))
        expect(keeper.page.get_by_role("heading", name=Path(animal.name).stem, exact=True)).to_be_visible()
        expect(keeper.alert).to_have_count(0)
    else:
        expect(keeper.alert).to_have_count(1)
        expect(keeper.alert).to_contain_text(animal.outcome)
    if isinstance(animal.outcome, str):
        expect_good(keeper)


@pytest.mark.parametrize("animal", NOT_FINITE, ids=lambda animal: animal.name)
def test_what_is_not_finite_is_refused_at_the_latest_when_it_is_separated(keeper: Keeper, animal: Animal) -> None:
    keeper.choose(animal)
    if not keeper.alert.is_visible():
        keeper.table.pop()
        begin = time.perf_counter()
        separate(keeper.page)
        expect(keeper.alert).to_be_visible(timeout=SOON)
        keeper.note(animal, begin)
    expect(keeper.alert).to_contain_text("audio/not-finite")
    expect_good(keeper)


def test_after_all_of_them_a_song_is_separated(keeper: Keeper) -> None:
    keeper.choose(GOOD)
    keeper.table.pop()
    separate(keeper.page)
    desk: Locator = keeper.page.get_by_role("region", name=f"Stems of {Path(GOOD.name).stem}", exact=True)
    expect(desk.get_by_role("button", name="Download all")).to_be_enabled(timeout=SOON)


def separate(page: Page) -> None:
    page.get_by_role("radio", name="Harmonic / percussive").check()
    page.get_by_role("button", name="Separate", exact=True).click()
