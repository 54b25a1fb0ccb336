"""The report of `build.py bench --json FILE`. Other programs read it, so a field keeps its name and unit."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Final

SCHEMA: Final = 1
"""Increases when a field changes its meaning or is removed."""


@dataclass(frozen=True)
class Spread:
    """Median and extremes of repeated measurements."""

    median: float
    min: float
    max: float


@dataclass(frozen=True)
class Side:
    """One graph on one runtime: the whole pipeline over a song, and the graph by itself."""

    seconds_per_second: float
    """Seconds of compute for a second of audio, from PCM to stems, with the model loaded."""
    model_share: float
    """Fraction of that inside the graph."""
    python_share: float
    """The other fraction: transforms, masks, overlap-add and copies that delay the model."""
    create_seconds: float | None
    """Seconds from the file's bytes to a session; None without a graph."""
    peak_mb: float
    """Peak resident memory (MB) of the page's process or the native process, including model and song."""
    stock_ratio: Spread | None
    """Run time of the graph over that of the published graph in the same round; None without one."""
    limit_ratio: float | None
    """Run time of the graph over its operations at the best rate of matrix products measured in the same run."""


@dataclass(frozen=True)
class Variant:
    """One graph of a model."""

    bytes: int
    compressed_bytes: int
    """After brotli, as it travels."""
    gflop: float | None
    """Operations of one run; None without a graph."""
    browser: Side | None
    """None when left out by `--quick`."""
    native: Side | None


@dataclass(frozen=True)
class Visit:
    """A first visit, with an empty cache."""

    until: str
    requests: int
    """Requests of the page, and of the service worker while it is installed."""
    bytes: int
    """Bytes of their responses' bodies."""
    seconds: float
    """Seconds from the first request until the page, or the stem, can be used."""


@dataclass(frozen=True)
class Peer:
    """Another demixer on the same song, in the same browser."""

    name: str
    seconds_per_second: float
    peak_mb: float
    ratio: Spread
    """Our pipeline's time over the peer's, in the same round."""


@dataclass(frozen=True)
class Rates:
    """Upper limits of a runtime."""

    gflops: float
    """Best rate of float32 matrix products."""
    pipeline_only: float | None
    """Seconds of audio per second with an idle model of HT-Demucs' shapes."""


@dataclass(frozen=True)
class Report:
    """All measurements of one run."""

    machine: dict[str, str]
    """Processor, cores, memory, system and versions."""
    quick: bool
    browser: Rates
    native: Rates
    models: dict[str, dict[str, Variant]]
    """Model id -> precision -> measurements; a model without a graph has the precision `default`."""
    first_visit: list[Visit]
    peers: list[Peer]
    left_out: list[str] = field(default_factory=list)
    """Measurements that were not possible here, and why."""
    schema: int = SCHEMA


def as_json(report: Report) -> dict[str, Any]:
    """Plain data for `json.dump`, rounded to the four digits that are significant at most."""
    plain = _rounded(dataclasses.asdict(report))
    assert isinstance(plain, dict)
    return plain


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value
