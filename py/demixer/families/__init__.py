"""Model families: one architecture a file, in a registry.

A family turns a stereo mixture segment into stem segments. Its file registers the function that makes it:

    @register("name", networks=1, options=Options)
    def create(setup: Setup) -> Family: ...
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Final, Protocol

from demixer.audio import Samples
from demixer.errors import ModelError
from demixer.guard import GuardedSession
from demixer.models import Model, Preset
from demixer.normalisation import Normalisation
from demixer.runtime import Session

#: Seconds by which a family's segment may differ from its description: it is a whole number of frames.
_TOLERANCE: Final = 0.05


class Family(Protocol):
    """An architecture, ready to run."""

    @property
    def rate(self) -> int:
        """Sample rate that `separate` works at, in Hz."""
        ...

    @property
    def segment(self) -> int:
        """Samples of a segment: every run takes exactly this many."""
        ...

    @property
    def stems(self) -> int:
        """Number of stems that `separate` returns."""
        ...

    def normalisation(self, measured: Normalisation) -> Normalisation:
        """Offset and scale to remove from a song, given those that were measured."""
        ...

    async def separate(self, mixture: Samples) -> Samples:
        """Separate one segment.

        Parameters
        ----------
        mixture : np.ndarray [shape=(2, segment)], float32
            Never modified.

        Returns
        -------
        np.ndarray [shape=(stems, 2, segment)], float32
            In the model's fixed order of stems.
        """
        ...


@dataclass(frozen=True)
class NoOptions:
    """Options of a family that has none."""


@dataclass(frozen=True)
class Setup:
    """Everything that a family may be made from.

    Parameters
    ----------
    model : Model
    sessions : tuple of Session
        One for each network, as many as the family registered.
    song_rate : int
        Sample rate of the song in Hz.
    options : object
        The preset's options, read into the class that the family registered.
    """

    model: Model
    sessions: tuple[Session, ...]
    song_rate: int
    options: Any


Create = Callable[[Setup], Family]


@dataclass(frozen=True)
class _Entry:
    create: Create
    networks: int
    options: type[Any]


_REGISTRY: Final[dict[str, _Entry]] = {}


def register(name: str, *, networks: int, options: type[Any] = NoOptions) -> Callable[[Create], Create]:
    """Enter a family into the registry; decorates the function that makes it.

    Parameters
    ----------
    name : str
        `family` in a model's description.
    networks : int
        Number of networks that a model of this family runs.
    options : type
        Dataclass of the options in the model's presets; raises `ModelError` when a value is out of range.
    """

    def enter(create: Create) -> Create:
        if name in _REGISTRY:
            raise ValueError(f"the family {name!r} is registered twice")
        _REGISTRY[name] = _Entry(create, networks, options)
        return create

    return enter


def create(model: Model, sessions: Sequence[Session], song_rate: int, preset: str = "standard") -> Family:
    """Make the family of a model.

    Parameters
    ----------
    model : Model
    sessions : sequence of Session
        The model's networks, loaded; empty for a model without weights.
    song_rate : int
        Sample rate of the song in Hz.
    preset : str

    Raises
    ------
    ModelError
        `model/incompatible` when there is no such family, or it contradicts the model's description.
    """
    entry = _entry(model)
    if len(sessions) != entry.networks:
        raise ModelError(
            "model/incompatible", f"Model {model.id} runs {entry.networks} networks; {len(sessions)} are loaded."
        )
    options = _read_options(model, model.preset(preset))
    family = entry.create(Setup(model, tuple(map(GuardedSession, sessions)), song_rate, options))
    if family.stems != model.targets:
        raise ModelError("model/incompatible", f"Model {model.id} names {model.targets} stems of {family.stems}.")
    seconds = family.segment / family.rate
    if abs(seconds - model.segment) > _TOLERANCE:
        raise ModelError(
            "model/incompatible", f"The segment of model {model.id} lasts {seconds:.2f} s, not {model.segment} s."
        )
    return family


def check(model: Model) -> None:
    """Validate the parts of a description that its family owns.

    Raises
    ------
    ModelError
        `model/incompatible` when there is no such family, or a preset's options are not its own.
    """
    for preset in model.presets.values():
        _read_options(model, preset)


def _entry(model: Model) -> _Entry:
    load_all()
    if model.family not in _REGISTRY:
        raise ModelError("model/incompatible", f"Model {model.id} has the unknown family {model.family!r}.")
    return _REGISTRY[model.family]


@cache
def load_all() -> None:
    """Import every file of this package, each of which registers its families."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")


def _read_options(model: Model, preset: Preset) -> Any:
    try:
        return _entry(model).options(**preset.options)
    except TypeError as error:
        raise ModelError("model/incompatible", f"The options of model {model.id} are wrong: {error}") from error
