"""Paths of the checkout and of the download cache. Standard library only."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
VENV: Final = ROOT / ".venv"
MODELS: Final = ROOT / "models"
WEB: Final = ROOT / "web"
NODE_MODULES: Final = WEB / "node_modules"
VENDOR: Final = WEB / "vendor"
DIST: Final = ROOT / "dist"
STATE: Final = ROOT / ".build"
"""Build products and stamps; deleting them costs nothing but time."""


def cache() -> Path:
    """Folder of downloads, outside of the checkout so that `clean` and a second clone need no network."""
    if chosen := os.environ.get("DEMIXER_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "demixer"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "demixer"
