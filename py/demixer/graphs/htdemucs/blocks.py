"""The convolutional layers of both branches, on tensors [1, channels, rows, frames].

The spectrogram branch has one row a frequency and the waveform branch a single row, so that both share all code.
Kernels along time are (1, n), which avoids the transposes of the published graph: it moves frequencies into the batch
axis and back around every DConv.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from demixer.graphs.graph import Graph
from demixer.graphs.htdemucs.architecture import STRIDE
from demixer.graphs.htdemucs.weights import Affine, Array, DConvLayer, DecoderLayer, EncoderLayer, Norm
from demixer.graphs.htdemucs.winograd import tiled_convs
from demixer.graphs.onnx_writer import Value

EPSILON: Final = 1e-5
LARGE: Final = 512
"""Rows of the largest layer."""


def encoder_layer(g: Graph, x: Value, weights: EncoderLayer) -> Value:
    """Divide the rows (or the frames of a single row) by four and widen the channels."""
    _, _, rows, frames = x.shape
    beyond = overhang(weights.conv)
    if rows > 1:
        x = conv(g, x, weights.conv, stride=(STRIDE, 1), pads=(beyond, 0, beyond, 0))
    else:  # zeros complete the last stride
        x = conv(g, x, weights.conv, stride=(1, STRIDE), pads=(0, beyond, 0, beyond + -frames % STRIDE))
    x = dconv(g, g.add("Gelu", x), weights.dconv)
    return gated(g, x, weights.rewrite)


def decoder_layer(
    g: Graph, x: Value, skip: Value, weights: DecoderLayer, size: int, *, last: bool, tiles: bool
) -> Value:
    """Undo an encoder layer; `size` is the number of rows (or of frames of a single row) to return."""
    _, _, rows, frames = x.shape
    # Tiles along both axes would move too much memory in the largest layer.
    tiled = (rows > 1, rows < LARGE) if tiles else (False, False)
    x = gated(g, g.plus(x, skip), weights.rewrite, tiled)
    x = dconv(g, x, weights.dconv)
    layer = weights.conv_transpose
    beyond = overhang(layer)
    if rows > 1:
        stride, pads = (STRIDE, 1), (beyond, 0, beyond, 0)
    else:
        stride, pads = (1, STRIDE), (0, beyond, 0, beyond + STRIDE * frames - size)
    weight, bias = g.constant(layer.weight, "weight"), g.constant(layer.bias, "bias")
    x = g.conv_transpose(x, weight, bias, stride=stride, pads=pads)
    return x if last else g.add("Gelu", x)


def overhang(layer: Affine) -> int:
    """Samples that a strided kernel sees beyond each end of its input."""
    taps: int = max(layer.weight.shape[2:])
    return taps // 4


def conv(
    g: Graph, x: Value, layer: Affine, *, stride: Sequence[int] = (), dilation: Sequence[int] = (), pads: Sequence[int]
) -> Value:
    """Convolve with the weights of a layer."""
    weight, bias = g.constant(layer.weight, "weight"), g.constant(layer.bias, "bias")
    return g.conv(x, weight, bias, stride=stride, dilation=dilation, pads=pads)


def dconv(g: Graph, x: Value, layers: Sequence[DConvLayer]) -> Value:
    """Apply dilated residual layers along time, on few channels."""
    for index, layer in enumerate(layers):
        with g.scope(f"dconv.{index}"):
            x = _dconv_layer(g, x, layer, dilation=2**index)
    return x


def gated(g: Graph, x: Value, layer: Affine, tiled: tuple[bool, bool] = (False, False)) -> Value:
    """Convolve to twice the channels, then compute value * sigmoid(gate).

    Value and gate are two convolutions, so that nothing needs splitting and the runtime fuses the sigmoid into the
    second. `tiled` marks the axes along which to save multiplications.
    """
    if any(tiled):
        value, gate = tiled_convs(g, x, _halves(layer), tiled)
    else:
        rows, frames = layer.weight.shape[2:]
        value, gate = (conv(g, x, half, pads=(rows // 2, frames // 2) * 2) for half in _halves(layer))
    return g.times(value, g.add("Sigmoid", gate))


def _halves(layer: Affine) -> list[Affine]:
    """Split a layer into value and gate."""
    return [Affine(*half) for half in zip(np.split(layer.weight, 2), np.split(layer.bias, 2), strict=True)]


def _dconv_layer(g: Graph, x: Value, weights: DConvLayer, dilation: int) -> Value:
    hidden = conv(g, x, weights.squeeze, dilation=(1, dilation), pads=(0, dilation, 0, dilation))
    with g.computing_in("float32"):
        hidden = normalised_expansion_input(g, g.narrow(hidden), weights)
    return g.plus(x, gated(g, g.narrow(hidden), normalising_expansion(weights)))


def normalised_expansion_input(g: Graph, hidden: Value, weights: DConvLayer) -> Value:
    """Input of `normalising_expansion`: normalised, through the GELU, and with two more channels."""
    _, channels, rows, frames = hidden.shape
    # Normalisations are over channels and frames of a row: move rows to the front while the tensor is small.
    hidden = g.transpose(g.reshape(hidden, *hidden.shape[1:]), 1, 0, 2)
    hidden = g.add("Gelu", group_norm(g, hidden, weights.squeeze_norm))

    matrix, bias = weights.expand.weight.T, weights.expand.bias
    mean, inverse_deviation = expanded_statistics(g, hidden, matrix, bias)
    per_frame = (rows, 1, frames)
    hidden = g.concat(
        g.times(hidden, inverse_deviation),
        g.expand(inverse_deviation, *per_frame),
        g.expand(g.times(mean, inverse_deviation), *per_frame),
        axis=1,
    )
    return g.reshape(g.transpose(hidden, 1, 0, 2), 1, channels + 2, rows, frames)


def group_norm(g: Graph, x: Value, norm: Norm) -> Value:
    """Normalise each row of [rows, channels, frames] over channels and frames."""
    rows, channels, frames = x.shape
    ones, zeros = (g.constant(np.full(rows, n, np.float32), role) for n, role in ((1, "ones"), (0, "zeros")))
    flat = g.reshape(x, 1, rows, channels * frames)
    flat = g.add("InstanceNormalization", flat, ones, zeros, epsilon=EPSILON)
    x = g.times(g.reshape(flat, *x.shape), g.constant(norm.gain[:, None], "gain"))
    return g.plus(x, g.constant(norm.bias[:, None], "offset"))


def expanded_statistics(g: Graph, hidden: Value, matrix: Array, bias: Array) -> tuple[Value, Value]:
    """Mean and 1/deviation of `matrix @ hidden + bias` over channels and frames, without computing the product.

    The expanded tensor is sixteen times as large as `hidden`. By the law of total variance, its variance is the
    variance of its channels' means plus the mean of its channels' variances; both follow from the mean and the
    covariance of the few hidden channels.

    Parameters
    ----------
    hidden : Value [shape=(rows, channels, frames)]
    matrix : np.ndarray [shape=(expanded, channels)]
    bias : np.ndarray [shape=(expanded,)]

    Returns
    -------
    mean, inverse_deviation : Value [shape=(rows, 1, 1)]
    """
    expanded, _ = matrix.shape
    frames = hidden.shape[2]
    hidden_mean = g.reduce("ReduceMean", hidden, 2)
    centred = g.minus(hidden, hidden_mean)
    covariance = g.matmul(centred, g.transpose(centred, 0, 2, 1))
    channel_means = g.plus(g.matmul(g.constant(matrix, "matrix"), hidden_mean), g.constant(bias[:, None], "bias"))
    mean = g.reduce("ReduceMean", channel_means, 1)
    deviations = g.minus(channel_means, mean)
    weights = g.constant((matrix.T @ matrix / (expanded * frames)).astype(np.float32), "mixing")
    variance = g.plus(
        g.reduce("ReduceMean", g.times(deviations, deviations), 1),
        g.reduce("ReduceSum", g.times(covariance, weights), 1, 2),
    )
    deviation = g.add("Sqrt", g.plus(variance, g.scalar(EPSILON)))
    return mean, g.add("Reciprocal", deviation)


def normalising_expansion(weights: DConvLayer) -> Affine:
    """Merge the expansion, its normalisation and the layer's scale into one static 1x1 convolution.

    Its input is hidden / deviation with two more channels: 1 / deviation, which carries the expansion's bias, and
    mean / deviation, which is subtracted. The scale applies to the value half only.
    """
    gain, offset = weights.expand_norm.gain, weights.expand_norm.bias
    columns = np.column_stack([weights.expand.weight.T, weights.expand.bias, -np.ones_like(gain)])
    scale = np.concatenate([weights.scale, np.ones_like(weights.scale)])
    return Affine((columns * (gain * scale)[:, None])[:, :, None, None], offset * scale)
