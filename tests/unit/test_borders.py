"""Borders between the parts, read off the sources: imports, and the objects that each part may use."""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "py" / "demixer"
WEB = ROOT / "web"

#: From the bottom to the top: a module imports from the layers below its own, and from its own package.
LAYERS = (
    {"errors", "names"},
    {"audio", "catalogue", "models", "progress", "runtime"},
    {"graphs", "guard", "median", "normalisation", "stft"},
    {
        "analyses",
        "families",
        "metrics",
        "recent",
        "resample",
        "resume",
        "runtimes",
        "segments",
        "stems",
    },
    {"mixdown", "pcm", "separate"},
    {"evaluation", "job"},
    {"bridge", "cli"},
)

#: Packages that a file may import besides numpy and the standard library.
FOREIGN = {
    "cli.py": {"rich", "typer"},
    "runtimes/cluster.py": {"distributed"},
    "runtimes/decoders.py": {"av", "soundfile"},
    "runtimes/files.py": {"av", "soundfile"},
    "runtimes/writing.py": {"soundfile"},
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


#: The rooms of `web/` from the bottom to the top: a script imports from its own room and from those below.
ROOMS = (
    {"base"},
    {"library"},
    {"platform"},
    {"engine", "decode", "playback", "export"},
    {"app"},
    {"ui"},
    {"main.js", "service-worker"},
)

#: Exceptions between rooms of one layer: the export worker starts Python as the engine does.
NEIGHBOURS = {("export", "engine/python.js")}

#: The thread that a folder or file runs in; `any` is for what every thread may import.
THREADS = {
    "base": "any",
    "library": "any",
    "engine/protocol.js": "any",
    "engine/devices": "any",
    "engine/python.js": "worker",
    "engine/compute": "worker",
    "engine/page": "page",
    "engine/worker": "engine worker",
    "decode/protocol.js": "any",
    "decode/page": "page",
    "decode/worker": "decode worker",
    "playback/protocol.js": "any",
    "playback/page": "page",
    "playback/audio": "audio",
    "export/protocol.js": "any",
    "export/tags.js": "any",
    "export/page": "page",
    "export/worker": "export worker",
    "platform": "page",
    "app": "page",
    "ui": "page",
    "main.js": "page",
    "service-worker": "service worker",
}


def room(path: str) -> int:
    """The layer of a script's room."""
    numbers = [number for number, rooms in enumerate(ROOMS) if path.split("/")[0] in rooms]
    assert numbers, f"give {path} a room in {Path(__file__).name}"
    return numbers[0]


def thread(path: str) -> str:
    """The thread that a script runs in."""
    found = [thread for place, thread in THREADS.items() if path == place or path.startswith(f"{place}/")]
    assert found, f"give {path} a thread in {Path(__file__).name}"
    return found[0]


def may_name(path: str, target: str) -> bool:
    """True when a script may name the types of another one, given their paths in `web/`."""
    same_room = path.split("/")[0] == target.split("/")[0]
    return same_room or room(target) < room(path) or (path.split("/")[0], target) in NEIGHBOURS


def may_import(path: str, target: str) -> bool:
    """True when a script may import another one, given their paths in `web/`."""
    here, there = thread(path), thread(target)
    return may_name(path, target) and (there in {"any", here} or (there == "worker" and here.endswith(" worker")))


def targets(path: str, specifiers: Iterable[str]) -> list[str]:
    """The scripts of `web/` that a script imports, by their paths."""
    paths = [posixpath.normpath(posixpath.join(posixpath.dirname(path), specifier)) for specifier in specifiers]
    return [target for target in paths if target.endswith(".js") and not target.startswith("vendor/")]


def web_breaches(path: str, script: str) -> list[str]:
    """The rules that a script breaks, given its path in `web/`."""
    code = bare(script)
    specifiers = list(imported(script))
    folders = [folder for specifier in specifiers for folder in specifier.split("/")]
    types = re.findall(r"""\bimport\("([^"]+)"\)""", script)
    rules = {
        "imports go down, and stay in their thread": not all(
            may_import(path, target) for target in targets(path, specifiers)
        ),
        "types come from the same room or from below": not all(
            may_name(path, target) for target in targets(path, types)
        ),
        "only engine/compute/runtime.js imports onnxruntime-web": "onnxruntime-web" in folders
        and path != "engine/compute/runtime.js",
        "only engine/python.js imports pyodide": "pyodide" in folders and path != "engine/python.js",
        "workers never touch the document": thread(path) not in {"page"} and re.search(r"\bdocument[.[]", code),
        "ui/ never touches workers and storage": path.startswith("ui/")
        and re.search(r"\b(Worker|SharedWorker|caches|indexedDB|getDirectory)\b", code),
        "only library/opfs.js asks file handles, and holds them": path != "library/opfs.js"
        and re.search(
            r"\.(getFile|getFileHandle|getDirectoryHandle|create\w+Handle|createWritable|removeEntry)\(", code
        ),
        "only playback/page/player.js plays": path != "playback/page/player.js"
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
        ("engine/worker/engine.js", 'import { env } from "../../vendor/onnxruntime-web/ort.wasm.min.mjs";'),
        ("engine/compute/runtime.js", 'const { loadPyodide } = await import("../../vendor/pyodide/pyodide.mjs");'),
        ("ui/drop-zone.js", "export * from 'onnxruntime-web';"),
        ("engine/worker/main.js", "document.title = 1;"),
        ("base/messages.js", "document.title = 1;"),
        ("ui/job-view.js", 'new Worker("x.js")'),
        ("ui/job-view.js", "await caches.open(1)"),
        ("ui/job-view.js", "await navigator.storage.getDirectory()"),
        ("ui/stem-strip.js", "const context = new AudioContext();"),
        ("main.js", "const context = new window.AudioContext();"),
        ("library/audio-reader.js", "const access = await file.createSyncAccessHandle();"),
        ("app/export-controller.js", "const { size } = await picked.getFile();"),
        ("library/songs.js", 'import { EngineClient } from "../engine/page/client.js";'),
        ("platform/launch.js", 'import { ENGINE } from "../engine/protocol.js";'),
        ("base/errors.js", 'import { recall } from "../platform/preferences.js";'),
        ("app/songs.js", 'import { t } from "../ui/i18n.js";'),
        ("engine/page/client.js", 'import { Engine } from "../worker/engine.js";'),
        ("engine/worker/engine.js", 'import { Engine } from "../page/client.js";'),
        ("export/worker/main.js", 'import { Engine } from "../../engine/worker/engine.js";'),
        ("engine/devices/choice.js", 'import { EngineClient } from "../page/client.js";'),
        ("playback/audio/mixer.js", 'import { Player } from "../page/player.js";'),
        ("decode/worker/decode.js", 'import { Player } from "../../playback/page/player.js";'),
        ("app/songs.js", 'const { decode } = await import("../decode/worker/decode.js");'),
        ("playback/page/transport.js", '/** @typedef {import("../../app/song.js").Song} Song */'),
        ("library/songs.js", '/** @param {import("../export/protocol.js").Plan} plan */'),
    ],
)
def test_a_script_out_of_bounds_is_seen(path: str, script: str) -> None:
    assert web_breaches(path, script)


def test_comments_and_neighbours_of_a_name_are_no_breach() -> None:
    assert not web_breaches(
        "engine/worker/engine.js", "/** The document. */ // new AudioContext()\nimport x from '../python.js';"
    )


def test_the_scripts_are_found() -> None:
    assert {
        "main.js",
        "engine/protocol.js",
        "engine/compute/runtime.js",
        "engine/python.js",
        "playback/page/player.js",
    } <= set(SCRIPTS)


#: Tests and benchmarks import modules of the page by name, where no type checker looks.
IMPORTERS = [
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "tests").rglob("*.js")),
    *sorted((ROOT / "py" / "demixer_build").rglob("*.js")),
]


def named_imports(text: str) -> Iterator[tuple[str, str]]:
    """Module in `web/` and name of everything that a test or benchmark imports from `/src/`."""
    static = r"""import\s*\{([^{}]*)\}\s*from\s*["'`]/src/([^"'`?]+)["'`]"""
    dynamic = r"""\{([^{}]*)\}\s*=\s*await import\(["'`]/src/([^"'`?]+)["'`]\)"""
    for names, module in re.findall(static, text) + re.findall(dynamic, text):
        for name in filter(None, map(str.strip, names.split(","))):
            yield module, re.split(r"\s+as\s+|\s*:\s*", name)[0]


def exported(script: str) -> set[str]:
    """Every name that a script exports."""
    code = bare(script)
    names = set(re.findall(r"\bexport\s+(?:async\s+)?(?:function\*?|class|const|let)\s+(\w+)", code))
    for group in re.findall(r"\bexport\s*\{([^}]*)\}", code):
        names |= {part.split()[-1] for part in group.split(",") if part.strip()}
    return names


@pytest.mark.parametrize("path", IMPORTERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_of_tests_and_benchmarks_exist(path: Path) -> None:
    for module, name in named_imports(path.read_text(encoding="utf-8")):
        assert name in exported((WEB / module).read_text(encoding="utf-8")), f"{module} exports no {name}"


def test_imports_of_tests_are_found() -> None:
    found = {pair for path in IMPORTERS for pair in named_imports(path.read_text(encoding="utf-8"))}
    assert ("engine/page/client.js", "EngineClient") in found
    assert ("library/track.js", "Track") in found
    assert "renamed" not in exported("// export const renamed = 1;\nexport { renamed as other };")
