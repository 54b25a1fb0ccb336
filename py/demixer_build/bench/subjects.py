"""The graphs and songs to measure: the site's models, the published graph, and generated files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import soundfile

from demixer.models import Model
from demixer_build import assets, models
from demixer_build.bench import graphs
from demixer_build.bench.site import manifest
from demixer_build.paths import DIST, MODELS, STATE

RATE: Final = 44_100
STRIDE: Final = 257_985
"""Samples that one segment of HT-Demucs adds at its standard overlap."""

MATMUL: Final = "bench/matmul.onnx"
STOCK: Final = "bench/stock.onnx"
"""Paths on the site."""

_MADE: Final = STATE / "bench" / "made"


@dataclass(frozen=True)
class Subject:
    """One graph of a model, or a model without one."""

    model: dict[str, Any]
    """Its entry of the manifest."""
    precision: str
    path: str | None
    """Path on the site."""

    @property
    def file(self) -> Path | None:
        return DIST / self.path if self.path else None

    @cached_property
    def gflop(self) -> float | None:
        """Operations of one run, in 1e9."""
        return graphs.gflop(onnx.load(self.file)) if self.file else None


def subjects() -> Iterator[Subject]:
    """Yield every model of the site at every precision."""
    for model in manifest():
        for precision in model["artifacts"] or ["default"]:
            artifact, *_ = model["artifacts"].get(precision, [None])
            yield Subject(model, precision, f"models/{artifact['path']}" if artifact else None)


def idle() -> Subject:
    """HT-Demucs with a graph that does nothing."""
    file = made()["idle.onnx"]
    artifact = {"path": "../bench/idle.onnx", "bytes": file.stat().st_size, "sha256": assets.sha256_of(file)}
    described = tomllib.loads((MODELS / "htdemucs" / "model.toml").read_text(encoding="utf-8"))
    return Subject({**described, "id": "idle", "artifacts": {"default": [artifact]}}, "default", "bench/idle.onnx")


def made() -> dict[str, Path]:
    """Generated files for the site's folder `bench`: matrix products, the idle graph, a song of one segment."""
    files = {name: _MADE / name for name in ("matmul.onnx", "idle.onnx", "song.wav")}
    if not all(file.exists() for file in files.values()):
        _MADE.mkdir(parents=True, exist_ok=True)
        onnx.save(graphs.matmul(), files["matmul.onnx"])
        onnx.save(graphs.idle(), files["idle.onnx"])
        noise = np.random.default_rng(0).standard_normal((STRIDE, 2)) / 10
        soundfile.write(files["song.wav"], noise, RATE, subtype="PCM_16")
    return files


def stock() -> Path:
    """The published graph of HT-Demucs, which the build has downloaded.

    Raises
    ------
    BuildError
        When it is unavailable.
    """
    described = tomllib.loads((MODELS / "htdemucs" / "model.toml").read_text(encoding="utf-8"))
    source = Model.from_dict(described).source
    assert source is not None
    (path,) = models.weights(source).values()
    return path
