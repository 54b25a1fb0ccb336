"""Stamps of finished steps: a step is skipped while the digest of its inputs stays the same. Standard library only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from demixer_build.paths import STATE


def digest(*parts: str | Path) -> str:
    """Hash texts and the contents of files.

    A missing file counts as an empty one, so that its appearance changes the hash.
    """
    whole = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part.read_bytes() if part.exists() else b""
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()


class Stamp:
    """The digest of the inputs that a step was last finished with."""

    def __init__(self, name: str, folder: Path = STATE) -> None:
        self._path = folder / name

    def holds(self, key: str, outputs: Iterable[Path] = ()) -> bool:
        """True when the step was finished with these inputs, and its outputs still exist."""
        return self.read() == key and all(output.exists() for output in outputs)

    def read(self) -> str:
        """The stored digest; empty when the step is still to do."""
        return self._path.read_text(encoding="utf-8") if self._path.exists() else ""

    def set(self, key: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(key, encoding="utf-8")

    def drop(self) -> None:
        """Remove the stamp before the step starts, so that an interrupted step is repeated."""
        self._path.unlink(missing_ok=True)
