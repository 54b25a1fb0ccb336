"""Model families: one file an architecture. A family turns a stereo mixture segment into stem segments."""

from __future__ import annotations

from typing import Protocol

from demixer.audio import Samples
from demixer.errors import ModelError
from demixer.guard import GuardedSession
from demixer.models import Model
from demixer.runtime import Session


class Family(Protocol):
    """An architecture, ready to run."""

    @property
    def rate(self) -> int:
        """Sample rate that `separate` works at, in Hz."""
        ...

    @property
    def segment(self) -> int:
        """Samples that one run takes: never more, never fewer."""
        ...

    @property
    def stems(self) -> int:
        """How many stems it gives."""
        ...

    @property
    def normalise(self) -> bool:
        """Whether the reference implementation shifts and scales the whole song before it cuts it."""
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


def create(model: Model, session: Session | None, song_rate: int, preset: str = "standard") -> Family:
    """The family of a model at a preset, for a song at `song_rate` Hz (only `hpss` follows the song's rate).

    Raises
    ------
    ModelError
        `model/incompatible` when there is no such family, or it gives other stems than the model names.
    """
    family = _create(model, session and GuardedSession(session), song_rate, preset)
    if family.stems != len(model.stems):
        raise ModelError("model/incompatible", f"Model {model.id} names {len(model.stems)} stems of {family.stems}.")
    return family


def _create(model: Model, session: Session | None, song_rate: int, preset: str) -> Family:
    # Imported here so that a model of one family does not pay for the others' start-up.
    if model.family == "hpss":
        from demixer.families.hpss import HPSS

        return HPSS(song_rate)
    if session is None:
        raise ModelError("model/incompatible", f"Model {model.id} needs its weights to be loaded first.")
    if model.family == "htdemucs":
        from demixer.families.htdemucs import HTDemucs

        return HTDemucs(session)
    if model.family == "spleeter":
        from demixer.families.spleeter import Spleeter

        return Spleeter(session, model.preset(preset).exponent)
    raise ModelError("model/incompatible", f"Model {model.id} has the unknown family {model.family!r}.")
