"""Analyses: facts computed from audio, one file each.

An analysis is a coroutine function of a source, its options and a monitor. A new one is a file here and an entry in
`_ANALYSES`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from demixer.analyses import spectrogram
from demixer.audio import Source
from demixer.errors import DemixError
from demixer.progress import Monitor

Analysis = Callable[[Source, Mapping[str, Any], Monitor], Awaitable[Mapping[str, Any]]]
"""Takes options as plain data, returns plain data and arrays."""

_ANALYSES: Final[Mapping[str, Analysis]] = {
    "spectrogram": spectrogram.analyse,
}


def find(name: str) -> Analysis:
    """The analysis of that name; raises `protocol/version` when there is none."""
    if name not in _ANALYSES:
        raise DemixError("protocol/version", f"There is no analysis {name!r:.80}.", "Reload the page.")
    return _ANALYSES[name]
