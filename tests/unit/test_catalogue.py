"""The catalogue of stems against everything that relies on it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

from demixer import catalogue

ROOT: Final = Path(__file__).parents[2]

OKABE_ITO: Final = {"#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
PUBLISHED: Final = {
    "vocals": "#E69F00",
    "drums": "#56B4E9",
    "bass": "#CC79A7",
    "other": "#009E73",
    "accompaniment": "#0072B2",
    "harmonic": "#009E73",
    "percussive": "#D55E00",
}
#: Stems that are shown beside each other.
TOGETHER: Final = [
    {"vocals", "accompaniment"},
    {"harmonic", "percussive"},
    {"lead-vocals", "backing-vocals", "accompaniment"},
    {"drums", "bass", "other", "vocals", "guitar", "piano"},
]


@pytest.mark.parametrize("path", sorted(ROOT.glob("models/*/model.toml")), ids=lambda path: path.parent.name)
def test_every_stem_of_a_model_is_in_it(path: Path) -> None:
    assert set(tomllib.loads(path.read_text())["stems"]) <= set(catalogue.STEMS)


@pytest.mark.parametrize("path", sorted(ROOT.glob("web/locales/*.json")), ids=lambda path: path.stem)
def test_every_language_names_every_stem(path: Path) -> None:
    texts = json.loads(path.read_text(encoding="utf-8"))
    assert {f"stem.{name}" for name in catalogue.STEMS} == {key for key in texts if key.startswith("stem.")}


def test_labels_are_the_english_names() -> None:
    english = json.loads((ROOT / "web" / "locales" / "en.json").read_text(encoding="utf-8"))
    for name, stem in catalogue.STEMS.items():
        assert stem.label == english[f"stem.{name}"]


def test_icons_are_in_the_sprite() -> None:
    sprite = (ROOT / "web" / "icons" / "lucide.svg").read_text(encoding="utf-8")
    assert {stem.icon for stem in catalogue.STEMS.values()} <= set(re.findall(r'symbol id="([^"]+)"', sprite))


def test_colours_are_the_published_ones() -> None:
    assert {name: catalogue.STEMS[name].colour for name in PUBLISHED} == PUBLISHED
    assert {stem.colour for stem in catalogue.STEMS.values()} <= OKABE_ITO


@pytest.mark.parametrize("names", TOGETHER, ids=lambda names: "+".join(sorted(names)))
def test_stems_beside_each_other_have_colours_of_their_own(names: set[str]) -> None:
    assert len({catalogue.STEMS[name].colour for name in names}) == len(names)


def test_a_fallback_is_a_stem_without_one() -> None:
    for stem in catalogue.STEMS.values():
        assert stem.fallback is None or catalogue.STEMS[stem.fallback].fallback is None
