"""Every text that the page asks for exists, and every text that exists is asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

WEB: Final = Path(__file__).parents[2] / "web"
SOURCES: Final = [WEB / "main.js", WEB / "index.html", *(WEB / "ui").glob("*.js"), *(WEB / "app").glob("*.js")]

#: `t("key")`, `t(condition ? "key" : "key")` and `data-i18n="key"`; keys that are put together end in a hole.
CALL: Final = re.compile(r"\bt\(((?:[^()]|\([^()]*\))*)\)|data-i18n(?:-label)?=\"([^\"]+)\"")
KEY: Final = re.compile(r"[\"`]([a-z][\w./-]*\.(?:[\w./-]|\$\{[^}]*\})+)[\"`]")


def asked() -> set[str]:
    """The keys in the page's sources, with `*` where a part is put in later."""
    keys = set()
    for source in SOURCES:
        for call, attribute in CALL.findall(source.read_text(encoding="utf-8")):
            found = [attribute] if attribute else KEY.findall(call)
            keys |= {re.sub(r"\$\{[^}]*\}", "*", key) for key in found}
    return keys


def fits(pattern: str, key: str) -> bool:
    """Whether a key, without its plural form, is what a pattern asks for."""
    expression = "[^.]+".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(rf"{expression}(\.(one|other))?", key) is not None


@pytest.mark.parametrize("path", sorted((WEB / "locales").glob("*.json")), ids=lambda path: path.stem)
def test_texts_and_questions_match(path: Path) -> None:
    texts: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    questions = asked()
    assert len(questions) > 50
    assert not {pattern for pattern in questions if not any(fits(pattern, key) for key in texts)}
    assert not {key for key in texts if not any(fits(pattern, key) for pattern in questions)}


def test_the_page_before_its_texts_are_loaded_says_the_same() -> None:
    texts: dict[str, str] = json.loads((WEB / "locales" / "en.json").read_text(encoding="utf-8"))
    html = (WEB / "index.html").read_text(encoding="utf-8")
    shown = re.findall(r'data-i18n="([^"]+)"[^>]*>([^<]+)<', html)
    assert shown
    assert [" ".join(text.split()) for _, text in shown] == [texts[key] for key, _ in shown]
