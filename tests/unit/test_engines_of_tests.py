"""Browser engines of the tests: installed where that is possible, else skipped with a word."""

from __future__ import annotations

import pytest

from demixer_build import browser, debian
from demixer_build.errors import BuildError

ABSENT = browser.Engine("An engine", ("its-package",), ("a-program-that-nobody-has",))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The packages that were to be installed, though none is."""
    packages: list[str] = []
    monkeypatch.setattr(browser, "FIREFOX", ABSENT)
    monkeypatch.setattr(browser, "WEBKIT", ABSENT)
    monkeypatch.setattr(debian, "install", lambda _, *names: packages.extend(names))
    return packages


def test_an_engine_that_cannot_be_installed_on_debian_is_an_error(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "can_install", lambda: True)
    with pytest.raises(BuildError, match="An engine is missing: its tests need Debian's its-package"):
        browser.ensure_engines()
    assert asked == ["its-package"]


def test_an_engine_is_missed_elsewhere_with_a_word(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(debian, "can_install", lambda: False)
    browser.ensure_engines()
    assert asked == []
    assert capsys.readouterr().out.count("They are skipped.") == 2


def test_bindings_are_asked_of_the_systems_python() -> None:
    bound = browser.Engine("", (), (), (("NoSuchNamespace", "1.0"),))
    assert not bound.present
