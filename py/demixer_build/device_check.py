"""References of the page's *Check this device*: a short song, and its stems by the native runtime.

They are computed in a process of its own, which frees the models' memory when it ends.
"""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from demixer.audio import Clip, Collected, Samples
from demixer.families import create
from demixer.models import Model, read_manifest
from demixer.runtimes.native import NativeSession
from demixer.separate import separate
from demixer_build import models
from demixer_build.console import step
from demixer_build.paths import ROOT, STATE
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

PRESET: Final = "standard"
RATE: Final = 44_100
SECONDS: Final = 2.5

_SONGS: Final = ROOT / "tests" / "songs.py"
_BUILT: Final = STATE / "check"
#: Samples are rounded to this step, 100 dB below an audible stem, so that most bits of each float are zeros.
_GRID: Final = 2.0**-19


def build(manifest: dict[str, Any]) -> dict[str, Path]:
    """Path in the site -> file; rebuilt when a model, the separation or the song changes."""
    sources = sorted((ROOT / "py" / "demixer").rglob("*.py"))
    key = digest(json.dumps(manifest, sort_keys=True), Path(__file__), _SONGS, *sources)
    stamp = Stamp("stamp", _BUILT)
    if not stamp.holds(key):
        _BUILT.mkdir(parents=True, exist_ok=True)
        for old in _BUILT.iterdir():
            old.unlink()
        with step("Separating the song that devices are checked with", 30) as shown:
            described = _BUILT / "manifest"
            described.write_text(json.dumps(manifest), encoding="utf-8")
            command: list[str | Path] = [sys.executable, "-m", "demixer_build.device_check", described, _BUILT]
            run(shown, command, advice="This is a fault in demixer_build/device_check.py or a lack of memory.")
        stamp.set(key)
    return {f"check/{path.name}": path for path in sorted(_BUILT.iterdir()) if path.suffix in {".json", ".f32"}}


def song(seconds: float = SECONDS) -> Samples:
    """The tests' song with a synthetic voice [shape=(2, n)]."""
    mixture: Samples = runpy.run_path(str(_SONGS))["mixture"](seconds, RATE)
    return mixture + voice(seconds)


def voice(seconds: float) -> Samples:
    """A centred voice that sings "ah" with vibrato [shape=(2, n)]: partials of one note under three formants."""
    at = np.arange(round(seconds * RATE)) / RATE
    pitch = 220 * (1 + 0.02 * np.sin(2 * np.pi * 5.5 * at))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = ((700, 130, 1.0), (1_220, 150, 0.5), (2_600, 200, 0.25))  # centre and width in Hz, gain
    sung = np.zeros_like(at)
    for partial in range(1, 21):
        shape = sum(gain / (1 + ((partial * 220 - centre) / width) ** 2) for centre, width, gain in formants)
        sung += shape / partial**0.5 * np.sin(partial * phase)
    syllables = np.clip(np.sin(2 * np.pi * 1.5 * at), 0, None) ** 0.5
    return np.tile(0.15 * sung * syllables, (2, 1)).astype(np.float32)


def main(manifest: Path, output: Path) -> None:
    """Write the song and its stems as raw interleaved float32, and a JSON file that describes them."""
    mixture = song()
    references: dict[str, dict[str, str]] = {}
    _write(output / "song.f32", mixture[np.newaxis])
    for model in read_manifest(json.loads(manifest.read_text(encoding="utf-8"))).values():
        references[model.id] = {}
        # Every graph for GPUs is compared with the exact one.
        for precision in ("default", "fp32") if model.gpu else ("default",):
            name = f"{model.id}.{precision}.f32"
            _write(output / name, asyncio.run(stems(model, precision, mixture)))
            references[model.id][precision] = name
    facts = {"rate": RATE, "channels": 2, "length": mixture.shape[1], "preset": PRESET, "song": "song.f32"}
    (output / "check.json").write_text(json.dumps({**facts, "references": references}), encoding="utf-8")


async def stems(model: Model, precision: str, mixture: Samples) -> Samples:
    """Stems of the song, separated on this machine's processor [shape=(stems, 2, n)]."""
    sessions = [NativeSession(models.BUILT / artifact.path) for artifact in model.artifacts.get(precision, ())]
    family = create(model, sessions, RATE)
    collected = Collected(len(model.stems), *mixture.shape)
    await separate(Clip(mixture, RATE), collected, family, model.preset(PRESET), residual=model.has_residual)
    return collected.samples


def _write(path: Path, tracks: Samples) -> None:
    """Write tracks [shape=(tracks, channels, n)] one after another, each interleaved."""
    rounded = np.round(tracks / _GRID) * _GRID
    path.write_bytes(np.ascontiguousarray(rounded.swapaxes(1, 2), dtype="<f4").tobytes())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
