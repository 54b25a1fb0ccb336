"""A job as the page requests it, and the way of its stems to the page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self, TypeVar

import numpy as np

from demixer.audio import Samples, interleave
from demixer.errors import DemixError
from demixer.models import Model
from demixer.normalisation import Normalisation
from demixer.stems import PeakGrid

_MAX_HOP: Final = 1 << 30

_T = TypeVar("_T")


@dataclass(frozen=True)
class JobRequest:
    """A job as `web/engine/protocol.js` describes it, without its song."""

    job: str
    model: Model
    preset: str
    precision: str
    hop: int
    raw: bool
    normalisation: Normalisation | None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read and validate a request.

        Raises
        ------
        DemixError
            `model/incompatible` when the model's description is wrong, `protocol/version` when anything else is.
        """
        data = json.loads(text)
        if not isinstance(data, Mapping):
            raise _not_understood("request", data)
        normalisation = data.get("normalisation")
        return cls(
            job=_read(data, "job", str),
            model=Model.from_dict(data.get("model", {})),
            preset=_read(data, "preset", str),
            precision=_read(data, "precision", str, "default"),
            hop=read_hop(data.get("hop")),
            raw=_read(data, "raw", bool, False),
            normalisation=None if normalisation is None else _read_normalisation(normalisation),
        )

    @property
    def key(self) -> str:
        """Identifies everything that the stems depend on besides the song and the pipeline's arguments."""
        weights = [artifact.sha256 for artifact in self.model.artifacts.get(self.precision, ())]
        return repr((self.model.id, weights, self.model.stems, self.hop))


def read_hop(value: object) -> int:
    """Validate the number of samples to a pair of peaks; raises `protocol/version`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MAX_HOP:
        raise _not_understood("hop", value)
    return value


def _read(data: Mapping[str, Any], name: str, kind: type[_T], default: _T | None = None) -> _T:
    value = data.get(name, default)
    if not isinstance(value, kind):
        raise _not_understood(name, value)
    return value


def _read_normalisation(data: object) -> Normalisation:
    match data:
        case {"offset": float() | int() as offset, "scale": float() | int() as scale}:
            normalisation = Normalisation(float(offset), float(scale))
            if math.isfinite(normalisation.offset) and math.isfinite(normalisation.scale) and normalisation.scale > 0:
                return normalisation
    raise _not_understood("normalisation", data)


def _not_understood(name: str, value: object) -> DemixError:
    return DemixError("protocol/version", f"The page asks for {name} {value!r:.80}.", "Reload the page.")


class Output(Protocol):
    """The page's storage of a job: `runtimes.web.WebOutput`, or a stand-in in tests."""

    async def load(self) -> bytes | None:
        """The state that was saved last."""
        ...

    async def save(self, state: bytes) -> None:
        """Keep a state in place of the one before."""
        ...

    async def write(self, start: int, length: int, stems: list[dict[str, Any]]) -> None:
        """Keep the next samples: `name`, interleaved `samples` and the `peaks` that they complete, of each stem."""
        ...

    async def resume(self, start: int, stems: list[dict[str, Any]]) -> None:
        """Go on from sample `start`, with `name` and all `peaks` so far of each stem."""
        ...


class StemOutput:
    """Stems on their way to the page, with their peaks: a `Sink` and its `ResumePoints`.

    Parameters
    ----------
    output : Output
    request : JobRequest
    length : int
        Samples of the song.
    """

    def __init__(self, output: Output, request: JobRequest, length: int) -> None:
        self.key = request.key
        self._output = output
        self._names = request.model.stems
        self._grid = PeakGrid(request.hop, length)
        self._peaks: list[Samples] = [np.zeros((len(self._names), 0, 2), np.float32)]

    async def write(self, start: int, stems: Samples) -> None:
        """Write samples [shape=(stems, channels, n)] and the peaks that they complete."""
        peaks = self._grid.push(stems)
        self._peaks.append(peaks)
        pieces = [
            {"name": name, "samples": interleave(stem).ravel(), "peaks": pairs.ravel()}
            for name, stem, pairs in zip(self._names, stems, peaks, strict=True)
        ]
        await self._output.write(start, stems.shape[-1], pieces)

    async def load(self) -> bytes | None:
        return await self._output.load()

    async def save(self, state: bytes) -> None:
        await self._output.save(state)

    def snapshot(self) -> tuple[PeakGrid, Samples]:
        """The samples whose peaks are open, and all peaks so far [shape=(stems, pairs, 2)]."""
        return self._grid, np.concatenate(self._peaks, axis=1)

    async def resume(self, start: int, snapshot: tuple[PeakGrid, Samples]) -> None:
        self._grid, peaks = snapshot
        self._peaks = [peaks]
        stems = [{"name": name, "peaks": pairs.ravel()} for name, pairs in zip(self._names, peaks, strict=True)]
        await self._output.resume(start, stems)
