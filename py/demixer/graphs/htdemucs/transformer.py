"""The cross-domain transformer, on rows [tokens, width] of both branches.

Neither attention nor a normalisation over all tokens depends on their order: the spectrogram's tokens stay in their
natural order (frequency, frame) instead of the reference's (frame, frequency), and the projections in and out of the
transformer read the channels-first layout transposed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.graphs.graph import CONTRIB, Graph
from demixer.graphs.htdemucs.blocks import EPSILON
from demixer.graphs.htdemucs.forms import Form
from demixer.graphs.htdemucs.weights import Affine, Array, Norm, TransformerLayer, Weights
from demixer.graphs.onnx_writer import Value

QUERIES: Final = 672
"""Queries computed together, at most: their scores take 58 MB, instead of 231 MB for all queries."""
PERIOD: Final = 10000.0
"""Longest wavelength of the positional embeddings, divided by 2 pi."""


def transformer(g: Graph, spectrogram: Value, waveform: Value, weights: Weights, form: Form) -> tuple[Value, Value]:
    """Pass both branches [1, channels, rows, frames] through the transformer."""
    _, _, rows, frames = spectrogram.shape
    network = weights.network
    width = network.width
    x = enter(g, spectrogram, weights.upsampler(""), weights.norm_in(""), positions_2d(g, rows, frames, width))
    xt = enter(g, waveform, weights.upsampler("t"), weights.norm_in("t"), positions_1d(g, waveform.shape[3], width))
    for index in range(network.layers):
        with g.scope(f"transformer.{index}"):
            new = layer(g, x, xt, weights.transformer("", index), network.heads, form)
        with g.scope(f"transformer_t.{index}"):
            xt = layer(g, xt, x, weights.transformer("t", index), network.heads, form)
        x = new
    return (
        leave(g, x, weights.downsampler(""), spectrogram.shape),
        leave(g, xt, weights.downsampler("t"), waveform.shape),
    )


def enter(g: Graph, x: Value, upsampler: Affine | None, norm: Norm, positions: Value) -> Value:
    """Turn channels into rows: project, normalise, add positional embeddings."""
    _, channels, rows, frames = x.shape
    columns = g.reshape(x, channels, rows * frames)
    if upsampler is None:
        tokens = g.transpose(columns, 1, 0)
    else:
        weight, bias = g.constant(upsampler.weight, "upsampler"), g.constant(upsampler.bias, "upsampler_bias")
        tokens = g.gemm(columns, weight, bias, trans_a=True)
    return g.plus(layer_norm(g, tokens, norm), positions)


def leave(g: Graph, tokens: Value, downsampler: Affine | None, shape: tuple[int, ...]) -> Value:
    """Turn rows back into channels."""
    if downsampler is None:
        return g.reshape(g.transpose(tokens, 1, 0), *shape)
    weight, bias = downsampler.weight.T, downsampler.bias[:, None]
    x = g.gemm(g.constant(weight, "downsampler"), tokens, g.constant(bias, "downsampler_bias"), trans_b=True)
    return g.reshape(x, *shape)


def layer(g: Graph, x: Value, other: Value, weights: TransformerLayer, heads: int, form: Form) -> Value:
    """One layer of a branch; `other` is the other branch before its layer of the same index."""
    queries = layer_norm(g, x, weights.norm)
    sources = layer_norm(g, other, weights.other_norm) if weights.other_norm else queries
    attended = attention(g, queries, sources, weights, heads, form)
    x, normal = skip_layer_norm(g, x, attended, weights.feed_norm, fused=form.fused)
    inner = form.linear.normalised(g, normal, weights.feed_in)
    fed = form.linear.uneven(g, g.add("Gelu", inner), scaled(weights.feed_out, weights.feed_scale))
    return norm_all(g, g.plus(x, fed), weights.norm_out)


def attention(g: Graph, queries: Value, sources: Value, weights: TransformerLayer, heads: int, form: Form) -> Value:
    """Multi-head attention with its output projection and the residual's scale.

    Two biases need no work: the keys' bias shifts all scores of a query alike, which softmax ignores, and the values'
    bias passes through, since attention weights sum to one, and joins the output's bias.
    """
    key, value = (Affine(layer.weight, np.zeros_like(layer.bias)) for layer in (weights.key, weights.value))
    query = weights.query if form.fused else shrunk(weights.query, heads)
    q = form.linear.normalised(g, queries, query)
    k, v = (form.linear.normalised(g, sources, layer) for layer in (key, value))
    attended = (fused_heads if form.fused else heads_by_products)(g, q, k, v, heads)
    output = Affine(weights.output.weight, weights.output.bias + weights.value.bias @ weights.output.weight)
    return form.linear.uneven(g, attended, scaled(output, weights.output_scale))


def shrunk(query: Affine, heads: int) -> Affine:
    """Divide queries by the root of a head's width."""
    width = query.weight.shape[1]
    return scaled(query, np.full(width, (width // heads) ** -0.5, np.float32))


def fused_heads(g: Graph, q: Value, k: Value, v: Value, heads: int) -> Value:
    """All heads of rows [tokens, width] in the runtime's own operator, some queries at a time."""
    queries, keys, values = (g.reshape(tokens, 1, *tokens.shape) for tokens in (q, k, v))
    attended = [
        g.add("MultiHeadAttention", part, keys, values, domain=CONTRIB, num_heads=heads)
        for part in g.split(queries, parts(q), axis=1)
    ]
    g.flop += 4 * q.shape[0] * k.shape[0] * q.shape[1]
    return g.reshape(g.concat(*attended, axis=1), *q.shape)


def heads_by_products(g: Graph, q: Value, k: Value, v: Value, heads: int) -> Value:
    """All heads in standard operators; the queries are `shrunk`.

    Shares and their products with the values are in float32: onnxruntime-web sums in the type of its tensors, and a
    sum of thousands of small shares in float16 loses one percent.
    """
    tokens, width = q.shape
    queries, keys, values = (g.transpose(g.reshape(x, x.shape[0], heads, width // heads), 1, 0, 2) for x in (q, k, v))
    keys, values = g.transpose(keys, 0, 2, 1), g.cast(values, "float32")
    attended = []
    for part in g.split(queries, parts(q), axis=1):
        shares = g.add("Softmax", g.cast(g.matmul(part, keys), "float32"), axis=-1)
        attended.append(g.narrow(g.matmul(shares, values)))
    return g.reshape(g.transpose(g.concat(*attended, axis=1), 1, 0, 2), tokens, width)


def parts(queries: Value) -> int:
    """Number of equal parts into which queries [tokens, width] are split."""
    tokens = queries.shape[0]
    return next(number for number in range(-(-tokens // QUERIES), tokens + 1) if tokens % number == 0)


def scaled(layer: Affine, scale: Array) -> Affine:
    """Apply LayerScale to the output of a layer."""
    return Affine(layer.weight, layer.bias * scale, scale)


def layer_norm(g: Graph, x: Value, norm: Norm) -> Value:
    """Normalise each token over its channels."""
    with g.computing_in("float32"):
        gain, bias = g.constant(norm.gain, "gain"), g.constant(norm.bias, "offset")
        x = g.add("LayerNormalization", g.narrow(x), gain, bias, axis=-1, epsilon=EPSILON)
    return g.narrow(x)


def skip_layer_norm(g: Graph, x: Value, update: Value, norm: Norm, *, fused: bool) -> tuple[Value, Value]:
    """`x + update` and its normalisation, in one pass when fused."""
    if not fused:
        x = g.plus(x, update)
        return x, layer_norm(g, x, norm)
    gain, bias = g.constant(norm.gain, "gain"), g.constant(norm.bias, "offset")
    normal, total = (Value(g.unique(role), x.shape, x.dtype) for role in ("normal", "sum"))
    unused = Value("", ())
    inputs, outputs = [x, update, gain, bias], [normal, unused, unused, total]
    g.node("SkipLayerNormalization", inputs, outputs, domain=CONTRIB, epsilon=EPSILON)
    return total, normal


def norm_all(g: Graph, x: Value, norm: Norm) -> Value:
    """Normalise over all tokens and channels, with gain and bias of each channel."""
    with g.computing_in("float32"):
        x = g.narrow(x)
        one, zero = (g.constant(np.array([n], np.float32), role) for n, role in ((1, "one"), (0, "zero")))
        flat = g.reshape(x, 1, 1, x.shape[0] * x.shape[1])
        flat = g.add("InstanceNormalization", flat, one, zero, epsilon=EPSILON)
        x = g.times(g.reshape(flat, *x.shape), g.constant(norm.gain, "gain"))
        x = g.plus(x, g.constant(norm.bias, "offset"))
    return g.narrow(x)


def positions_1d(g: Graph, frames: int, width: int) -> Value:
    """Sinusoidal positions [frames, width]: cosines, then sines."""
    with g.computing_in("float32"):
        waves = _waves(g, frames, PERIOD ** np.linspace(0, -1, width // 2))
        table = g.concat(g.add("Cos", waves), g.add("Sin", waves), axis=1)
    return g.narrow(table)


def positions_2d(g: Graph, rows: int, frames: int, width: int) -> Value:
    """Sinusoidal positions [rows * frames, width]: frame, then row, sines and cosines alternating in each half."""
    shape = (rows, frames, width // 2)

    def half(positions: int, along: tuple[int, int]) -> Value:
        waves = _waves(g, positions, PERIOD ** -np.arange(0, 1, 4 / width))
        pairs = [g.reshape(g.add(op, waves), positions, width // 4, 1) for op in ("Sin", "Cos")]
        return g.expand(g.reshape(g.concat(*pairs, axis=2), *along, width // 2), *shape)

    with g.computing_in("float32"):
        table = g.concat(half(frames, (1, frames)), half(rows, (rows, 1)), axis=2)
    return g.narrow(g.reshape(table, rows * frames, width))


def _waves(g: Graph, positions: int, rates: npt.NDArray[np.float64]) -> Value:
    """Phase of each wave at each position; the runtime computes the sines once, when it loads the graph."""
    steps = g.constant(np.arange(positions, dtype=np.float32)[:, None], "positions")
    return g.times(steps, g.constant(rates.astype(np.float32), "rates"))
