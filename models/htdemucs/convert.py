"""Converts the published weights of HT-Demucs to `default.onnx`, `fp32.onnx` and `fp16.onnx`.

`demixer.graphs.htdemucs` builds the graphs. NOTES.md records what was tried.
"""

from __future__ import annotations

from pathlib import Path

from published import read

from demixer.graphs.htdemucs.forms import FORMS
from demixer.graphs.htdemucs.network import build
from demixer_build.convert import save


def convert(weights: Path, output: Path) -> None:
    """Write one file for each precision.

    Parameters
    ----------
    weights : Path
        Folder with the published `htdemucs.onnx`.
    output : Path
        Folder for the results, whose bytes are the same every time.
    """
    print("reading htdemucs.onnx", flush=True)
    network = read(weights / "htdemucs.onnx")
    for precision, form in FORMS.items():
        save(build(network, form), output / f"{precision}.onnx")
