"""Reduced networks: the same layers with few channels and random weights, for slow devices."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import onnx
import onnxruntime

from models.htdemucs.graph.network import MIXTURE, SPECTROGRAM, STEMS, Size
from models.htdemucs.graph.weights import (
    DEPTH,
    Affine,
    Array,
    Branch,
    DConvLayer,
    DecoderLayer,
    EncoderLayer,
    Norm,
    TransformerLayer,
)

#: As in the full size, the segment passes the integers of float16 (2048), and no stride divides it.
SIZE: Final = Size(segment=12_300, bins=512, frames=12)

#: Channels of the encoder layers' outputs.
CHANNELS: Final = (8, 16, 32, 64)
WIDTH: Final = 64
KERNEL: Final = 8


class Reduced:
    """HT-Demucs: random weights that keep the magnitude of their inputs."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(11)

    def encoder(self, branch: Branch, index: int) -> EncoderLayer:
        channels = CHANNELS[index]
        before = CHANNELS[index - 1] if index else inputs(branch)
        return EncoderLayer(
            conv=self._conv(channels, before, *along(branch, KERNEL)),
            dconv=(self._dconv(channels), self._dconv(channels)),
            rewrite=self._conv(2 * channels, channels, 1, 1),
        )

    def decoder(self, branch: Branch, index: int) -> DecoderLayer:
        channels = CHANNELS[-1 - index]
        last = index == DEPTH - 1
        after = STEMS * inputs(branch) if last else CHANNELS[-2 - index]
        return DecoderLayer(
            rewrite=self._conv(2 * channels, channels, 1 if branch else 3, 3),
            dconv=(self._dconv(channels), self._dconv(channels)),
            conv_transpose=Affine(
                self._weight(2 * channels, channels, after, *along(branch, KERNEL)), self._bias(after)
            ),
        )

    def frequency_embedding(self) -> Array:
        return self._bias(CHANNELS[0], SIZE.bins // 4, 1)

    def upsampler(self, _branch: Branch) -> Affine:
        return self._matrix(CHANNELS[-1], WIDTH)

    def downsampler(self, _branch: Branch) -> Affine:
        return self._matrix(WIDTH, CHANNELS[-1])

    def norm_in(self, _branch: Branch) -> Norm:
        return self._norm(WIDTH)

    def transformer(self, _branch: Branch, index: int) -> TransformerLayer:
        return TransformerLayer(
            norm=self._norm(WIDTH),
            other_norm=self._norm(WIDTH) if index % 2 else None,
            query=self._matrix(WIDTH, WIDTH),
            key=self._matrix(WIDTH, WIDTH),
            value=self._matrix(WIDTH, WIDTH),
            output=self._matrix(WIDTH, WIDTH),
            output_scale=self._scale(WIDTH),
            feed_norm=self._norm(WIDTH),
            feed_in=self._matrix(WIDTH, 2 * WIDTH),
            feed_out=self._matrix(2 * WIDTH, WIDTH),
            feed_scale=self._scale(WIDTH),
            norm_out=self._norm(WIDTH),
        )

    def _dconv(self, channels: int) -> DConvLayer:
        hidden = channels // 4
        return DConvLayer(
            squeeze=self._conv(hidden, channels, 1, 3),
            squeeze_norm=self._norm(hidden),
            expand=self._matrix(hidden, 2 * channels),
            expand_norm=self._norm(2 * channels),
            scale=self._scale(channels),
        )

    def _conv(self, after: int, before: int, *kernel: int) -> Affine:
        return Affine(self._weight(before * math.prod(kernel), after, before, *kernel), self._bias(after))

    def _matrix(self, before: int, after: int) -> Affine:
        return Affine(self._weight(before, before, after), self._bias(after))

    def _norm(self, channels: int) -> Norm:
        return Norm(1 + self._bias(channels), self._bias(channels))

    def _scale(self, channels: int) -> Array:
        """A residual's scale, as large as the published ones mostly are."""
        return 0.2 * (1 + self._bias(channels))

    def _weight(self, summands: int, *shape: int) -> Array:
        return self._random.standard_normal(shape, np.float32) / np.float32(math.sqrt(summands))

    def _bias(self, *shape: int) -> Array:
        return 0.1 * self._random.standard_normal(shape, np.float32)


def inputs(branch: Branch) -> int:
    """Channels of a waveform, and of its spectrogram, where real and imaginary parts are two."""
    return 2 if branch else 4


def along(branch: Branch, taps: int) -> tuple[int, int]:
    """The kernel of a strided layer: along frames in the waveform branch, else along rows."""
    return (1, taps) if branch else (taps, 1)


def feeds() -> dict[str, Array]:
    """Noise that goes into the network."""
    random = np.random.default_rng(12)
    shapes = {MIXTURE: (1, 2, SIZE.segment), SPECTROGRAM: (1, 4, SIZE.bins, SIZE.frames)}
    return {name: 0.1 * random.standard_normal(shape, np.float32) for name, shape in shapes.items()}


def natively(model: onnx.ModelProto, given: dict[str, Array]) -> dict[str, Array]:
    """Outputs of a graph on the native runtime, by name."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
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
