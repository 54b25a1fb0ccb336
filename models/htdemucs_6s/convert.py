"""Converts the published checkpoint of HT-Demucs with six stems; `demixer.graphs.htdemucs` builds the graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from demixer.errors import ModelError
from demixer.graphs.checkpoints import open_checkpoint
from demixer.graphs.htdemucs.forms import FORMS
from demixer.graphs.htdemucs.network import build, read_weights
from demixer_build.convert import save

STEMS: Final = ("drums", "bass", "other", "vocals", "guitar", "piano")


def convert(weights: Path, output: Path) -> None:
    """Write one file for each precision.

    Parameters
    ----------
    weights : Path
        Folder with the published `.th`.
    output : Path
        Folder for the results.
    """
    (path,) = weights.glob("*.th")
    with open_checkpoint(path) as checkpoint:
        network = read_weights(checkpoint)
        if network.network.sources != STEMS:
            raise ModelError("model/incompatible", f"{path.name} has the stems {network.network.sources}, not {STEMS}.")
        for precision, form in FORMS.items():
            save(build(network, form), output / f"{precision}.onnx")
