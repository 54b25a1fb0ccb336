"""dist/: the page, its libraries, our wheel and the models, as one folder of static files."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from demixer_build import bundle, compress, device_check, files, hosting, models, quality, service_worker
from demixer_build.console import step
from demixer_build.errors import BuildError
from demixer_build.paths import DIST, ROOT, STATE, WEB
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

#: Files that the page loads by path, beside its bundles.
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


def build(built: dict[str, Any], precisions: Collection[str] | None = None) -> dict[str, Path]:
    """Build the files of the site, given the Node packages and `web/vendor/`.

    Parameters
    ----------
    built : dict
        Manifest of the models that could be built.
    precisions : collection of str, optional
        Precisions of the weights to include; all by default.

    Returns
    -------
    dict of str to Path
        Path in the site -> file.

    Raises
    ------
    BuildError
        When a model has weights, but none at these precisions.
    """
    manifest = built if precisions is None else only(built, precisions)
    wheel = build_wheel(STATE / "wheel")
    paths = {
        "pyodide": "vendor/pyodide/",
        "ort": "vendor/onnxruntime-web/",
        "wheel": f"wheels/{digest(wheel)[:8]}/{wheel.name}",  # wheels of one name differ between builds
    }
    return {
        **page(),
        **bundle.draw_icons(),
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
        **{name: path for name, path in device_check.build(built).items() if _is_answerable(name, manifest)},
        "quality.json": _generated("quality.json", quality.table()),
    }


def write(contents: Mapping[str, Path], codings: Collection[str]) -> None:
    """Bring dist/ up to date.

    Parameters
    ----------
    contents : mapping of str to Path
        Path in the site -> file.
    codings : collection of str
        Content codings of the compressed forms. Brotli is enough for browsers, which all accept it over HTTPS; gzip
        is for hosts that cannot send brotli.
    """
    files.mirror(complete(contents, STATE / "service-worker", codings), DIST)


def only(manifest: dict[str, Any], precisions: Collection[str]) -> dict[str, Any]:
    """Return the manifest with the artifacts of these precisions alone.

    Raises
    ------
    BuildError
        When a model has artifacts, but none at these precisions.
    """
    entries = []
    for model in manifest["models"]:
        artifacts = {name: files for name, files in model["artifacts"].items() if name in precisions}
        if model["artifacts"] and not artifacts:
            offered = ", ".join(model["artifacts"])
            raise BuildError(f"{model['label']} has no weights for --precision {','.join(precisions)}, only {offered}.")
        entries.append({**model, "artifacts": artifacts})
    return {**manifest, "models": entries}


def _is_answerable(name: str, manifest: dict[str, Any]) -> bool:
    """False for the stems of a device check, `check/<model>.fp32.f32`, whose precision is left out.

    Every graph for GPUs is compared with the exact one.
    """
    model = name.removeprefix("check/").split(".")[0]
    precisions = [set(entry["artifacts"]) for entry in manifest["models"] if entry["id"] == model]
    return not name.endswith(".fp32.f32") or any(each - {"default"} for each in precisions)


def complete(contents: Mapping[str, Path], output: Path, codings: Collection[str] = ("br",)) -> dict[str, Path]:
    """Add the files that depend on the others: the service worker, headers for static hosts, compressed forms.

    Parameters
    ----------
    contents : mapping of str to Path
        Path in the site -> file.
    output : Path
        Folder for the generated files.
    codings : collection of str
        Content codings of the compressed forms.
    """
    whole = {**contents, "sw.js": _written(output / "sw.js", service_worker.script(contents))}
    hosts = {
        "_headers": hosting.netlify(whole),
        "nginx.conf": hosting.nginx(codings),
        "Caddyfile": hosting.caddy(codings),
    }
    texts = {name: _written(output / name, text) for name, text in hosts.items()}
    return {**whole, **texts, **dict(compress.compressed(whole, codings))}


def page() -> dict[str, Path]:
    """Path in the site -> file, for the bundles of `web/` and the files that they load by path."""
    by_path = [
        path for pattern in _BY_PATH for path in WEB.glob(pattern) if not path.name.endswith((".d.ts", ".d.mts"))
    ]
    return {**bundle.build(), **{path.relative_to(WEB).as_posix(): path for path in sorted(by_path)}}


def build_wheel(folder: Path) -> Path:
    """Build our wheel, whose bytes depend on its sources alone, as the only one in `folder`."""
    sources = sorted((ROOT / "py" / "demixer").rglob("*.py"))
    names = [path.relative_to(ROOT).as_posix() for path in sources]
    key = digest(*names, *sources, *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE")))
    stamp = Stamp("stamp", folder)
    if not stamp.holds(key):
        for old in folder.glob("*.whl"):
            old.unlink()
        with step("Building the demixer wheel") as shown:
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
            # A fixed date, so that the same sources make the same bytes.
            run(shown, command, cwd=ROOT, env={"SOURCE_DATE_EPOCH": "1580601600"}, advice="See pyproject.toml.")
        stamp.set(key)
    return next(folder.glob("*.whl"))


def _generated(name: str, content: Any) -> Path:
    """Write a JSON file, unless it is up to date."""
    return _written(_GENERATED / name, json.dumps(content, indent=2) + "\n")


def _written(path: Path, text: str) -> Path:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path
