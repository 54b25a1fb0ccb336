"""What the browser keeps of the site, and the service worker that keeps it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from demixer_build import files, node
from demixer_build.console import step
from demixer_build.errors import BuildError
from demixer_build.headers import RULES
from demixer_build.paths import WEB
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

SOURCES: Final = WEB / "service-worker"
_SHELL_LIMIT: Final = 1_000_000

#: Patterns of what is kept at first use or on request -> the device that needs it; "" for all of them.
_RUNTIME: Final = {
    "vendor/pyodide/*": "",
    "vendor/mediabunny/*.mjs": "",
    "vendor/@mediabunny/*.mjs": "",
    "wheels/*": "",
    "models/testing/answer.json": "",
    "models/testing/layers.onnx": "",
    "models/testing/probe.onnx": "",
    "models/testing/question*.onnx": "",
    "vendor/onnxruntime-web/ort.wasm.*": "wasm",
    "vendor/onnxruntime-web/ort-wasm-simd-threaded.mjs": "wasm",
    "vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm": "wasm",
    "vendor/onnxruntime-web/ort.webgpu.*": "webgpu",
    "vendor/onnxruntime-web/ort-wasm-simd-threaded.asyncify.*": "webgpu",
}
#: What no page asks for without being asked: weights (the model store keeps them), what a device is checked with, what
#: the system takes, and texts for people.
_NOT_KEPT: Final = ("*.onnx", "check/*", "*.png", "*.webp", "*.txt", "_headers", "nginx.conf", "Caddyfile")


def generate(contents: Mapping[str, Path], output: Path) -> Path:
    """Make `sw.js`.

    Parameters
    ----------
    contents : mapping of str to Path
        Path in the site -> file, for all of the site.
    output : Path
        Where to write it, and what the build remembers of it.

    Returns
    -------
    Path
        The script.

    Raises
    ------
    BuildError
        When the shell is too large, or workbox complains of anything.
    """
    site = describe(contents)
    shell = sum(file["bytes"] for file in site["shell"])
    if shell > _SHELL_LIMIT:
        raise BuildError(f"The shell has {shell} bytes; {_SHELL_LIMIT} are allowed. See {Path(__file__).name}.")
    plan, script = output / "site.json", output / "sw.js"
    text = json.dumps(site)
    stamp = Stamp("stamp", output)
    key = digest(text, *sorted(SOURCES.iterdir()), WEB / "package-lock.json")
    if not stamp.holds(key, [script]):
        with step("Making the service worker") as shown:
            files.mirror({file["url"]: contents[file["url"]] for file in site["shell"]}, output / "shell")
            plan.write_text(text, encoding="utf-8")
            command = [node.node(), SOURCES / "generate.mjs", plan, output / "shell", script]
            run(shown, command, advice="See web/service-worker/generate.mjs.")
        stamp.set(key)
    return script


def describe(contents: Mapping[str, Path]) -> dict[str, Any]:
    """What the service worker has to know of the site: its files, and the headers that they need."""
    kept: dict[str, list[dict[str, Any]]] = {"shell": [], "runtime": []}
    for name, path in sorted(contents.items()):
        devices = [device for pattern, device in _RUNTIME.items() if fnmatchcase(name, pattern)]
        if devices:
            kept["runtime"].append({**_file(name, path), "device": devices[0]})
        elif not any(fnmatchcase(name, pattern) for pattern in _NOT_KEPT):
            kept["shell"].append(_file(name, path))
    return {**kept, "headers": [[rule.expression, dict(rule.headers)] for rule in RULES]}


def _file(name: str, path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    sha256 = hashlib.sha256(content)
    return {
        "url": name,
        "revision": sha256.hexdigest()[:16],
        "integrity": f"sha256-{base64.b64encode(sha256.digest()).decode()}",
        "bytes": len(content),
    }
