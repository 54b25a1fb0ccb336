"""The app's icon in the sizes and shapes that systems ask for, drawn from `web/icons/app.svg`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from demixer_build import node
from demixer_build.console import step
from demixer_build.paths import STATE, WEB
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

_SOURCE: Final = WEB / "icons" / "app.svg"
_RASTERISER: Final = WEB / "icons" / "build-png.mjs"
_DRAWN: Final = STATE / "icons"
NAMES: Final = ("app-192.png", "app-512.png", "maskable-512.png")


def build() -> dict[str, Path]:
    """Draw the icons; path in the site -> file."""
    icons = {f"icons/{name}": _DRAWN / name for name in NAMES}
    stamp = Stamp("stamp", _DRAWN)
    key = digest(_SOURCE, _RASTERISER, WEB / "package-lock.json")
    if not stamp.holds(key, icons.values()):
        _DRAWN.mkdir(parents=True, exist_ok=True)
        with step("Drawing the icons") as shown:
            run(shown, [node.node(), _RASTERISER, _SOURCE, _DRAWN], advice=f"See {_RASTERISER}.")
        stamp.set(key)
    return icons
