"""Convolutions of three taps with fewer multiplications (Winograd 1980; Lavin and Gray 2016).

Along an axis, four outputs of a three-tap kernel depend on six inputs. Both are taken as polynomials and multiplied by
their values at six points: six products instead of twelve, and 36 instead of 144 when two axes are tiled. The values
are weighted sums with small constants, which standard convolutions compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.polynomial import polynomial

from demixer.graphs.graph import Graph
from demixer.graphs.htdemucs.weights import Affine, Array
from demixer.graphs.onnx_writer import Value

POINTS: Final = (0.0, 1.0, -1.0, 2.0, -2.0)
"""Points of evaluation besides infinity; small numbers keep float32 exact to 115 dB."""
TAPS: Final = 3
TILE: Final = 4


@dataclass(frozen=True)
class Transform:
    """The three matrices of one axis: products = `kernels @ taps`  *  `inputs @ x`, y = `outputs @ products`."""

    inputs: Array
    kernels: Array
    outputs: Array


ONE: Final = np.ones((1, 1), np.float32)
UNTILED: Final = Transform(ONE, ONE, ONE)


def cook_toom() -> Transform:
    """Four outputs of a three-tap correlation from six products."""
    inputs, kernels = [], []
    for point in POINTS:
        others = [other for other in POINTS if other != point]
        inputs.append([*polynomial.polyfromroots(others), 0])
        kernels.append(point ** np.arange(TAPS) / np.prod([point - other for other in others]))
    inputs.append(list(polynomial.polyfromroots(POINTS)))
    kernels.append(np.array([0, 0, 1]))
    outputs = np.column_stack([np.power.outer(POINTS, np.arange(TILE)).T, [0, 0, 0, 1]])
    return Transform(*(np.array(matrix, np.float32) for matrix in (inputs, kernels, outputs)))


def tiled_convs(g: Graph, x: Value, layers: Sequence[Affine], tiled: tuple[bool, bool]) -> list[Value]:
    """Several "same" convolutions of [1, channels, rows, frames], in tiles of four along the marked axes.

    An untiled axis of three taps keeps them in the convolutions at the points.
    """
    _, channels, rows, frames = x.shape
    taps = layers[0].weight.shape[2:]
    down, across = (cook_toom() if along else UNTILED for along in tiled)
    tile = (TILE if tiled[0] else 1, TILE if tiled[1] else 1)
    window = (len(down.inputs), len(across.inputs))
    points = window[0] * window[1]
    grid = (-(-rows // tile[0]), -(-frames // tile[1]))
    before = (int(tiled[0]), int(tiled[1]))
    fill = (grid[0] * tile[0] - rows, grid[1] * tile[1] - frames)  # completes the last tiles

    # Six values a tile and axis, in each channel by itself.
    values = g.add(
        "Conv",
        x,
        _for_each(g, channels, np.kron(down.inputs, across.inputs).reshape(points, 1, *window)),
        shape=(1, channels * points, *grid),
        kernel_shape=window,
        strides=tile,
        pads=(*before, before[0] + fill[0], before[1] + fill[1]),
        group=channels,
    )
    values = _swap(g, values, channels, points)

    # Multiply over all channels, then restore four outputs a tile and axis.
    evaluate = np.kron(
        down.kernels if tiled[0] else np.eye(taps[0], dtype=np.float32),
        across.kernels if tiled[1] else np.eye(taps[1], dtype=np.float32),
    )
    kept = (1 if tiled[0] else taps[0], 1 if tiled[1] else taps[1])
    restore = np.kron(down.outputs, across.outputs).T.reshape(points, 1, *tile)
    results = []
    for layer in layers:
        channels_out = len(layer.weight)
        products = _products(g, values, layer.weight, evaluate, kept)
        results.append(
            g.add(
                "ConvTranspose",
                _swap(g, products, points, channels_out),
                _for_each(g, channels_out, restore),
                g.constant(layer.bias, "bias"),
                shape=(1, channels_out, rows, frames),
                kernel_shape=tile,
                strides=tile,
                pads=(0, 0, *fill),
                group=channels_out,
            )
        )
    return results


def _products(g: Graph, values: Value, weight: Array, evaluate: Array, kept: tuple[int, int]) -> Value:
    """At each point, convolve all channels with the `kept` taps; the kernels are evaluated at load."""
    channels_out, channels, *taps = weight.shape
    pairs, left = channels_out * channels, kept[0] * kept[1]
    points = len(evaluate) // left
    # Taps first: the result of each step that the runtime computes at load stays in memory.
    by_tap = np.ascontiguousarray(weight.reshape(pairs, taps[0] * taps[1]).T)
    kernels = g.add(
        "MatMul", g.constant(evaluate, "evaluate"), g.constant(by_tap, "weight"), shape=(points * left, pairs)
    )
    if left > 1:
        kernels = g.transpose(g.reshape(kernels, points, left, pairs), 0, 2, 1)
    kernels = g.reshape(kernels, points * channels_out, channels, *kept)
    grid = values.shape[2:]
    g.flop += 2 * pairs * points * left * grid[0] * grid[1]
    pads = (kept[0] // 2, kept[1] // 2) * 2
    shape = (1, points * channels_out, *grid)
    return g.add("Conv", values, kernels, shape=shape, kernel_shape=kept, pads=pads, group=points)


def _for_each(g: Graph, channels: int, kernel: Array) -> Value:
    """Repeat a kernel for each channel."""
    points, *size = kernel.shape
    table = g.expand(g.constant(kernel[None], "transform"), channels, *kernel.shape)
    return g.reshape(table, channels * points, *size)


def _swap(g: Graph, x: Value, outer: int, inner: int) -> Value:
    """Reorder channels (outer, inner) as (inner, outer)."""
    _, _, rows, frames = x.shape
    x = g.transpose(g.reshape(x, outer, inner, rows * frames), 1, 0, 2)
    return g.reshape(x, 1, outer * inner, rows, frames)
