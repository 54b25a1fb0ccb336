"""A stand-in for JavaScript's `AbortSignal`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Abort:
    """A signal that a test aborts by hand."""

    aborted: bool = False
