"""Descriptions of models: the dataclasses behind `models/*/model.toml` and the built manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from demixer.errors import ModelError

Precision = Literal["default", "fp32", "fp16"]

#: Largest overlap of a preset: ten times the work of none.
MAX_OVERLAP: Final = 0.9


@dataclass(frozen=True)
class Licence:
    """Terms of a model's weights.

    Parameters
    ----------
    name : str
    url : str
    notice : str
        Shown wherever the model is chosen.
    """

    name: str
    url: str
    notice: str


@dataclass(frozen=True)
class WeightsSource:
    """Published weights: files of a pinned package in a registry, or at an address.

    Parameters
    ----------
    registry : str
        `url` for files in no registry.
    package : str
        Its name, or the address of the folder that has the files.
    files : dict of str to str
        Path inside the package -> SHA-256, or its first digits where its publisher gives no more.
    version : str
        Empty for an address.
    """

    registry: Literal["npm", "pypi", "url"]
    package: str
    files: dict[str, str]
    version: str = ""


@dataclass(frozen=True)
class Preset:
    """Quality setting of a model.

    Parameters
    ----------
    overlap : float
        Fraction of a segment that it shares with the next one, in [0, 0.9].
    ramp : float
        Fraction of a segment over which its weight rises, and falls, in (0, 0.5]; 0.5 is the reference's triangle.
    options : mapping
        Settings of the model's family, which validates them.

    Raises
    ------
    ModelError
        `model/incompatible` when a value is out of range.
    """

    overlap: float
    ramp: float = 0.5
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.overlap <= MAX_OVERLAP:
            raise ModelError("model/incompatible", f"overlap must be in [0, {MAX_OVERLAP}], not {self.overlap}")
        if not 0 < self.ramp <= 0.5:
            raise ModelError("model/incompatible", f"ramp must be in (0, 0.5], not {self.ramp}")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read one table of a description; its other keys are the family's options."""
        options = dict(data)
        shared = {name: options.pop(name) for name in ("overlap", "ramp") if name in options}
        return cls(**shared, options=options)


@dataclass(frozen=True)
class Artifact:
    """A built ONNX file; `path` is relative to the manifest."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Model:
    """Description of a model, as the pipeline, the command line and the page read it.

    Parameters
    ----------
    id : str
    label : str
    summary : str
    family : str
        Name in the registry of `demixer.families`.
    stems : tuple of str
        Names of the stems, in the order of the family's output; the residual, if any, comes last.
    segment : float
        Length of a segment in seconds.
    gflop_per_second : float
        Work for one second of audio without overlap, from which the time of a job is predicted.
    presets : dict of str to Preset
        At least `standard`.
    residual : str, optional
        The stem that is the mixture minus all others, for networks that do not estimate every constituent.
    licence : Licence, optional
    source : WeightsSource, optional
        None for a model without weights.
    artifacts : dict of str to tuple of Artifact
        Precision -> the model's networks; empty for a model without weights.
    gpu : tuple of str
        Precisions for the browser's GPU, the best first; `default` when empty.

    Raises
    ------
    ModelError
        `model/incompatible` when the description contradicts itself.
    """

    id: str
    label: str
    summary: str
    family: str
    stems: tuple[str, ...]
    segment: float
    gflop_per_second: float
    presets: dict[str, Preset]
    residual: str | None = None
    licence: Licence | None = None
    source: WeightsSource | None = None
    artifacts: dict[str, tuple[Artifact, ...]] = field(default_factory=dict)
    gpu: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.stems or not all(isinstance(stem, str) for stem in self.stems):
            raise self._incompatible("does not name its stems")
        if len(set(self.stems)) < len(self.stems):
            raise self._incompatible("names a stem twice")
        if self.residual is None and len(self.stems) == 1:
            raise self._incompatible("has a single stem and names no residual")
        if self.residual is not None and (len(self.stems) == 1 or self.stems[-1] != self.residual):
            raise self._incompatible(f"must name its residual {self.residual!r} after its other stems")
        if not self.segment > 0:
            raise self._incompatible(f"has a segment of {self.segment} s")
        if "standard" not in self.presets:
            raise self._incompatible("has no preset called standard")

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
            fields = {
                "stems": tuple(data["stems"]),
                "gpu": tuple(data.get("gpu", ())),
                "presets": {name: Preset.from_dict(preset) for name, preset in data["presets"].items()},
                "licence": Licence(**data["licence"]) if data.get("licence") else None,
                "source": WeightsSource(**data["source"]) if data.get("source") else None,
                "artifacts": {
                    precision: tuple(Artifact(**artifact) for artifact in artifacts)
                    for precision, artifacts in data.get("artifacts", {}).items()
                },
            }
            return cls(**{**data, **fields})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            name = data.get("id", "?")
            raise ModelError("model/incompatible", f"The description of model {name} is wrong: {error}") from error

    @property
    def targets(self) -> int:
        """Number of stems that the family estimates: all but the residual."""
        return len(self.stems) - int(self.has_residual)

    @property
    def has_residual(self) -> bool:
        """True when the last stem is the mixture minus all others."""
        return self.residual is not None

    @property
    def needs_weights(self) -> bool:
        """True unless the model is plain arithmetic."""
        return self.source is not None

    def preset(self, name: str) -> Preset:
        """The preset of that name, or `standard` when the model has none."""
        return self.presets.get(name, self.presets["standard"])

    def _incompatible(self, problem: str) -> ModelError:
        return ModelError("model/incompatible", f"Model {self.id} {problem}.")


def read_manifest(manifest: Mapping[str, Any]) -> dict[str, Model]:
    """The models of a built `manifest.json`, by id."""
    return {model.id: model for model in map(Model.from_dict, manifest["models"])}
