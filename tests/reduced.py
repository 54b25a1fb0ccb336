"""Reduced networks: the same layers with few channels and random weights, for slow devices."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Final

import numpy as np
import onnxruntime

from demixer.graphs.htdemucs.architecture import BINS, Architecture
from demixer.graphs.htdemucs.weights import Array, Weights
from demixer.graphs.onnx_writer import Model, write_model

#: HT-Demucs in small. As in the full size, the segment passes the integers of float16 (2048), and no stride divides it.
NETWORK: Final = Architecture(channels=(8, 16, 32, 64), squeezed=(2, 4, 8, 16), width=64, feed=128, segment=3_001)


def reduced(network: Architecture = NETWORK) -> Weights:
    """HT-Demucs with random weights."""
    return Weights(network, random_state(network).__getitem__)


def random_state(network: Architecture, seed: int = 11) -> dict[str, Array]:
    """Random tensors that keep the magnitude of what goes through the network, by their names in torch."""
    random = np.random.default_rng(seed)
    state: dict[str, Array] = {}
    for name, shape in network.shapes().items():
        noise = random.standard_normal(shape, np.float32)
        if name.endswith(".scale"):  # of a residual, as large as the published ones mostly are
            state[name] = 0.2 * (1 + 0.1 * noise)
        elif len(shape) == 1:
            state[name] = 0.1 * noise + float(name.endswith("weight"))  # gains around 1, biases around 0
        elif "embedding" in name:
            state[name] = 0.05 * noise
        else:
            summands = 2 * shape[0] if "conv_tr" in name else math.prod(shape[1:])
            state[name] = noise / np.float32(math.sqrt(summands))
    return state


def feeds(network: Architecture = NETWORK) -> dict[str, Array]:
    """Noise that goes into the network."""
    random = np.random.default_rng(12)
    shapes = {"mixture": (1, 2, network.segment), "spectrogram": (1, 4, BINS, network.frames)}
    return {name: 0.1 * random.standard_normal(shape, np.float32) for name, shape in shapes.items()}


def written(model: Model) -> bytes:
    """The bytes of a graph."""
    sink = BytesIO()
    write_model(model, sink)
    return sink.getvalue()


def natively(model: Model, given: dict[str, Array]) -> dict[str, Array]:
    """Outputs of a graph on the native runtime, by name."""
    session = onnxruntime.InferenceSession(written(model), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, map(np.asarray, session.run(names, given)), strict=True))


def reduced_unet(seed: int) -> dict[str, Array]:
    """A network of Spleeter of one to three channels with everything that the published ones leave at zero or one."""
    rng = np.random.default_rng(seed)
    down, up = [2, 1, 2, 2, 3, 2, 3], [3, 2, 2, 1, 2, 1]
    parameters: dict[str, Array] = {}

    def add(name: str, *shape: int, low: float = -0.4, high: float = 0.4) -> None:
        parameters[name] = rng.uniform(low, high, shape).astype(np.float32)

    def add_batch_norm(name: str, channels: int) -> None:
        add(f"{name}.weight", channels, low=0.3, high=1.5)
        add(f"{name}.bias", channels)
        add(f"{name}.running_mean", channels)
        add(f"{name}.running_var", channels, low=0.2, high=2.0)

    for level in range(1, 7):
        add(f"down{level}_conv.1.weight", down[level], down[level - 1], 5, 5)
        add(f"down{level}_conv.1.bias", down[level])
        add_batch_norm(f"down{level}_act.0", down[level])
        given = down[6] if level == 1 else up[level - 2] + down[7 - level]
        add(f"up{level}.0.weight", given, up[level - 1], 5, 5)
        add(f"up{level}.0.bias", up[level - 1])
        add_batch_norm(f"up{level}.3", up[level - 1])
    add("up7.0.weight", 2, 1, 4, 4)
    add("up7.0.bias", 2)
    return parameters
