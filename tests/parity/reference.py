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
import re
import sys
from collections import defaultdict
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from demucs.api import Separator
from demucs.htdemucs import HTDemucs
from onnx import numpy_helper

from tests.parity.songs import GOLDEN, RATE, sketch, songs

STEMS: Final = ("drums", "bass", "other", "vocals")
#: Settings of `htdemucs` that differ from the defaults of its class.
ARCHITECTURE: Final = {"bottom_channels": 512, "dconv_mode": 3, "segment": Fraction(39, 5), "samplerate": RATE}


class Published(Separator):  # type: ignore[misc]  # demucs is typed only where it is installed
    """demucs' own separator around the published weights."""

    def _load_model(self) -> None:
        network = HTDemucs(sources=list(STEMS), **ARCHITECTURE)
        network.load_state_dict(parameters(onnx.load(self._repo / "htdemucs.onnx").graph, network))
        self._model = network.eval()
        self._audio_channels = network.audio_channels
        self._samplerate = network.samplerate


def parameters(graph: onnx.GraphProto, network: HTDemucs) -> dict[str, torch.Tensor]:
    """Tensors of the exported graph under their names in torch.

    The exporter kept most names. Where it changed a tensor's form (transposed, split, scaled) it made up a
    name, but the node that uses the tensor still says in which module it stood.
    """
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found: dict[str, list[npt.NDArray[Any]]] = defaultdict(list)
    for node in graph.node:
        for name in filter(tensors.__contains__, node.input):
            if name in shapes:
                found[name] = [tensors[name]]
            elif node.op_type == "MatMul":
                found[first(shapes, module(node), "weight", "in_proj_weight")].append(tensors[name].T)
            elif node.op_type == "Mul":
                found[first(shapes, module(node), "weight", "scale")].append(tensors[name])
            elif node.op_type == "Add":
                found[first(shapes, module(node), "bias", "in_proj_bias")].append(tensors[name])
            elif node.op_type == "Expand":
                embedding = tensors[name][0, :, :, 0].T / network.freq_emb.scale
                found["freq_emb.embedding.weight"].append(embedding)
    return {name: torch.tensor(np.concatenate(parts)).reshape(shapes[name]) for name, parts in found.items()}


def module(node: onnx.NodeProto) -> str:
    """`/encoder.0/dconv/layers.1/layers.1.4/Mul` stood in `encoder.0.dconv.layers.1.4`."""
    path = node.name.rpartition("/")[0].strip("/")
    return re.sub(r"([^/]+)/(?=\1\.)", "", path).replace("/", ".")


def first(shapes: dict[str, torch.Size], module: str, *names: str) -> str:
    """The parameter of a module that exists under one of these names."""
    return next(f"{module}.{name}" for name in names if f"{module}.{name}" in shapes)


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
