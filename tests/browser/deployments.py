"""Makes versions of the built site, with a model that downloads at once."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from demixer_build import bundle, files, paths, site

GENERATED: Final = {"sw.js", "_headers", "nginx.conf", "Caddyfile"}
ECHO: Final = "testing/echo.onnx"


def deployment(
    folder: Path, changes: Mapping[str, bytes] | None = None, *, sources: Mapping[str, str] | None = None
) -> Path:
    """Make a version of the site: the built one with changes and the model *Echo*.

    Parameters
    ----------
    folder : Path
        Folder of the version.
    changes : mapping of str to bytes, optional
        Path in the site -> its content in this version.
    sources : mapping of str to str, optional
        Script in `web/` -> a statement to append to it.

    Returns
    -------
    Path
        What to serve.
    """
    contents = {
        name: path
        for path in paths.DIST.rglob("*")
        if path.is_file()
        and path.suffix not in {".br", ".gz"}
        and (name := path.relative_to(paths.DIST).as_posix()) not in GENERATED
        and "fp32" not in name
    }
    if sources:
        contents = {name: path for name, path in contents.items() if not name.startswith("assets/")}
        contents |= _bundle(folder, sources)
    for name, content in {"models/manifest.json": _manifest(), **(changes or {})}.items():
        contents[name] = folder / "changed" / name
        contents[name].parent.mkdir(parents=True, exist_ok=True)
        contents[name].write_bytes(content)
    dist = folder / "dist"
    dist.mkdir()
    files.mirror(site.complete(contents, folder / "state"), dist)
    return dist


def _bundle(folder: Path, sources: Mapping[str, str]) -> dict[str, Path]:
    """The page's bundles with changed scripts."""
    web = folder / "web"
    shutil.copytree(paths.WEB, web, ignore=shutil.ignore_patterns("node_modules", "vendor"))
    (web / "vendor").symlink_to(paths.VENDOR)
    for name, statement in sources.items():
        with (web / name).open("a", encoding="utf-8") as script:
            script.write(f"\n{statement}\n")
    # At the same depth as in the checkout, since source maps hold relative paths.
    return bundle.build(web, folder / ".build" / "bundle")


def echo() -> dict[str, Any]:
    """A model of the family `spleeter` that returns its input."""
    graph = (paths.DIST / "models" / ECHO).read_bytes()
    artifact = {"path": ECHO, "bytes": len(graph), "sha256": hashlib.sha256(graph).hexdigest()}
    return {
        "id": "echo",
        "label": "Echo",
        "summary": "Gives back what it gets.",
        "family": "spleeter",
        "stems": ["vocals", "accompaniment"],
        "gflop_per_second": 0.5,
        "presets": {"standard": {"overlap": 0.1}},
        "licence": None,
        "segment": 11.87,
        "artifacts": {"default": [artifact]},
    }


def _manifest() -> bytes:
    built = json.loads((paths.DIST / "models" / "manifest.json").read_text(encoding="utf-8"))
    return json.dumps({**built, "models": [*built["models"], echo()]}).encode()
