"""Error codes: one table in Python, JavaScript and the texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from demixer.errors import CODES, AudioError, Cancelled, DemixError, ModelError, RuntimeFailure

WEB = Path(__file__).parents[2] / "web"


def script_codes() -> dict[str, bool]:
    """The table of `web/base/errors.js`."""
    script = (WEB / "base" / "errors.js").read_text()
    table = re.search(r"ERROR_CODES = Object\.freeze\(\{(.*?)\}\)", script, re.DOTALL)
    assert table
    return {code: value == "true" for code, value in re.findall(r'"?([\w/-]+)"?: (true|false),', table[1])}


def test_python_and_javascript_have_one_table() -> None:
    assert script_codes() == CODES
    assert list(script_codes()) == list(CODES)


@pytest.mark.parametrize("path", sorted((WEB / "locales").glob("*.json")), ids=lambda path: path.stem)
def test_every_code_has_its_texts_in_every_language(path: Path) -> None:
    texts = {key: text for key, text in json.loads(path.read_text()).items() if key.startswith("error.")}
    wanted = {f"error.{code}.{part}" for code in CODES for part in ("title", "hint")} | exact_hints(texts)
    # Texts of the page's own about errors have no code, and so no slash, in their key.
    assert wanted <= set(texts)
    assert {key for key in texts if "/" in key} <= wanted
    assert all(texts[key].strip() for key in wanted)


def exact_hints(texts: Iterable[str]) -> set[str]:
    """The keys of hints that are more exact than their code's."""
    return {key for key in texts if re.fullmatch(rf"error\.({'|'.join(CODES)})\.hint\.[a-z]+", key)}


def test_every_hint_of_the_scripts_has_its_text() -> None:
    typedef = re.search(r"@typedef \{([^}]+)\} Hint\b", (WEB / "base" / "errors.js").read_text())
    assert typedef
    texts = json.loads((WEB / "locales" / "en.json").read_text())
    assert set(re.findall(r'"(\w+)"', typedef[1])) == {key.rpartition(".")[2] for key in exact_hints(texts)}


def test_english_is_there() -> None:
    assert (WEB / "locales" / "en.json").exists()


def test_an_error_crosses_the_border_whole() -> None:
    error = DemixError("model/network", "The server did not answer.", "Try again.")
    assert error.to_dict() == {
        "code": "model/network",
        "message": "The server did not answer.",
        "hint": "Try again.",
        "retryable": True,
    }
    assert str(error) == "The server did not answer."


@pytest.mark.parametrize("code", CODES)
def test_trying_again_is_as_the_table_says(code: str) -> None:
    error = DemixError(code, "What happened.")
    assert error.retryable is CODES[code]
    assert error.to_dict()["retryable"] is CODES[code]
    assert error.hint is None


def test_an_unknown_code_is_a_bug() -> None:
    with pytest.raises(ValueError, match="audio/unheard-of"):
        DemixError("audio/unheard-of", "What happened.")


@pytest.mark.parametrize("kind", [AudioError, ModelError, RuntimeFailure])
def test_children_are_caught_as_the_parent(kind: type[DemixError]) -> None:
    with pytest.raises(DemixError):
        raise kind("cancelled", "What happened.")


def test_cancelled_needs_no_words() -> None:
    assert Cancelled().code == "cancelled"
    assert Cancelled().retryable
