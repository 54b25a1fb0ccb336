"""Separates one song with one system, and measures how close the estimates are to the true stems."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from demixer.audio import Clip, Collected, Samples
from demixer.errors import DemixError
from demixer.evaluation.songs import Song
from demixer.evaluation.views import VIEWS, targets
from demixer.families import create
from demixer.metrics import bss_eval, sdr
from demixer.models import Model
from demixer.runtimes.native import NativeSession
from demixer.separate import separate

METRICS: Final = {
    "sdr": "SDR (MDX)",
    "bss_sdr": "SDR (BSSEval v4)",
    "sir": "SIR",
    "isr": "ISR",
    "sar": "SAR",
}

#: Beginnings of the paths of sources that no score depends on.
_NOT_MEASURED: Final = (
    "analyses/",
    "bridge.py",
    "catalogue.py",
    "cli.py",
    "evaluation/charts.py",
    "evaluation/report.py",
    "evaluation/run.py",
    "evaluation/tables.py",
    "graphs/",
    "job.py",
    "mixdown.py",
    "pcm.py",
    "runtimes/cluster.py",
    "runtimes/web.py",
)

Scores = dict[str, dict[str, dict[str, float | None]]]
"""View, target, metric -> dB; None where the target is silent, or perfect."""


@dataclass(frozen=True)
class System:
    """A model with everything that decides how it is run.

    Parameters
    ----------
    name : str
        Model and preset, such as `htdemucs:best`.
    model : Model
    preset : str
    weights : tuple of Path
        The model's networks.
    raw : bool
        True to measure the model's own output, not made to sum to the mixture.
    """

    name: str
    model: Model
    preset: str
    weights: tuple[Path, ...]
    raw: bool


@dataclass(frozen=True)
class Job:
    """One song for one system, in any process on any machine that sees the files."""

    song: Song
    system: System
    threads: int

    @property
    def key(self) -> str:
        """Identifies the song, the system and its settings."""
        files = {name: (track.path.stat().st_size, track.index) for name, track in self.song.tracks.items()}
        system = [
            self.system.name,
            asdict(self.system.model.preset(self.system.preset)),
            self.system.raw,
        ]
        return hashlib.sha256(json.dumps([self.song.name, files, system]).encode()).hexdigest()[:16]

    @property
    def code(self) -> str:
        """Digest of the sources and weights that the result depends on: a kept result of any other is stale."""
        parts = [sources(), *map(_digest, self.system.weights)]
        return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Result:
    """Outcome of a job.

    Parameters
    ----------
    song, system : str
    duration : float
        Seconds of music.
    seconds : float
        Time that the separation took.
    residual : float or None
        Energy of the mixture minus the sum of the stems, relative to the mixture, in dB; None when it is zero.
    scores : dict
    code : str
        See `Job.code`.
    """

    song: str
    system: str
    duration: float
    seconds: float
    residual: float | None
    scores: Scores
    code: str


@dataclass(frozen=True)
class Failure:
    """Error that ended a job."""

    song: str
    system: str
    error: Mapping[str, Any]


def run(job: Job) -> Result | Failure:
    """Separate and measure one song; errors are returned, so that they cross processes."""
    try:
        mixture, stems = job.song.read()
        started = time.monotonic()
        estimates = _separate(mixture, job)
        seconds = time.monotonic() - started
    except DemixError as error:
        return Failure(job.song.name, job.system.name, error.to_dict())
    return Result(
        job.song.name,
        job.system.name,
        duration=round(mixture.length / mixture.rate, 3),
        seconds=round(seconds, 3),
        residual=_decibels(mixture.samples, sum(estimates.values()) - mixture.samples),
        scores=measure(stems, estimates, mixture.rate),
        code=job.code,
    )


def measure(stems: Mapping[str, Samples], estimates: Mapping[str, Samples], window: int) -> Scores:
    """Compute every metric of every target that both the song and the system have.

    Parameters
    ----------
    stems, estimates : mapping of str to np.ndarray [each shape=(channels, n)], float32
    window : int
        Length of BSSEval's windows in samples.
    """
    scores: Scores = {}
    for view, names in VIEWS.items():
        true, estimated = targets(view, stems), targets(view, estimates)
        if true is None or estimated is None:
            continue
        scores[view] = {name: dict.fromkeys(METRICS) for name in names}
        audible = [index for index, signal in enumerate(true) if signal.any()]
        for index in audible:
            scores[view][names[index]]["sdr"] = _finite(sdr(true[index], estimated[index]))
        if audible:
            ratios = bss_eval(
                np.stack([true[index] for index in audible]), np.stack([estimated[index] for index in audible]), window
            )
            for metric, values in (
                ("bss_sdr", ratios.sdr),
                ("sir", ratios.sir),
                ("isr", ratios.isr),
                ("sar", ratios.sar),
            ):
                for index, windows in zip(audible, values, strict=True):
                    scores[view][names[index]][metric] = _median(windows)
    return scores


@lru_cache(maxsize=1)
def sources() -> str:
    """Digest of the package's sources that scores depend on."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not name.startswith(_NOT_MEASURED):
            digest.update(f"{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=16)
def _digest(weights: Path) -> str:
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def _separate(mixture: Clip, job: Job) -> dict[str, Samples]:
    system = job.system
    sessions = _sessions(system.weights, job.threads)
    family = create(system.model, sessions, mixture.rate, system.preset)
    collected = Collected(len(system.model.stems), mixture.channels, mixture.length)
    preset = system.model.preset(system.preset)
    residual = system.model.has_residual
    asyncio.run(separate(mixture, collected, family, preset, raw=system.raw, residual=residual))
    return dict(zip(system.model.stems, collected.samples, strict=True))


@lru_cache(maxsize=1)  # jobs come sorted by system
def _sessions(weights: tuple[Path, ...], threads: int) -> list[NativeSession]:
    return [NativeSession(path, threads) for path in weights]


def _median(windows: npt.NDArray[np.float64]) -> float | None:
    """Median over the windows that could be measured, as in museval."""
    measured = windows[~np.isnan(windows)]
    return _finite(float(np.median(measured))) if measured.size else None


def _decibels(signal: Samples, error: Samples) -> float | None:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.square(error, dtype=np.float64).sum() / np.square(signal, dtype=np.float64).sum()
        return _finite(float(10 * np.log10(ratio)))


def _finite(decibels: float) -> float | None:
    return round(decibels, 4) if math.isfinite(decibels) else None
