"""The page's scripts and styles, bundled by esbuild into a few files with hashed names, and its icons as PNG."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from demixer_build import node
from demixer_build.console import step
from demixer_build.paths import NODE_MODULES, STATE, VENDOR, WEB
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

BUNDLER: Final = WEB / "bundle.mjs"
ICONS: Final = ("app-192.png", "app-512.png", "maskable-512.png")

_ICON: Final = WEB / "icons" / "app.svg"
_RASTERISER: Final = WEB / "icons" / "build-png.mjs"


def build(sources: Path = WEB, output: Path = STATE / "bundle") -> dict[str, Path]:
    """Bundle the scripts and styles.

    Parameters
    ----------
    sources : Path
        A folder such as `web/`, in which `vendor/` may be a link.
    output : Path
        Folder for the bundles.

    Returns
    -------
    dict of str to Path
        Path in the site -> file: `index.html` and everything in `assets/`.
    """
    stamp = Stamp("stamp", output)
    inputs = sorted(_inputs(sources))
    key = digest(*(path.relative_to(sources).as_posix() for path in inputs), *inputs, WEB / "package-lock.json")
    if not stamp.holds(key, [output / "index.html"]):
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        with step("Bundling the page") as shown:
            run(shown, [node.node(), BUNDLER, sources, output], advice="See web/bundle.mjs.")
        stamp.set(key)
    files = [output / "index.html", *sorted((output / "assets").iterdir())]
    return {path.relative_to(output).as_posix(): path for path in files}


def draw_icons(output: Path = STATE / "icons") -> dict[str, Path]:
    """Draw the app's icon in the sizes and shapes that operating systems ask for; path in the site -> file."""
    icons = {f"icons/{name}": output / name for name in ICONS}
    stamp = Stamp("stamp", output)
    key = digest(_ICON, _RASTERISER, WEB / "package-lock.json")
    if not stamp.holds(key, icons.values()):
        output.mkdir(parents=True, exist_ok=True)
        with step("Drawing the icons") as shown:
            run(shown, [node.node(), _RASTERISER, _ICON, output], advice=f"See {_RASTERISER}.")
        stamp.set(key)
    return icons


def _inputs(sources: Path) -> Iterator[Path]:
    for suffix in ("*.js", "*.mjs", "*.css", "*.html"):
        for path in sources.rglob(suffix):
            if not any(folder in path.parents for folder in (NODE_MODULES, VENDOR, sources / "vendor")):
                yield path
