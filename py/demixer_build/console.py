"""Progress on the screen: a moving line on a terminal, plain lines elsewhere. Standard library only."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CLEAR: Final = "\r\033[K"
_REDRAW_SECONDS: Final = 0.1
_REPEAT_SECONDS: Final = 10
"""Elsewhere than on a terminal, a step that goes on says so this often."""

_STAGE: Final = "DEMIXER_BUILD_STAGE"
"""Environment variable, for build.py goes on in another process: "3/9"."""


def stage(number: int, total: int) -> None:
    """Number the steps that follow: they belong to this stage of the command."""
    os.environ[_STAGE] = f"{number}/{total}"


class Step:
    """A long step, its newest detail and how far it is.

    Parameters
    ----------
    title : str
    seconds : float, optional
        Its usual duration, for the time left.
    """

    def __init__(self, title: str, seconds: float | None = None) -> None:
        self.title = title
        number = os.environ.get(_STAGE)
        self._line = f"[{number}] {title}" if number else title
        self._seconds = seconds
        self._terminal = sys.stdout.isatty()
        self._started = self._drawn = time.monotonic()
        if self._terminal:
            self._draw("")
        else:
            say(f"{self._line} (about {seconds:.0f} s)" if seconds else self._line)

    def detail(self, text: str) -> None:
        """Show what the step is doing right now."""
        self._show(f"{self._left(None)}{text}")

    def progress(self, done: float, total: float, unit: str = "") -> None:
        """Show how far the step is and the time left, by its speed so far."""
        amount = f"{done:.0f} of {total:.0f} {unit}" if unit else f"{100 * done / total:.0f} %"
        self._show(f"{self._left(done / total)}{amount}")

    def close(self, seconds: float) -> None:
        if self._terminal:
            say(f"{_CLEAR}{self._line} ({seconds:.0f} s)" if seconds >= 1 else f"{_CLEAR}{self._line}")

    def abandon(self) -> None:
        if self._terminal:
            print(_CLEAR, end="", flush=True)

    def _left(self, fraction: float | None) -> str:
        elapsed = time.monotonic() - self._started
        if fraction:
            left = elapsed / fraction - elapsed
        elif self._seconds and elapsed < self._seconds:
            left = self._seconds - elapsed
        else:
            return ""
        return f"about {left:.0f} s left, "

    def _show(self, text: str) -> None:
        if time.monotonic() - self._drawn >= (_REDRAW_SECONDS if self._terminal else _REPEAT_SECONDS):
            self._draw(f": {text}")

    def _draw(self, text: str) -> None:
        self._drawn = time.monotonic()
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            print(_CLEAR + (self._line + text)[:width], end="", flush=True)
        else:
            say(f"  {self.title}{text}")


@contextmanager
def step(title: str, seconds: float | None = None) -> Iterator[Step]:
    """Show that a long step runs and how long it took; `seconds` is its usual duration."""
    started = time.monotonic()
    shown = Step(title, seconds)
    try:
        yield shown
    except BaseException:
        shown.abandon()
        raise
    shown.close(time.monotonic() - started)


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)
