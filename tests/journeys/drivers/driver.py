"""The interface of a browser under test, in the words of a person: roles, names, texts and files."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

SOON: Final = 300.0
"""Seconds for whatever needs Python or a model, on a busy machine."""

_POLL: Final = 0.1

#: A role, and a name where it matters.
Part = tuple[str, str] | tuple[str]

_PAGE: Final = Path(__file__).with_name("page.js").read_text(encoding="utf-8")


def script(function: str) -> str:
    """A JavaScript function that sees the helpers of `page.js`."""
    return f"async (...given) => {{ {_PAGE}\nreturn await ({function})(...given); }}"


class Driver(ABC):
    """A browser window with one page.

    An element is given by the path to it, the outermost last: `("button", "Mute"), ("group", "Bass")` is the button in
    the group.

    Parameters
    ----------
    downloads : Path
        Folder where files appear under their suggested names.
    """

    engine: str
    """The engine's name, such as "firefox"."""

    version: str
    """The browser's name and version."""

    def __init__(self, downloads: Path) -> None:
        self.downloads = downloads
        self.downloads.mkdir(parents=True, exist_ok=True)
        self._opened = ExitStack()

    @abstractmethod
    def open(self, url: str) -> None:
        """Go to an address, and wait until the page has loaded."""

    @abstractmethod
    def evaluate(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the page with plain values, and wait for what it returns."""

    @abstractmethod
    def _press(self, path: list[Part]) -> bool:
        """Click on an element with the pointer; False while it cannot be pressed."""

    @abstractmethod
    def _give(self, *files: Path) -> None:
        """Give files to the input that takes them."""

    @abstractmethod
    def screenshot(self, path: Path) -> None:
        """Save a picture of the window."""

    @abstractmethod
    def take_problems(self) -> list[str]:
        """Return whatever should not have happened since the last call: errors, violations, foreign requests."""

    def close(self) -> None:
        """End the browser, and all that runs for it."""
        self._opened.close()

    def reload(self) -> None:
        """Open the same address again."""
        self.open(self.evaluate("() => location.href"))

    def click(self, *path: Part, seconds: float = SOON) -> None:
        """Click on an element as soon as it can be pressed."""
        self._until(lambda: self._press(list(path)), f"{path} cannot be pressed", seconds)

    def set_files(self, *files: Path) -> None:
        """Choose files, as in the browser's dialog."""
        self.wait_until("() => document.querySelector('input[type=file]') !== null")
        self._give(*files)

    def texts(self, *path: Part) -> list[str]:
        """The texts of all elements that are visible, empty ones too; without a path, that of the page."""
        found: list[str] = self.evaluate("(path) => texts(path)", path)
        return found

    def wait(self, text: str, *path: Part, seconds: float = SOON) -> None:
        """Wait until one of the elements, or the page, has a text in which the regular expression is found."""
        search = "([text, path]) => texts(path).some((each) => new RegExp(text).test(each))"
        self._until(lambda: self.evaluate(search, [text, path]), f"{text!r} is not in {path}", seconds)

    def wait_for(self, *path: Part, attribute: str = "role", value: str = "", seconds: float = SOON) -> None:
        """Wait for an element, with an attribute in which the regular expression is found."""
        search = """([path, attribute, value]) =>
          findAll(...path).some((each) => new RegExp(value).test(each.getAttribute(attribute) ?? ""))"""
        missing = f"{path} does not have {attribute}={value!r}"
        self._until(lambda: self.evaluate(search, [path, attribute, value]), missing, seconds)

    def wait_until(self, function: str, *arguments: Any, seconds: float = SOON) -> None:
        """Wait until a JavaScript function returns true."""
        self._until(lambda: self.evaluate(function, *arguments), function, seconds)

    def download(self, name: str, *path: Part) -> Path:
        """Click on an element, and return the file of this name that it saves."""
        file = self.downloads / name
        file.unlink(missing_ok=True)
        self.click(*path)
        self._until(lambda: self._is_whole(file), f"{name} was not saved", SOON)
        return file

    def _is_whole(self, file: Path) -> bool:
        """True once a file has arrived: browsers write into a second one beside it."""
        self.evaluate("() => null")  # gives the driver the time to hear of the download
        return file.exists() and file.stat().st_size > 0 and not list(self.downloads.glob("*.part"))

    def _until(self, condition: Any, complaint: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                picture = self.downloads.parent / "page.png"
                self.screenshot(picture)
                raise TimeoutError(f"{complaint} ({self.version}). {picture} shows the page: {self._page_text()}")
            time.sleep(_POLL)

    def _page_text(self) -> str:
        text: str = self.evaluate("() => document.body.innerText")
        return " / ".join(text.split("\n"))[:2000]
