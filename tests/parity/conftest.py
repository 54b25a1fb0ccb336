"""The built models, and the published weights they were built from."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from demixer.models import Model, read_manifest
from demixer_build import files, models
from demixer_build.errors import BuildError
from demixer_build.paths import DIST, MODELS


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder of the built models; `build.py test` fills it before it starts the tests."""
    folder = Path(os.environ.get("DEMIXER_MODELS", DIST / "models"))
    if not (folder / "manifest.json").exists():
        pytest.skip("no models are built: `python build.py site`")
    return folder


@pytest.fixture(scope="session")
def artifact(models_dir: Path) -> Callable[[str, str], Path]:
    """The ONNX file of a model at a precision: `artifact("htdemucs", "fp32")`."""
    models = read_manifest(json.loads((models_dir / "manifest.json").read_text()))

    def find(model_id: str, precision: str) -> Path:
        if model_id not in models:
            pytest.skip(f"{model_id} could not be built here")
        (artifact,) = models[model_id].artifacts[precision]
        return models_dir / artifact.path

    return find


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with the published files of a model by their base names, as its converter gets it."""

    def find(model_id: str) -> Path:
        source = Model.from_dict(tomllib.loads((MODELS / model_id / "model.toml").read_text())).source
        assert source is not None, f"{model_id} has no weights"
        try:
            published = models.weights(source)
        except BuildError as error:
            pytest.skip(f"the weights of {model_id} cannot be had: {error}")
        folder = tmp_path_factory.mktemp(model_id)
        for member, path in published.items():
            files.link(path, folder / Path(member).name)
        return folder

    return find
