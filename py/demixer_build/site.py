"""dist/: the page, its libraries, our wheel and the models, as one folder of static files."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from demixer_build import bundle, compress, device_check, files, hosting, icons, models, quality, service_worker
from demixer_build.console import step
from demixer_build.paths import DIST, ROOT, STATE, WEB
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

#: What the page loads by its path, beside its bundles.
_BY_PATH: Final = (
    "app.webmanifest",
    "icons/*.svg",
    "icons/*.webp",
    "locales/*.json",
    "vendor/**/LICENSE.txt",
    "vendor/onnxruntime-web/*.mjs",
    "vendor/onnxruntime-web/*.wasm",
    "vendor/pyodide/*",
)
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
        **page(),
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
    whole = {**contents, "sw.js": _written(output / "sw.js", service_worker.script(contents))}
    hosts = {"_headers": hosting.netlify(whole), "nginx.conf": hosting.nginx(), "Caddyfile": hosting.caddy()}
    texts = {name: _written(output / name, text) for name, text in hosts.items()}
    return {**whole, **texts, **dict(compress.compressed(whole))}


def page() -> dict[str, Path]:
    """Path in the site -> file, for the bundles of `web/` and what they load by its path."""
    by_path = [
        path for pattern in _BY_PATH for path in WEB.glob(pattern) if not path.name.endswith((".d.ts", ".d.mts"))
    ]
    return {**bundle.build(), **{path.relative_to(WEB).as_posix(): path for path in sorted(by_path)}}


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
