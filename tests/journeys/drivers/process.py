"""Programs that run beside a test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_PATIENCE = 20
"""Seconds that a program may take to end."""


@contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator[Any]:
    """A program that is ended with the context."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
