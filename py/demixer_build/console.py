"""Progress on the console: one updated line on a terminal, plain lines elsewhere. Standard library only."""

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
"""Interval between the lines of a long step where the output is no terminal."""

_STAGE: Final = "DEMIXER_BUILD_STAGE"
"""Environment variable, such as "3/9": build.py continues in another process."""


def stage(number: int, total: int) -> None:
    """Number the steps that follow as those of this stage of the command."""
    os.environ[_STAGE] = f"{number}/{total}"


class Step:
    """A long step on the console, with its latest detail or its progress.

    Parameters
    ----------
    title : str
    seconds : float, optional
        Its usual duration, to estimate the time left.
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
        """Show a line about the work under way."""
        self._show(f"{self._left(None)}{text}")

    def progress(self, done: float, total: float, unit: str = "") -> None:
        """Show the progress of the step, and the time left at its speed so far."""
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
    """Show a long step while it runs, then how long it took; `seconds` is its usual duration."""
    started = time.monotonic()
    shown = Step(title, seconds)
    try:
        yield shown
    except BaseException:
        shown.abandon()
        raise
    shown.close(time.monotonic() - started)


def say(text: str) -> None:
    """Print one line and flush it, since the output may be a pipe."""
    print(text, flush=True)
