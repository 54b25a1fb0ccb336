"""Contents of a checkpoint: descriptions of its tensors, and functions that read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from demixer.graphs.dtypes import Array, Shape


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor that has not been read."""

    dtype: str
    shape: Shape
    read: Callable[[], Array]


@dataclass(frozen=True, slots=True)
class Contents:
    """The tensors and the metadata of one file."""

    format: str
    entries: dict[str, Entry]
    metadata: dict[str, object]
