"""The About panel's table and the references of the device check, as the build makes them."""

from __future__ import annotations

import asyncio
import json
import tomllib
from typing import Any

import numpy as np
import pytest

from demixer.audio import Samples
from demixer.models import Model, read_manifest
from demixer_build import device_check, quality
from demixer_build.paths import DIST, MODELS

built = pytest.mark.skipif(not (DIST / "check" / "check.json").exists(), reason="dist/ is not built")


def test_the_report_knows_every_preset_of_every_model() -> None:
    """Besides models whose weights lie at an address, which cannot be had everywhere: those may have no scores."""
    described = [Model.from_dict(tomllib.loads(path.read_text())) for path in MODELS.glob("*/model.toml")]
    at_hand = [model for model in described if model.source is None or model.source.registry != "url"]
    presets = {(model.id, preset) for model in at_hand for preset in model.presets}
    table = quality.table()
    assert {"lithium", "stempeg"} <= {song["song"] for song in table}
    for song in table:
        assert {(row["model"], row["preset"]) for row in song["rows"]} == presets
        for row in song["rows"]:
            assert all(np.isfinite(sdr) for sdr in row["sdr"].values())


def test_all_stems_are_heard_in_the_song_of_the_check() -> None:
    song = device_check.song()
    assert np.abs(song).max() < 1
    voice = device_check.voice(device_check.SECONDS)
    assert np.sqrt(np.square(voice).mean()) > 0.1 * np.sqrt(np.square(song).mean())


@pytest.fixture(scope="module")
def index() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DIST / "check" / "check.json").read_text())
    return found


def track(name: str, index: dict[str, Any]) -> Samples:
    """The tracks of a file [shape=(tracks, channels, n)]."""
    samples = np.fromfile(DIST / "check" / name, "<f4").reshape(-1, index["length"], index["channels"])
    return samples.swapaxes(1, 2)


@built
def test_every_model_has_its_references(index: dict[str, Any]) -> None:
    models = read_manifest(json.loads((DIST / "models" / "manifest.json").read_text()))
    assert index["references"].keys() == models.keys()
    (song,) = track(index["song"], index)
    for name, files in index["references"].items():
        assert files.keys() == ({"default", "fp32"} if models[name].gpu else {"default"})
        for file in files.values():
            stems = track(file, index)
            assert len(stems) == len(models[name].stems)
            assert np.abs(stems.sum(axis=0) - song).max() < 1e-4


@built
def test_a_reference_is_what_this_machine_computes(index: dict[str, Any]) -> None:
    models = read_manifest(json.loads((DIST / "models" / "manifest.json").read_text()))
    stems = asyncio.run(device_check.stems(models["hpss"], "default", device_check.song()))
    np.testing.assert_allclose(track(index["references"]["hpss"]["default"], index), stems, atol=2e-6)
