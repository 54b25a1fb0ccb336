"""Who may import and touch what: the borders between the parts, read off the source."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "py" / "demixer"
WEB = ROOT / "web"

#: From the bottom to the top: a module imports from the layers below its own, and from its own package.
LAYERS = (
    {"errors"},
    {"audio", "models", "progress", "runtime"},
    {"guard", "median", "stft"},
    {
        "checkpoint",
        "families",
        "level",
        "metrics",
        "recent",
        "resample",
        "runtimes",
        "segments",
        "spectrogram",
        "stems",
    },
    {"mixdown", "pcm", "separate"},
    {"evaluation", "job"},
    {"bridge", "cli"},
)

#: What a file may import besides numpy and the standard library.
FOREIGN = {
    "cli.py": {"rich", "typer"},
    "runtimes/cluster.py": {"distributed"},
    "runtimes/files.py": {"av", "soundfile"},
    "runtimes/native.py": {"onnxruntime"},
    "runtimes/web.py": {"js", "pyodide"},
}

MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
SCRIPTS = sorted(
    path.relative_to(WEB).as_posix()
    for entry in WEB.iterdir()
    if entry.name not in {"node_modules", "vendor"}
    for path in ([entry] if entry.suffix == ".js" else entry.rglob("*.js"))
)


def imports(source: str) -> set[str]:
    """Every module that a Python source imports, wherever in it, by its full name."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide what is imported"
            assert node.module
            # `from demixer import stems` names a module in what it imports.
            found |= {f"demixer.{alias.name}" for alias in node.names} if node.module == "demixer" else {node.module}
    return found


def layer(part: str) -> int:
    """The layer of a module or package of `demixer`."""
    numbers = [number for number, parts in enumerate(LAYERS) if part in parts]
    assert numbers, f"give {part} a layer in {Path(__file__).name}"
    return numbers[0]


def breaches(module: str, source: str) -> set[str]:
    """Imports that a module, by its path in the package, must not make."""
    found = set()
    part = module.split("/")[0].removesuffix(".py")
    for name in imports(source):
        package, *rest = name.split(".")
        if package == "demixer":
            ours = rest[0] if rest else ""
            allowed = ours == part or (ours != "" and part != "__init__" and layer(ours) < layer(part))
        else:
            allowed = package in {"numpy", *sys.stdlib_module_names} | FOREIGN.get(module, set())
        if not allowed:
            found.add(name)
    return found


def bare(script: str) -> str:
    """A script without its comments."""
    return re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", script, flags=re.DOTALL)


def imported(script: str) -> Iterator[str]:
    """The specifier of every import and re-export of a script."""
    for match in re.finditer(r"""\b(?:from|import)\b\s*\(?\s*["'`]([^"'`]+)["'`]""", bare(script)):
        yield match[1]


def web_breaches(path: str, script: str) -> list[str]:
    """What a script, by its path in `web/`, does against the rules."""
    code = bare(script)
    folders = [folder for specifier in imported(script) for folder in specifier.split("/")]
    rules = {
        "only engine/ort.js imports onnxruntime-web": "onnxruntime-web" in folders and path != "engine/ort.js",
        "only engine/pyodide.js imports pyodide": "pyodide" in folders and path != "engine/pyodide.js",
        "engine/ never touches the document": path.startswith("engine/") and re.search(r"\bdocument\b", code),
        "ui/ never touches workers and storage": path.startswith("ui/")
        and re.search(r"\b(Worker|SharedWorker|caches|indexedDB|getDirectory)\b", code),
        "only library/opfs.js asks file handles, and holds them": path not in {"library/opfs.js", "platform/launch.js"}
        and re.search(
            r"\.(getFile|getFileHandle|getDirectoryHandle|create\w+Handle|createWritable|removeEntry)\(", code
        ),
        "only media/player.js plays": path != "media/player.js"
        and re.search(r"\bnew\s+(?:\w+\.)?AudioContext\b", code),
    }
    return [rule for rule, broken in rules.items() if broken]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_from_below_alone(module: str) -> None:
    assert not breaches(module, (PACKAGE / module).read_text())


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("stft.py", "import scipy"),
        ("separate.py", "import onnxruntime"),
        ("cli.py", "import onnxruntime"),
        ("bridge.py", "from js import document"),
        ("runtimes/native.py", "import pyodide.ffi"),
        ("segments.py", "from demixer.separate import separate"),
        ("families/hpss.py", "def late():\n    from demixer.resample import Resampler"),
        ("separate.py", "from demixer import bridge"),
        ("stems.py", "import demixer.cli"),
        ("__init__.py", "from demixer.errors import CODES"),
        ("audio.py", "import demixer"),
    ],
)
def test_a_forbidden_import_is_seen(module: str, source: str) -> None:
    assert breaches(module, source)


@pytest.mark.parametrize("path", SCRIPTS)
def test_a_script_keeps_to_its_own(path: str) -> None:
    assert not web_breaches(path, (WEB / path).read_text())


@pytest.mark.parametrize(
    ("path", "script"),
    [
        ("engine/engine.js", 'import { env } from "../vendor/onnxruntime-web/ort.wasm.min.mjs";'),
        ("engine/ort.js", 'const { loadPyodide } = await import("../vendor/pyodide/pyodide.mjs");'),
        ("ui/drop-zone.js", "export * from 'onnxruntime-web';"),
        ("engine/worker.js", "document.title = 1;"),
        ("ui/job-view.js", 'new Worker("x.js")'),
        ("ui/job-view.js", "await caches.open(1)"),
        ("ui/job-view.js", "await navigator.storage.getDirectory()"),
        ("ui/stem-strip.js", "const context = new AudioContext();"),
        ("main.js", "const context = new window.AudioContext();"),
        ("library/song-reader.js", "const access = await file.createSyncAccessHandle();"),
        ("app/export-desk.js", "const { size } = await picked.getFile();"),
    ],
)
def test_a_script_out_of_bounds_is_seen(path: str, script: str) -> None:
    assert web_breaches(path, script)


def test_comments_and_neighbours_of_a_name_are_no_breach() -> None:
    assert not web_breaches(
        "engine/rpc.js", "/** The document. */ // new AudioContext()\nimport x from './pyodide.js';"
    )


def test_the_scripts_are_found() -> None:
    assert {"main.js", "engine/protocol.js", "engine/ort.js", "engine/pyodide.js", "media/player.js"} <= set(SCRIPTS)
