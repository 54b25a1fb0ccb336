"""Names that every system accepts: the cases that the page's rule has to meet too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demixer.names import LONGEST, SONG_ENDINGS, graphemes, legal_name, song_name, unique_names

ROOT: Final = Path(__file__).parents[2]
CASES: Final[dict[str, list[Any]]] = json.loads((ROOT / "tests" / "names.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("text", "ending", "name"), CASES["legal"])
def test_a_name_is_legal(text: str, ending: str, name: str) -> None:
    assert legal_name(text, ending) == name


@pytest.mark.parametrize(("names", "ending", "unique"), CASES["unique"])
def test_names_differ_on_every_system(names: list[str], ending: str, unique: list[str]) -> None:
    assert unique_names(names, ending) == unique


@pytest.mark.parametrize(("file", "name"), CASES["song"])
def test_a_song_is_named_after_its_file(file: str, name: str) -> None:
    assert song_name(file) == name


@pytest.mark.parametrize(("text", "characters"), CASES["graphemes"])
def test_graphemes_are_what_a_reader_counts(text: str, characters: list[str]) -> None:
    assert list(graphemes(text)) == characters


@given(st.text(), st.sampled_from(["", ".wav", ".stem.mp4"]))
def test_legal_names_stay_as_they_are(text: str, ending: str) -> None:
    name = legal_name(text, ending)
    assert len(name.encode()) <= LONGEST
    assert not set(name) & set('\\/:*?"<>|\0\n')
    assert name == name.strip(" .")
    if name:
        assert legal_name(name.removesuffix(ending), ending) == name


def test_the_page_knows_the_same_endings() -> None:
    source = (ROOT / "web" / "base" / "names.js").read_text(encoding="utf-8")
    assert SONG_ENDINGS in source.replace('" +\n    "', "")
