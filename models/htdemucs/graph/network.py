"""HT-Demucs from mixture to stems, as a program that writes an ONNX graph.

Reference: S. Rouard, F. Massa, A. Défossez, "Hybrid Transformers for Music Source Separation", ICASSP 2023.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import onnx

from demixer.models import Precision

from .blocks import decoder_layer, encoder_layer
from .form import FORMS, Form
from .ops import Graph, Shape, Value
from .transformer import transformer
from .weights import DEPTH, Published, Weights

STEMS: Final = 4
MIXTURE, SPECTROGRAM = "input", "onnx::ReduceMean_1"
SPECTROGRAM_STEMS, WAVEFORM_STEMS = "output", "5073"
"""Inputs and outputs, named as in the stock graph."""
EPSILON: Final = 1e-5


@dataclass(frozen=True)
class Size:
    """What goes in."""

    segment: int = 343980
    """Samples: 7.8 s."""
    bins: int = 2048
    """Of its spectrogram, without the Nyquist bin."""
    frames: int = 336


FULL: Final = Size()


def build(stock: onnx.ModelProto, precision: Precision) -> onnx.ModelProto:
    """Rebuild HT-Demucs from its published graph.

    Parameters
    ----------
    stock : onnx.ModelProto
        `htdemucs.onnx` as published; never modified. Only its weights are used.
    precision : "default" | "fp32" | "fp16"
        `fp32` computes what the stock graph does, in standard operators that WebGPU has too; `fp16` the same in
        float16, but for what float16 cannot hold. `default` is the fast and small one for processors: linear
        layers with weights of eight bits, which also multiply in eight bits where that is safe, and 3x3
        convolutions with fewer multiplications.

    Returns
    -------
    onnx.ModelProto
        Takes and gives what the stock graph does. Weights are stored as float16 where that is exact, and all in
        `fp16`. Its metadata tell the work of a run, `gflop`.
    """
    return write(Published(stock), FORMS[precision])


def write(weights: Weights, form: Form, size: Size = FULL) -> onnx.ModelProto:
    """The whole network in one of its forms."""
    g = Graph(half=form.half)
    waveform, waveform_scale = normalise(g, g.input(MIXTURE, (1, 2, size.segment)))
    spectrogram, spectrogram_scale = normalise(g, g.input(SPECTROGRAM, (1, 4, size.bins, size.frames)))
    # The waveform is a spectrogram of one row, so that both branches share their layers.
    x, xt = spectrogram, g.reshape(waveform, (1, 2, 1, size.segment))

    # Each branch keeps what its decoder needs: the skip connections and the sizes to give back.
    skips: list[tuple[Value, Value]] = []
    sizes: list[tuple[int, int]] = []
    for index in range(DEPTH):
        sizes.append((x.shape[2], xt.shape[3]))
        with g.scope(f"encoder.{index}"):
            x = encoder_layer(g, x, weights.encoder("", index))
            if index == 0:
                x = g.add(x, g.constant(weights.frequency_embedding(), "frequencies"))
        with g.scope(f"tencoder.{index}"):
            xt = encoder_layer(g, xt, weights.encoder("t", index))
        skips.append((x, xt))

    x, xt = transformer(g, x, xt, weights, form)

    for index in range(DEPTH):
        (skip, skip_t), (rows, frames) = skips.pop(), sizes.pop()
        last = index == DEPTH - 1
        with g.scope(f"decoder.{index}"):
            x = decoder_layer(g, x, skip, weights.decoder("", index), rows, last=last, tiles=form.tiles)
        with g.scope(f"tdecoder.{index}"):
            xt = decoder_layer(g, xt, skip_t, weights.decoder("t", index), frames, last=last, tiles=form.tiles)

    outputs = {
        SPECTROGRAM_STEMS: denormalise(g, x, spectrogram_scale, (1, STEMS, 4, size.bins, size.frames)),
        WAVEFORM_STEMS: denormalise(g, xt, waveform_scale, (1, STEMS, 2, size.segment)),
    }
    return g.model(outputs, {"gflop": f"{g.flop / 1e9:.1f}"})


def normalise(g: Graph, x: Value) -> tuple[Value, tuple[Value, Value]]:
    """Zero mean and unit deviation over a whole input, and the (mean, deviation) that undo it.

    All in float32: the sum over some millions of elements is out of float16's range.
    """
    axes = tuple(range(len(x.shape)))
    with g.full():
        mean = g.reduce("ReduceMean", x, *axes)
        centred = g.sub(x, mean)
        energy = g.reduce("ReduceSumSquare", centred, *axes)
        deviation = g.apply("Sqrt", g.div(energy, g.scalar(math.prod(x.shape) - 1)))
        x = g.div(centred, g.add(deviation, g.scalar(EPSILON)))
    return g.narrow(x), (mean, deviation)


def denormalise(g: Graph, x: Value, scale: tuple[Value, Value], shape: Shape) -> Value:
    """Stems [1, stems * channels, ...] at the level of the input."""
    with g.full(g.reshape(x, shape)) as (stems,):
        mean, deviation = (g.reshape(part, (1,) * len(shape)) for part in scale)
        return g.add(g.mul(stems, deviation), mean)
