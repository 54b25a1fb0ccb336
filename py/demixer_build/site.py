"""dist/: the page, its libraries, our wheel and the models, as one folder of static files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from demixer_build import compress, device_check, files, hosting, icons, models, quality, service_worker
from demixer_build.console import step
from demixer_build.paths import DIST, NODE_MODULES, ROOT, STATE, WEB
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

_NOT_SHIPPED: Final = ("package*.json", "tsconfig.json", "biome.json", "*.d.ts", "*.d.mts", "*.md", "build-*.mjs", ".*")
_GENERATED: Final = STATE / "site"


def build() -> None:
    """Bring dist/ up to date; the Node packages are installed and `web/vendor/` is made already."""
    manifest = models.build()
    wheel = build_wheel(STATE / "wheel")
    paths = {
        "pyodide": "vendor/pyodide/",
        "ort": "vendor/onnxruntime-web/",
        "wheel": f"wheels/{digest(wheel)[:8]}/{wheel.name}",  # the same name may stand for other bytes tomorrow
    }
    contents = {
        **dict(page()),
        **icons.build(),
        "assets.json": _generated("assets.json", paths),
        paths["wheel"]: wheel,
        "models/manifest.json": _generated("manifest.json", manifest),
        **{
            f"models/{artifact['path']}": models.BUILT / artifact["path"]
            for model in manifest["models"]
            for artifacts in model["artifacts"].values()
            for artifact in artifacts
        },
        **{f"models/testing/{path.name}": path for path in models.build_testing()},
        **device_check.build(manifest),
        "quality.json": _generated("quality.json", quality.table()),
    }
    files.mirror(complete(contents, STATE / "service-worker"), DIST)


def complete(contents: Mapping[str, Path], output: Path) -> dict[str, Path]:
    """Add what follows from the rest: the service worker, headers for static hosts, compressed forms.

    Parameters
    ----------
    contents : mapping of str to Path
        Path in the site -> file.
    output : Path
        Folder for what is generated.
    """
    whole = {**contents, "sw.js": service_worker.generate(contents, output)}
    hosts = {"_headers": hosting.netlify(whole), "nginx.conf": hosting.nginx(), "Caddyfile": hosting.caddy()}
    texts = {name: _written(output / name, text) for name, text in hosts.items()}
    return {**whole, **texts, **dict(compress.compressed(whole))}


def page() -> Iterator[tuple[str, Path]]:
    """Path in dist/ -> file, for everything below web/ that a browser may ask for."""
    for path in sorted(WEB.rglob("*")):
        shipped = path.is_file() and not any(fnmatch(path.name, pattern) for pattern in _NOT_SHIPPED)
        if shipped and not any(path.is_relative_to(folder) for folder in (NODE_MODULES, service_worker.SOURCES)):
            yield path.relative_to(WEB).as_posix(), path


def build_wheel(folder: Path) -> Path:
    """Our wheel: the same bytes from the same sources.

    Returns
    -------
    Path
        The only wheel in `folder`.
    """
    sources = sorted((ROOT / "py" / "demixer").rglob("*.py"))
    names = [path.relative_to(ROOT).as_posix() for path in sources]
    key = digest(*names, *sources, *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE")))
    stamp = Stamp("stamp", folder)
    if not stamp.holds(key):
        for old in folder.glob("*.whl"):
            old.unlink()
        with step("Building the demixer wheel") as shown:
            # hatchling gives every file in the wheel the same fixed date unless the environment says another.
            command: list[str | Path] = [
                sys.executable,
                "-m",
                "hatchling",
                "build",
                "--target",
                "wheel",
                "--directory",
                folder,
            ]
            run(shown, command, cwd=ROOT, env={"SOURCE_DATE_EPOCH": "1580601600"}, advice="See pyproject.toml.")
        stamp.set(key)
    return next(folder.glob("*.whl"))


def _generated(name: str, content: Any) -> Path:
    """A JSON file, written anew only where it differs."""
    return _written(_GENERATED / name, json.dumps(content, indent=2) + "\n")


def _written(path: Path, text: str) -> Path:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path
