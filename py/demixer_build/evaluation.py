"""Songs with known stems, for `build.py evaluate` without arguments."""

from __future__ import annotations

import runpy
import shutil
from importlib import metadata
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from demixer.audio import Samples
from demixer.evaluation.songs import find_songs
from demixer_build.paths import ROOT, STATE

REPORT: Final = ROOT / "docs" / "quality"

#: Every model and preset; costs are relative to the first.
SYSTEMS: Final = (
    "htdemucs:standard",
    "htdemucs:fast",
    "htdemucs:best",
    "spleeter-2stems:standard",
    "spleeter-2stems:best",
    "hpss",
)

_SHARED: Final = ROOT.parent / "shared" / "data"
_SYNTHETIC_SECONDS: Final = 6.0
_BAD_END: Final = 0.04
"""Seconds cut from the end of stempeg's song, whose AAC tracks decode badly there."""


def songs_at_hand() -> list[Path]:
    """Folders of songs: stempeg's, a synthetic one, and those of `../shared/data` if it exists."""
    made = STATE / "songs"
    shutil.rmtree(made, ignore_errors=True)
    _write(made / "stempeg", *_stempeg())
    _write(made / "synthetic", *_synthetic())
    return [made, *([_SHARED] if _SHARED.is_dir() else [])]


def _stempeg() -> tuple[dict[str, Samples], int]:
    """The song in PyPI `stempeg`, read from its file: the package itself needs the program ffmpeg."""
    (path,) = (file for file in metadata.files("stempeg") or [] if file.name.endswith(".stem.mp4"))
    file = Path(str(path.locate()))
    (song,) = find_songs([file.parent])
    mixture, stems = song.read()
    length = mixture.length - round(_BAD_END * mixture.rate)
    return {name: samples[:, :length] for name, samples in {"mixture": mixture.samples, **stems}.items()}, mixture.rate


def _synthetic() -> tuple[dict[str, Samples], int]:
    """The tests' song, without vocals."""
    stems: dict[str, Samples] = runpy.run_path(str(ROOT / "tests" / "songs.py"))["stems"](_SYNTHETIC_SECONDS)
    mixture: Samples = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    return {"mixture": mixture, **stems, "vocals": np.zeros_like(mixture)}, 44_100


def _write(folder: Path, signals: dict[str, Samples], rate: int) -> None:
    folder.mkdir(parents=True)
    for name, samples in signals.items():
        soundfile.write(folder / f"{name}.wav", samples.T, rate, subtype="FLOAT")
