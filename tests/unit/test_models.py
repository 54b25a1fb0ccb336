"""Descriptions of models: those that are here, and those that are refused."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from demixer import families
from demixer.errors import ModelError
from demixer.families.hpss import HPSS
from demixer.models import Artifact, Licence, Model, Preset, WeightsSource, read_manifest
from demixer.runtime import Float

MODELS = Path(__file__).parents[2] / "models"

STEMS = {
    "htdemucs": ("drums", "bass", "other", "vocals"),
    "spleeter-2stems": ("vocals", "accompaniment"),
    "hpss": ("harmonic", "percussive"),
}


def description(**changes: Any) -> dict[str, Any]:
    """A full and right description, with changes; None takes a field out."""
    data = {
        "id": "test",
        "label": "Test",
        "summary": "For tests.",
        "family": "hpss",
        "stems": ["one", "two"],
        "segment": 9.0,
        "gflop_per_second": 1.5,
        "presets": {"fast": {"overlap": 0.1}, "standard": {"overlap": 0.25}},
        "licence": {"name": "MIT", "url": "https://example.org", "notice": "By us."},
        "source": {"registry": "npm", "package": "test", "version": "1.0.0", "files": {"a.onnx": "00"}},
        "artifacts": {"default": [{"path": "test/default.onnx", "bytes": 10, "sha256": "ff"}]},
    }
    return {key: value for key, value in {**data, **changes}.items() if value is not None}


def refused(data: dict[str, Any]) -> ModelError:
    with pytest.raises(ModelError) as caught:
        Model.from_dict(data)
    assert caught.value.code == "model/incompatible"
    return caught.value


def test_a_full_description() -> None:
    model = Model.from_dict(description())
    assert model.stems == ("one", "two")
    assert model.presets == {"fast": Preset(0.1), "standard": Preset(0.25)}
    assert model.licence == Licence("MIT", "https://example.org", "By us.")
    assert model.source == WeightsSource("npm", "test", {"a.onnx": "00"}, "1.0.0")
    assert model.artifacts == {"default": (Artifact("test/default.onnx", 10, "ff"),)}
    assert model.needs_weights


def test_a_model_without_weights() -> None:
    model = Model.from_dict(description(licence=None, source=None, artifacts=None))
    assert not model.needs_weights
    assert model.licence is None
    assert model.artifacts == {}


def test_a_missing_preset_is_the_standard_one() -> None:
    model = Model.from_dict(description())
    assert model.preset("fast").overlap == 0.1
    assert model.preset("best").overlap == 0.25


@pytest.mark.parametrize(
    "field", ["id", "label", "summary", "family", "stems", "segment", "gflop_per_second", "presets"]
)
def test_a_missing_field(field: str) -> None:
    assert field in refused(description(**{field: None})).message


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": 1},
        {"licence": {"name": "MIT"}},
        {"licence": "MIT"},
        {"source": {"registry": "npm"}},
        {"presets": {"standard": 0.25}},
        {"presets": ["standard"]},
        {"presets": {"fast": {"overlap": 0.1}}},
        {"presets": {"standard": {"overlap": 1.0}}},
        {"presets": {"standard": {"overlap": -0.1}}},
        {"presets": {"standard": {"overlap": 0.1, "ramp": 0}}},
        {"presets": {"standard": {"overlap": 0.1, "ramp": 0.6}}},
        {"artifacts": {"default": "test.onnx"}},
        {"artifacts": {"default": {"path": "test.onnx", "bytes": 10, "sha256": "ff"}}},
        {"artifacts": {"default": [{"path": "test.onnx"}]}},
        {"stems": 2},
        {"stems": []},
        {"stems": ["one"]},
        {"stems": ["one", "one"]},
        {"stems": ["one"], "residual": "one"},
        {"residual": "three"},
        {"residual": "one"},
        {"segment": 0},
        {"segment": "long"},
    ],
)
def test_a_field_of_the_wrong_form(changes: dict[str, Any]) -> None:
    refused(description(**changes))


def test_a_manifest_is_read_by_id() -> None:
    models = read_manifest({"models": [description(), description(id="second")]})
    assert list(models) == ["test", "second"]


@pytest.mark.parametrize("path", sorted(MODELS.glob("*/model.toml")), ids=lambda path: path.parent.name)
def test_the_models_that_are_here(path: Path) -> None:
    model = Model.from_dict(tomllib.loads(path.read_text()))
    assert model.id == path.parent.name
    assert model.stems == STEMS.get(model.id, model.stems)
    assert "standard" in model.presets
    assert model.needs_weights == (path.parent / "convert.py").exists()
    if model.source:
        assert model.licence
        assert model.licence.notice
        digits = "{8,64}" if model.source.registry == "url" else "{64}"
        assert all(re.fullmatch(f"[0-9a-f]{digits}", digest) for digest in model.source.files.values())


def test_the_promised_models_exist() -> None:
    assert {path.parent.name for path in MODELS.glob("*/model.toml")} >= set(STEMS)


def test_hpss_starts_without_a_session_at_the_rate_of_the_song() -> None:
    family = families.create(weightless(), [], 22_050)
    assert isinstance(family, HPSS)
    assert family.rate == 22_050


def weightless(**changes: Any) -> Model:
    return Model.from_dict(description(**{"source": None, "artifacts": None, **changes}))


def incompatible(model: Model, *sessions: Any) -> None:
    with pytest.raises(ModelError) as caught:
        families.create(model, sessions, 44_100)
    assert caught.value.code == "model/incompatible"


@pytest.mark.parametrize("family", ["htdemucs", "spleeter", "unheard-of"])
def test_a_family_without_its_networks(family: str) -> None:
    incompatible(weightless(family=family))


def test_a_family_with_too_many_networks() -> None:
    incompatible(weightless(), None)


def test_a_description_of_other_stems_than_the_family_gives() -> None:
    incompatible(weightless(stems=["one", "two", "three"]))


def test_a_description_of_another_segment_than_the_family_takes() -> None:
    spleeter = tomllib.loads((MODELS / "spleeter-2stems" / "model.toml").read_text())
    families.create(Model.from_dict(spleeter), [Network()], 44_100)
    incompatible(Model.from_dict({**spleeter, "segment": 7.8}), Network())


class Network:
    """A session that is never run."""

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("hpss", {"exponent": 1.0}),
        ("htdemucs", {"shifts": 2}),
        ("spleeter", {"exponent": 0}),
        ("spleeter", {"exponent": "high"}),
        ("spleeter", {"input_rms": 0}),
        ("spleeter", {"shifts": 2}),
    ],
)
def test_options_that_are_not_the_familys(family: str, options: dict[str, Any]) -> None:
    good = {"overlap": 0.1}
    with pytest.raises(ModelError) as caught:
        families.check(weightless(family=family, presets={"standard": good, "best": {**good, **options}}))
    assert caught.value.code == "model/incompatible"


def test_a_preset_keeps_its_familys_options() -> None:
    preset = Preset.from_dict({"overlap": 0.5, "ramp": 0.125, "exponent": 1.0})
    assert preset == Preset(0.5, 0.125, {"exponent": 1.0})


def test_a_name_is_registered_once() -> None:
    families.create(weightless(), [], 44_100)
    with pytest.raises(ValueError, match="twice"):
        families.register("hpss", networks=0)(lambda _: HPSS(44_100))


@pytest.mark.parametrize("path", sorted(MODELS.glob("*/model.toml")), ids=lambda path: path.parent.name)
def test_each_model_is_understood_by_its_family(path: Path) -> None:
    model = Model.from_dict(tomllib.loads(path.read_text()))
    families.check(model)
    sessions = [Network()] if model.needs_weights else []
    for preset in model.presets:
        families.create(model, sessions, 44_100, preset)
