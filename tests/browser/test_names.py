"""Names of exported files: the page's rule and the command line's agree, and patterns are filled in."""

from __future__ import annotations

import random
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from demixer.names import graphemes, legal_name, song_name, unique_names
from tests.unit.test_names import CASES

#: What names are made of, and what breaks them.
POOL: Final = [
    *'aB. -_:*/\\"<>|?~$\t\n\r1',
    *("CON", "nul", "COM1", "Lpt¹", ".wav", ".mp3"),
    *(
        "é",
        "e\u0301",
        "\u0327",
        "ß",
        "İ",
        "\N{LATIN SMALL LETTER DOTLESS I}",
        "Σ",
        "ς",
        "夜",
        "が",
        "か\u3099",
        "\uff76",
        "\uff9e",
        "ﬁ",
    ),
    *("\u3000", "\u00a0", "\u200b", "\u200d", "\u200c", "\ufe0f", "\u202e", "\u2028", "\x85", "\x7f", "\u20e3"),
    *("👍", "🏽", "👨", "❤", "🏳", "🌈", "🇩", "🇪", "🏴", "\U000e0067", "\U000e007f"),
    *("한", "\u1112", "\u1161", "\u11ab", "न", "\u094d", "स", "\u0947", "க", "\u0bbf", "ส", "\u0e31", "\u0e33"),
]


@pytest.fixture
def modules(page: Page) -> Page:
    """An origin from which the page's modules can be imported."""
    page.goto("/")
    return page


def test_the_page_and_the_command_line_agree(modules: Page) -> None:
    rng = random.Random(15)
    texts = ["".join(rng.choices(POOL, k=rng.choice([1, 2, 3, 9, 40, 150]))) for _ in range(1000)]
    legal = [*CASES["legal"], *([text, ending, legal_name(text, ending)] for text in texts for ending in ("", ".flac"))]
    names = [[legal_name(text) for text in rng.sample(texts, 4)] * 2 for _ in range(100)]
    cases = {
        "legalName": [[[text, ending], name] for text, ending, name in legal],
        "uniqueNames": [
            *([[names, ending], unique] for names, ending, unique in CASES["unique"]),
            *([[some, ""], unique_names(some)] for some in names),
        ],
        "songName": [*([[file], name] for file, name in CASES["song"]), *([[text], song_name(text)] for text in texts)],
        "joinedName": [[given, name] for *given, name in CASES["joined"]],
        "graphemes": [
            *([[text], characters] for text, characters in CASES["graphemes"]),
            *([[text], list(graphemes(text))] for text in texts),
        ],
    }
    script = """async (cases) => {
      const names = await import("/src/base/names.js");
      return Object.entries(cases).flatMap(([rule, all]) => all
        .map(([given, expected]) => ({ rule, given, expected, found: names[rule](...given) }))
        .filter(({ expected, found }) => JSON.stringify(found) !== JSON.stringify(expected)));
    }"""
    assert modules.evaluate(script, cases) == []


def exported(page: Page, pattern: str, what: str, **song: Any) -> list[str]:
    """The name of an exported file, and those of the files inside it."""
    song = {"name": "Low Water", "tags": {}, "stems": ["drums", "Drums"], **song}
    script = """async ([pattern, what, { name, tags, stems }]) => {
      const { planFor } = await import("/src/app/export-plan.js");
      const song = {
        name, tags, duration: 1, format: { rate: 8000, channels: 1, length: 8000 },
        desk: { master: 0, strips: Object.fromEntries(stems.map((stem) => [stem, { gain: 0, pan: 0 }])) },
        stems: stems.map((stem) => ({ name: stem, pieces: [] })),
      };
      const choice = { what, stem: stems[0], coding: { kind: "wav", bits: 16 }, pattern };
      const { plan, name: file } = planFor(song, choice, 0, (part) => part, {});
      return [file, ...(what === "all" ? plan.parts.map((part) => `${plan.folder}/${part.name}`) : [])];
    }"""
    return page.evaluate(script, [pattern, what, song])  # type: ignore[no-any-return]


def test_patterns_give_every_file_a_name_of_its_own(modules: Page) -> None:
    assert exported(modules, "{title}", "all") == [
        "Low Water.zip",
        "Low Water/Low Water - drums.wav",
        "Low Water/Low Water - Drums (2).wav",
    ]
    assert exported(modules, "{title}", "stem") == ["Low Water - drums.wav"]
    assert exported(modules, "{title}", "mix") == ["Low Water.wav"]
    assert exported(modules, "{constructor} {__proto__} {toString}", "mix") == [
        "{constructor} {__proto__} {toString}.wav"
    ]
    assert exported(modules, "{artist} - {album} - {part}", "stem") == ["drums.wav"]
    assert exported(modules, "{artist}", "mix") == ["Low Water.wav"]
    assert exported(modules, " ", "stem", name="..", stems=["a", "b"]) == ["a.wav"]
    assert exported(modules, "{part}", "all", name="AUX.", stems=["con", "?"]) == [
        "stems.zip",
        "_AUX/_con.wav",
        "_AUX/_.wav",
    ]
    long = exported(modules, "{song}", "all", name="夜" * 99)
    folder, stem = "夜" * 77, "夜" * 73
    assert long == ["夜" * 76 + ".zip", f"{folder}/{stem} - drums.wav", f"{folder}/{stem} - Drums (2).wav"]
