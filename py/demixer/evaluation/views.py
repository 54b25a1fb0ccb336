"""Views in which the stems of different models are compared: four stems, vocals and the rest, drums and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from demixer.audio import Samples

VIEWS: Final = {
    "four stems": ("drums", "bass", "other", "vocals"),
    "vocals": ("vocals", "accompaniment"),
    "drums": ("percussive", "harmonic"),
}
"""View -> targets that are measured together.

A model of four stems is measured in all views, beside the models of two stems.
"""

_NAMED: Final = {"drums", "bass", "vocals"}


def targets(view: str, stems: Mapping[str, Samples]) -> list[Samples] | None:
    """The signals of a view, summed from stems; None when they do not determine every target."""
    parts = [_parts(target, set(stems)) for target in VIEWS[view]]
    return [_sum(stems, names) for names in parts if names] if all(parts) else None


def _parts(target: str, names: set[str]) -> set[str]:
    """Names of the stems that sum to a target; empty when they do not determine it."""
    if target == "other":
        return names - _NAMED if names >= _NAMED else set()
    if target in names:
        return {target}
    if target == "accompaniment":
        return names - {"vocals"} if "vocals" in names else set()
    if target in ("percussive", "harmonic"):
        return ({"drums"} if target == "percussive" else names - {"drums"}) if "drums" in names else set()
    return set()


def _sum(stems: Mapping[str, Samples], names: set[str]) -> Samples:
    total: Samples = np.sum([stems[name] for name in sorted(names)], axis=0, dtype=np.float32)
    return total
