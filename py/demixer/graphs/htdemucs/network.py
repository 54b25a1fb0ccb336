"""HT-Demucs from mixture to stems, written as an ONNX graph."""

from __future__ import annotations

import math
from typing import Final

from demixer.graphs.checkpoints import Checkpoint
from demixer.graphs.dtypes import Shape
from demixer.graphs.graph import Graph
from demixer.graphs.htdemucs.architecture import BINS, CHANNELS, read_architecture
from demixer.graphs.htdemucs.blocks import decoder_layer, encoder_layer
from demixer.graphs.htdemucs.forms import Form
from demixer.graphs.htdemucs.transformer import transformer
from demixer.graphs.htdemucs.weights import Weights
from demixer.graphs.onnx_writer import Model, Value

EPSILON: Final = 1e-5


def read_weights(checkpoint: Checkpoint) -> Weights:
    """The network of an open checkpoint; its tensors are read while the graph is built.

    Raises
    ------
    ModelError
        `model/incompatible` when it is no HT-Demucs, or one that is not built here.
    """
    return Weights(read_architecture(checkpoint), checkpoint.read)


def build(weights: Weights, form: Form) -> Model:
    """Write the whole network in one of its forms.

    Parameters
    ----------
    weights : Weights
    form : Form
        One of `FORMS`, or another.

    Returns
    -------
    Model
        Takes `mixture` [1, 2, segment] and `spectrogram` [1, 4, bins, frames]; returns `spectrograms`
        [1, stems, 4, bins, frames] and `waveforms` [1, stems, 2, segment]. Large weights are stored as float16 where
        that is exact, as it is for published ones. The metadata `gflop` is the work of a run.
    """
    network = weights.network
    spectral, temporal = (1, CHANNELS[""], BINS, network.frames), (1, CHANNELS["t"], network.segment)
    g = Graph("htdemucs", dtype=form.dtype)
    waveform, waveform_scale = normalise(g, g.input("mixture", temporal))
    spectrogram, spectrogram_scale = normalise(g, g.input("spectrogram", spectral))
    # The waveform has the shape of a spectrogram with one row, so that both branches share their layers.
    x, xt = spectrogram, g.reshape(waveform, 1, CHANNELS["t"], 1, network.segment)

    # Each branch keeps skip connections and sizes for its decoder.
    skips: list[tuple[Value, Value]] = []
    sizes: list[tuple[int, int]] = []
    for index in range(network.depth):
        sizes.append((x.shape[2], xt.shape[3]))
        with g.scope(f"encoder.{index}"):
            x = encoder_layer(g, x, weights.encoder("", index))
            if index == 0:
                x = g.plus(x, g.constant(weights.frequency_embedding(), "frequencies"))
        with g.scope(f"tencoder.{index}"):
            xt = encoder_layer(g, xt, weights.encoder("t", index))
        skips.append((x, xt))

    x, xt = transformer(g, x, xt, weights, form)

    for index in range(network.depth):
        (skip, skip_t), (rows, frames) = skips.pop(), sizes.pop()
        last = index == network.depth - 1
        with g.scope(f"decoder.{index}"):
            x = decoder_layer(g, x, skip, weights.decoder("", index), rows, last=last, tiles=form.tiles)
        with g.scope(f"tdecoder.{index}"):
            xt = decoder_layer(g, xt, skip_t, weights.decoder("t", index), frames, last=last, tiles=form.tiles)

    outputs = {
        "spectrograms": denormalise(g, x, spectrogram_scale, (1, network.stems, *spectral[1:])),
        "waveforms": denormalise(g, xt, waveform_scale, (1, network.stems, *temporal[1:])),
    }
    return g.model(outputs, {"gflop": f"{g.flop / 1e9:.1f}"})


def normalise(g: Graph, x: Value) -> tuple[Value, tuple[Value, Value]]:
    """Normalise a whole input to zero mean and unit deviation; returns also the (mean, deviation) that undo it.

    Computed in float32, since the sum over millions of elements leaves the range of float16.
    """
    axes = tuple(range(len(x.shape)))
    with g.computing_in("float32"):
        mean = g.reduce("ReduceMean", x, *axes)
        centred = g.minus(x, mean)
        energy = g.reduce("ReduceSumSquare", centred, *axes)
        deviation = g.add("Sqrt", g.over(energy, g.scalar(math.prod(x.shape) - 1)))
        x = g.over(centred, g.plus(deviation, g.scalar(EPSILON)))
    return g.narrow(x), (mean, deviation)


def denormalise(g: Graph, x: Value, scale: tuple[Value, Value], shape: Shape) -> Value:
    """Bring stems [1, stems * channels, ...] back to the scale of the input."""
    with g.computing_in("float32"):
        stems = g.narrow(g.reshape(x, *shape))
        mean, deviation = (g.reshape(part, *(1,) * len(shape)) for part in scale)
        return g.plus(g.times(stems, deviation), mean)
