"""Make `golden/`: the output of demucs 4.1.0 itself for the songs of `songs.py`.

Its own `demucs.api.Separator` runs here, with its own torch network, segments, overlap-add and whole-track
normalisation (overlap 0.25, no shifts). Only the weights come from elsewhere, the published ONNX file, whose
tensors get their torch names back.

    python -m venv /tmp/reference
    /tmp/reference/bin/pip install -e ".[cli,build,dev,reference]"
    /tmp/reference/bin/python -m tests.parity.reference FOLDER_OF_HTDEMUCS_ONNX

If only CUDA builds of torch are offered, install the CPU build of the same version first.
"""

from __future__ import annotations

import hashlib
import json
import sys
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from demucs.api import Separator
from demucs.htdemucs import HTDemucs

from models.htdemucs.published import parameters
from tests.parity.songs import GOLDEN, RATE, sketch, songs

STEMS: Final = ("drums", "bass", "other", "vocals")
#: Settings of `htdemucs` that differ from the defaults of its class.
ARCHITECTURE: Final = {"bottom_channels": 512, "dconv_mode": 3, "segment": Fraction(39, 5), "samplerate": RATE}


class Published(Separator):  # type: ignore[misc]  # demucs is typed only where it is installed
    """demucs' own separator around the published weights."""

    def _load_model(self) -> None:
        network = HTDemucs(sources=list(STEMS), **ARCHITECTURE)
        stock = onnx.load(self._repo / "htdemucs.onnx")
        network.load_state_dict({name: torch.tensor(array) for name, array in parameters(stock).items()})
        self._model = network.eval()
        self._audio_channels = network.audio_channels
        self._samplerate = network.samplerate


def main(weights: Path) -> None:
    """Run the reference on every song and write its golden figures."""
    separator = Published(repo=weights, device="cpu", shifts=0, overlap=0.25)
    levels = {}
    for name, song in songs().items():
        mixture, stems = separator.separate_tensor(torch.from_numpy(song.copy()), RATE)
        samples = np.stack([stems[stem].numpy() for stem in STEMS])
        np.savez_compressed(GOLDEN / f"{name}.npz", mixture=sketch(mixture.numpy()), stems=sketch(samples))
        rms = 20 * np.log10(np.sqrt(np.square(samples, dtype=np.float64).mean(axis=(1, 2))))
        levels[name] = {
            "samples": song.shape[1],
            "rms dBFS": dict(zip(STEMS, rms.round(3).tolist(), strict=True)),
        }
        print(name, levels[name])
    summary = {
        "made with": {package: metadata.version(package) for package in ("demucs", "torch", "numpy", "av", "stempeg")},
        "weights": hashlib.sha256((weights / "htdemucs.onnx").read_bytes()).hexdigest(),
        "songs": levels,
    }
    (GOLDEN / "reference.json").write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
