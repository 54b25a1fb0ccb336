"""Generates the service worker, which decides when the browser caches each file of the site."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from demixer_build.headers import RULES
from demixer_build.paths import WEB

SOURCES: Final = WEB / "service-worker"

#: Patterns of the runtime, cached once a song is chosen or on request -> device that needs it; "" for all devices.
_RUNTIME: Final = {
    "assets.json": "",
    "assets/*.js": "",
    "quality.json": "",
    "vendor/pyodide/*": "",
    "wheels/*": "",
    "models/testing/answer.json": "",
    "models/testing/layers.onnx": "",
    "models/testing/probe.onnx": "",
    "models/testing/question-default.onnx": "wasm",
    "models/testing/question-fp*.onnx": "webgpu",
    "vendor/onnxruntime-web/ort.wasm.*": "wasm",
    "vendor/onnxruntime-web/ort-wasm-simd-threaded.mjs": "wasm",
    "vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm": "wasm",
    "vendor/onnxruntime-web/ort.webgpu.*": "webgpu",
    "vendor/onnxruntime-web/ort-wasm-simd-threaded.asyncify.*": "webgpu",
}
#: Patterns of the shell, beside the files that `index.html` names: cached when the service worker is installed.
_SHELL: Final = ("index.html", "app.webmanifest", "icons/*.svg", "locales/*.json", "models/manifest.json")
#: Patterns of files that are cached on use, and not needed to work offline.
_EXTRA: Final = ("check/*",)
_NAMED: Final = re.compile(r'\b(?:href|src)="(assets/[^"]+)"')


def script(contents: Mapping[str, Path]) -> str:
    """The text of `sw.js`.

    Parameters
    ----------
    contents : mapping of str to Path
        Path in the site -> file, for the whole site.
    """
    source = (SOURCES / "main.js").read_text(encoding="utf-8")
    return f"const site = {json.dumps(describe(contents))};\n{source}"


def describe(contents: Mapping[str, Path]) -> dict[str, Any]:
    """The files that the service worker may cache, and the headers that they need.

    Weights are left to the model store; files that only an operating system or a person reads are not cached.
    """
    return {"files": list(_files(contents)), "headers": [[rule.expression, dict(rule.headers)] for rule in RULES]}


def _files(contents: Mapping[str, Path]) -> Iterator[dict[str, Any]]:
    first = {*_NAMED.findall(contents["index.html"].read_text(encoding="utf-8"))}
    for name, path in sorted(contents.items()):
        devices = [device for pattern, device in _RUNTIME.items() if fnmatchcase(name, pattern)]
        if name in first or _fits(name, _SHELL):
            yield {**_file(name, path), "part": "shell", "device": ""}
        elif devices:
            yield {**_file(name, path), "part": "runtime", "device": devices[0]}
        elif _fits(name, _EXTRA):
            yield {**_file(name, path), "part": "extra", "device": ""}


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _file(name: str, path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    sha256 = hashlib.sha256(content)
    return {
        "url": name,
        "revision": sha256.hexdigest()[:16],
        "integrity": f"sha256-{base64.b64encode(sha256.digest()).decode()}",
        "bytes": len(content),
    }
