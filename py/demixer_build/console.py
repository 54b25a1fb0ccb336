"""What a person sees of a long step: a moving line on a terminal, one plain line elsewhere. Standard library only."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CLEAR: Final = "\r\033[K"
_REDRAW_SECONDS: Final = 0.1


class Step:
    """A long step. On a terminal its line shows the newest detail; elsewhere details are kept back."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._terminal = sys.stdout.isatty()
        self._drawn = 0.0
        if self._terminal:
            self._draw(title)
        else:
            say(title)

    def detail(self, text: str) -> None:
        """Show what the step is doing right now."""
        if self._terminal and time.monotonic() - self._drawn >= _REDRAW_SECONDS:
            self._draw(f"{self.title}: {text}")

    def close(self, seconds: float) -> None:
        if self._terminal:
            say(f"{_CLEAR}{self.title} ({seconds:.0f} s)" if seconds >= 1 else f"{_CLEAR}{self.title}")

    def abandon(self) -> None:
        if self._terminal:
            print(_CLEAR, end="", flush=True)

    def _draw(self, text: str) -> None:
        self._drawn = time.monotonic()
        width = shutil.get_terminal_size().columns - 1
        print(_CLEAR + text[:width], end="", flush=True)


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show that a long step runs, and how long it took."""
    started = time.monotonic()
    shown = Step(title)
    try:
        yield shown
    except BaseException:
        shown.abandon()
        raise
    shown.close(time.monotonic() - started)


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)
