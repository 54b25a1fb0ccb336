"""Analyses: facts computed from audio, each registered by its file.

A file registers the coroutine function that computes its analysis:

    @register("name")
    async def analyse(source: Source, stems: Stems, options: Options, monitor: Monitor) -> dict[str, Any]: ...
"""

from __future__ import annotations

import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from demixer.audio import Source
from demixer.errors import DemixError
from demixer.progress import Monitor

Stems = Mapping[str, Source]
"""Stems of the source by name, with its rate and length; empty when there are none."""

Options = Mapping[str, Any]
"""Plain data that the analysis validates."""

Analysis = Callable[[Source, Stems, Options, Monitor], Awaitable[Mapping[str, Any]]]
"""Returns plain data and arrays."""

_REGISTRY: Final[dict[str, Analysis]] = {}


def register(name: str) -> Callable[[Analysis], Analysis]:
    """Enter an analysis into the registry; decorates the function that computes it."""

    def enter(analysis: Analysis) -> Analysis:
        if name in _REGISTRY:
            raise ValueError(f"the analysis {name!r} is registered twice")
        _REGISTRY[name] = analysis
        return analysis

    return enter


def find(name: str) -> Analysis:
    """Return the analysis of that name; raises `protocol/version` when there is none."""
    _load_all()
    if name not in _REGISTRY:
        raise DemixError("protocol/version", f"There is no analysis {name!r:.80}.", "Reload the page.")
    return _REGISTRY[name]


@cache
def _load_all() -> None:
    """Import every file of this package, each of which registers its analyses."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
