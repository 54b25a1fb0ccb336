"""Catalogue of stems: label, colour and icon of each, shared by the command line, the page and the exports."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Stem:
    """One kind of stem.

    Parameters
    ----------
    label : str
        English name; the page translates it.
    colour : str
        `#rrggbb` from the palette of Okabe and Ito, which colour-blind people can tell apart.
    icon : str
        Symbol in `web/icons/lucide.svg`.
    fallback : str, optional
        The broader stem that this one is part of, used by whatever knows only that one.
    """

    label: str
    colour: str
    icon: str
    fallback: str | None = None


STEMS: Final = {
    "vocals": Stem("Vocals", "#E69F00", "mic-vocal"),
    "drums": Stem("Drums", "#56B4E9", "drum"),
    "bass": Stem("Bass", "#CC79A7", "guitar-electric"),
    "other": Stem("Other", "#009E73", "music"),
    "accompaniment": Stem("Accompaniment", "#0072B2", "audio-lines"),
    "harmonic": Stem("Harmonic", "#009E73", "waves"),
    "percussive": Stem("Percussive", "#D55E00", "drum"),
    "guitar": Stem("Guitar", "#D55E00", "guitar", "other"),
    "piano": Stem("Piano", "#0072B2", "piano", "other"),
    "lead-vocals": Stem("Lead vocals", "#E69F00", "mic-vocal", "vocals"),
    "backing-vocals": Stem("Backing vocals", "#F0E442", "layers", "vocals"),
}


def as_dict() -> dict[str, dict[str, Any]]:
    """The catalogue as plain data: `stems` of the manifest."""
    return {name: asdict(stem) for name, stem in STEMS.items()}
