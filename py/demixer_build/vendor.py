"""Copies the files that the page uses of its npm packages, with their types, to `web/vendor/`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Final

from demixer_build import assets
from demixer_build.console import step
from demixer_build.errors import BuildError
from demixer_build.paths import NODE_MODULES, VENDOR, WEB
from demixer_build.stamps import Stamp, digest

_FILES: Final[dict[str, dict[str, str]]] = {
    # Not the packages' entry points, which start their encoders from text: the page's policy forbids that.
    "@mediabunny/aac-encoder": {
        "dist/modules/build/aac.js": "aac.mjs",
        "dist/modules/build/aac.d.ts": "aac.d.mts",
        "LICENSE": "LICENSE.txt",
    },
    "@mediabunny/flac-encoder": {
        "dist/modules/build/flac.js": "flac.mjs",
        "dist/modules/build/flac.d.ts": "flac.d.mts",
        "LICENSE": "LICENSE.txt",
    },
    "@mediabunny/mp3-encoder": {
        "dist/modules/build/lame.js": "lame.mjs",
        "dist/modules/build/lame.d.ts": "lame.d.mts",
        "LICENSE": "LICENSE.txt",
    },
    "client-zip": {
        "index.js": "client-zip.mjs",
        "index.d.ts": "client-zip.d.mts",
        "LICENSE.txt": "LICENSE.txt",
    },
    "mediabunny": {
        "dist/bundles/mediabunny.min.mjs": "mediabunny.mjs",
        "dist/mediabunny.d.ts": "mediabunny.d.mts",
        "LICENSE": "LICENSE.txt",
    },
    "onnxruntime-common": {"dist/esm/*.d.ts": ""},
    "onnxruntime-web": {
        "dist/ort.wasm.min.mjs": "",
        "dist/ort.webgpu.min.mjs": "",
        "dist/ort-wasm-simd-threaded.mjs": "",
        "dist/ort-wasm-simd-threaded.wasm": "",
        "dist/ort-wasm-simd-threaded.asyncify.mjs": "",
        "dist/ort-wasm-simd-threaded.asyncify.wasm": "",
    },
    "pyodide": {
        "pyodide.mjs": "",
        "pyodide.d.ts": "pyodide.d.mts",
        "ffi.d.ts": "",
        "pyodide.asm.mjs": "",
        "pyodide.asm.wasm": "",
        "pyodide-lock.json": "",
        "python_stdlib.zip": "",
    },
}
"""Package -> file or pattern in it -> name in `web/vendor/` ("" for the same)."""

_WRITTEN: Final = {
    f"onnxruntime-web/{entry}.d.mts": 'export * from "../onnxruntime-common/index.js";\n'
    for entry in ("ort.wasm.min", "ort.webgpu.min")
}
"""Types that the packages declare for a module name alone, where a relative import does not find them."""

_WHEELS: Final = ("numpy", "micropip", "packaging")
"""Packages that Pyodide loads, by their names in its lock file."""
_WHEELS_PACKAGE: Final = ("open-webui", "0.12.4", "open_webui/frontend/pyodide")
"""Package, version and folder on PyPI with the same wheels, for when Pyodide's release server cannot be reached."""

_SOURCE_MAP: Final = re.compile(rb"\n//# sourceMappingURL=\S+\s*$")

_COMMON: Final = {
    b'"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\n': b"",
    b"exports.default = ": b"export default ",
}
"""CommonJS of the encoders -> the same as ES module."""

_MENDED: Final = {
    "mediabunny.mjs": (
        b"for(let c=0;c<o.length-_c;c++){o.filePos=s;let u=vs(o);if(u!==null&&a.has(u))return s;s++}",
        b"for(let c=0;c===0||c<o.length-_c;c++)"
        b"{o.filePos=s;let u=vs(o);if(u!==null&&a.has(u)&&Fc(o)!==null)return s;s++}",
    )
}
"""Script -> a defect in it, and the same without. The search for a Matroska element past junk never ended: eight bytes
before the end of the file it took no step, and it found elements without a size, from which it was started again."""


def update() -> None:
    """Bring `web/vendor/` up to date with the lock file.

    Raises
    ------
    BuildError
        When one of Pyodide's wheels is unavailable.
    """
    stamp = Stamp("vendor")
    key = digest(WEB / "package-lock.json", Path(__file__))
    if stamp.holds(key, [VENDOR]):
        return
    wheels = _pyodide_wheels()
    with step("Copying the page's libraries"):
        stamp.drop()
        shutil.rmtree(VENDOR, ignore_errors=True)
        for package, files in _FILES.items():
            for pattern, name in files.items():
                for source in (NODE_MODULES / package).glob(pattern):
                    _copy(source, VENDOR / package / (name or source.name))
        for name, text in _WRITTEN.items():
            (VENDOR / name).write_text(text, encoding="utf-8")
        for wheel in wheels:
            shutil.copyfile(wheel, VENDOR / "pyodide" / wheel.name)
        stamp.set(key)


def _copy(source: Path, target: Path) -> None:
    """Copy a file; a script becomes an ES module and loses the reference to its source map, which is not shipped."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix in {".js", ".mjs"}:
        script = _SOURCE_MAP.sub(b"\n", source.read_bytes())
        for common, module in _COMMON.items() if script.startswith(next(iter(_COMMON))) else ():
            script = script.replace(common, module, 1)
        defect, mend = _MENDED.get(target.name, (b"", b""))
        if defect and script.count(defect) != 1:
            raise BuildError(f"{target.name} has changed. Change its mend in {Path(__file__).name}, or remove it.")
        target.write_bytes(script.replace(defect, mend) if defect else script)
    else:
        shutil.copyfile(source, target)


def _pyodide_wheels() -> list[Path]:
    """Fetch the wheels by the hashes of Pyodide's lock file: from its release server, else from PyPI."""
    version = json.loads((NODE_MODULES / "pyodide" / "package.json").read_text(encoding="utf-8"))["version"]
    packages = json.loads((NODE_MODULES / "pyodide" / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    pinned = {packages[name]["file_name"]: packages[name]["sha256"] for name in _WHEELS}
    wheels: list[Path] = []
    for name, sha256 in pinned.items():
        wheel = assets.from_url(f"https://cdn.jsdelivr.net/pyodide/v{version}/full/{name}", sha256)
        if wheel is None:
            package, package_version, folder = _WHEELS_PACKAGE
            inside = {f"{folder}/{name}": sha256 for name, sha256 in pinned.items()}
            return list(assets.from_package(assets.Package("pypi", package, package_version, inside)).values())
        wheels.append(wheel)
    return wheels
