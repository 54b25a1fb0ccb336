"""The page's texts: exactly the keys in use, in every language, and no text outside the locales."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
WEB: Final = ROOT / "web"
SOURCES: Final = [WEB / "main.js", WEB / "index.html", *(WEB / "ui").glob("*.js"), *(WEB / "app").glob("*.js")]

#: `t("key")`, `t(condition ? "key" : "key")` and `data-i18n="key"`; templates leave holes in their keys.
CALL: Final = re.compile(r"\bt\(((?:[^()]|\([^()]*\))*)\)|data-i18n(?:-label)?=\"([^\"]+)\"")
KEY: Final = re.compile(r"[\"`]([a-z][\w./-]*\.(?:[\w./-]|\$\{[^}]*\})+)[\"`]")


#: Plural forms of whole numbers in each language, after the CLDR.
PLURALS: Final = {
    "en": ("one", "other"),
    "de": ("one", "other"),
    "es": ("one", "many", "other"),
    "fr": ("one", "many", "other"),
    "ja": ("other",),
}

#: Texts that may be the same in two languages: names, formats, and words that musicians share.
EVERYWHERE: Final = {"WASM", "WebGPU", "GPU", "WAV", "FLAC", "MP3", "Esc"}
SHARED: Final = {
    "de": """Stem Songs Karaoke Bass Zoom Solo Master Clip Loop Original Position Pause Format Mix Standard
        Engine mono stereo Balance""",
    "es": "Balance Piano Karaoke Zoom Solo Mute Clip Original mono",
    "fr": "Page Piano Zoom Solo Mute Master Clip Original Position Pause Format Mix Standard Volume mono Centre",
    "ja": "Home End Shift",
}
SAME: Final = {"strip.pan.c", "strip.pan.short.left", "strip.pan.short.right", "engine.threads"}

#: Literals that look like texts.
NO_TEXTS: Final = {
    "(any-pointer: fine)",
    "(forced-colors: active)",
    "(pointer: coarse)",
    "(prefers-color-scheme: dark)",
    ".song error-notice",
    "Dead",
    "Files",
    "Process",
    "a, button, input, label, select, summary",
    "button, input, select, textarea, a, summary",
    "input, select, textarea",
    "select, textarea, input[type=text]",
}
CODE_COMMENT: Final = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL)
LITERAL: Final = re.compile(r"\"([^\"\n]*)\"|`([^`]*)`")
#: A capital with a small letter after it, or two words.
TEXT: Final = re.compile(r"^\W*[A-Z][a-z]|[a-z]{2,}[,.:]? [a-z]{2,}")


@cache
def texts_of(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((WEB / "locales" / f"{language}.json").read_text(encoding="utf-8"))
    return texts


def base(key: str) -> str:
    """The key without its plural form."""
    return re.sub(r"\.(?:zero|one|two|few|many|other)$", "", key) if key.rpartition(".")[0] in counted() else key


@cache
def counted() -> set[str]:
    """The keys that have plural forms."""
    english = texts_of("en")
    return {key.removesuffix(".one") for key in english if key.endswith(".one")}


def used() -> set[str]:
    """The keys in the page's sources, with `*` for the holes of templates."""
    keys = set()
    for source in SOURCES:
        for call, attribute in CALL.findall(source.read_text(encoding="utf-8")):
            found = [attribute] if attribute else KEY.findall(call)
            keys |= {re.sub(r"\$\{[^}]*\}", "*", key) for key in found}
    return keys


def fits(pattern: str, key: str) -> bool:
    """True when a pattern stands for the key, plural form aside."""
    expression = "[^.]+".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(expression, base(key)) is not None


def test_texts_and_patterns_match() -> None:
    texts = texts_of("en")
    patterns = used()
    assert len(patterns) > 50
    assert not {pattern for pattern in patterns if not any(fits(pattern, key) for key in texts)}
    assert not {key for key in texts if not any(fits(pattern, key) for pattern in patterns)}


def test_the_languages_are_those_that_can_be_chosen() -> None:
    table = re.search(r"LANGUAGES = \{([^}]+)\}", (WEB / "ui" / "i18n.js").read_text(encoding="utf-8"))
    assert table
    offered = re.findall(r"(\w+): \"[^\"]+\"", table[1])
    assert offered == list(PLURALS)
    assert {path.stem for path in (WEB / "locales").iterdir()} == set(offered)


@pytest.mark.parametrize("language", PLURALS)
def test_every_language_has_every_text(language: str) -> None:
    plain = {key for key in texts_of("en") if base(key) == key}
    forms = {f"{key}.{form}" for key in counted() for form in PLURALS[language]}
    assert set(texts_of(language)) == plain | forms


@pytest.mark.parametrize("language", PLURALS)
def test_every_text_has_the_values_that_it_is_given(language: str) -> None:
    english = {base(key): placeholders(text) for key, text in texts_of("en").items()}
    texts = texts_of(language)
    assert {key: placeholders(text) for key, text in texts.items()} == {key: english[base(key)] for key in texts}


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w+\}", text))


@pytest.mark.parametrize("language", sorted(set(PLURALS) - {"en"}))
def test_no_text_was_left_in_english(language: str) -> None:
    english = texts_of("en")
    known = EVERYWHERE | set(SHARED[language].split())
    left = {
        key: text
        for key, text in texts_of(language).items()
        if text == english.get(key) and text not in known and base(key) not in SAME and has_words(text)
    }
    assert not left
    assert known - EVERYWHERE <= {text for key, text in english.items() if text == texts_of(language).get(key)}


def has_words(text: str) -> bool:
    """True unless a text consists of values, units and our name alone."""
    return re.search(r"[^\W\d_]", re.sub(r"\{\w+\}|Demixer|k?Hz|dB", "", text)) is not None


@pytest.mark.parametrize("language", PLURALS)
def test_texts_are_set_with_care(language: str) -> None:
    for key, text in texts_of(language).items():
        assert text == text.strip(), key
        assert "  " not in text, key
        if language == "fr":
            assert "'" not in text, key
            assert not re.search(r"(?<!\u00a0)[;?!»]|[^\u00a0\d]:|«(?!\u00a0)", text), key


def test_the_models_say_what_their_descriptions_say() -> None:
    english = texts_of("en")
    described: dict[str, str | None] = {}
    for path in (ROOT / "models").glob("*/model.toml"):
        model = tomllib.loads(path.read_text(encoding="utf-8"))
        parts = {"label": model["label"], "summary": model["summary"], "notice": model.get("licence", {}).get("notice")}
        described |= {f"model.{model['id']}.{part}": text for part, text in parts.items()}
    ours = {key for key in english if re.fullmatch(r"model\.[\w-]+\.\w+", key)}
    assert ours
    assert {key: english[key] for key in ours} == {key: described[key] for key in ours}
    names = {key for key in described if key.endswith(".label")}  # most are names, and the same everywhere
    assert {key for key, text in described.items() if text} - ours <= names


def test_no_text_is_written_into_the_code() -> None:
    found = set()
    for source in SOURCES:
        if source.suffix != ".js":
            continue
        code = CODE_COMMENT.sub("", source.read_text(encoding="utf-8"))
        code = re.sub(r"LANGUAGES = \{[^}]+\}|class: \"[^\"]*\"|(?:new Error|super)\([^)]*\)", "", code)
        literals = {re.sub(r"\$\{[^}]*\}", "", one or other) for one, other in LITERAL.findall(code)}
        found |= {literal for literal in literals if TEXT.search(literal)}
    assert found == NO_TEXTS


class Page(HTMLParser):
    """Collects the texts of `index.html` that have no key."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.found += [name for name in ("aria-label", "title", "placeholder") if name in attributes]
        self.open.append((tag, attributes))

    def handle_endtag(self, tag: str) -> None:
        while self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        free = {"title", "h1", "noscript"}  # our name, and what no script can translate
        if data.strip() and not any("data-i18n" in given or tag in free for tag, given in self.open):
            self.found.append(data.strip())


def test_no_text_is_written_into_the_page() -> None:
    page = Page()
    page.feed((WEB / "index.html").read_text(encoding="utf-8"))
    assert not page.found


def test_the_page_before_its_texts_are_loaded_says_the_same() -> None:
    texts = texts_of("en")
    html = (WEB / "index.html").read_text(encoding="utf-8")
    shown = re.findall(r'data-i18n="([^"]+)"[^>]*>([^<]+)<', html)
    assert shown
    assert [" ".join(text.split()) for _, text in shown] == [texts[key] for key, _ in shown]
