"""Linear layers on rows, `x @ weight + bias`, in the precisions on offer."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from .ops import CONTRIB, Graph, Value
from .weights import Affine, Array

CENTRE: Final = 128
"""The code of zero."""
LIMIT: Final = 127
"""Codes to each side of it."""
STRENGTH: Final = 0.65
"""How much of a channel's loudness moves into the weights; 1 would be all of it."""
QUIET: Final = 0.05
"""Channels this much below the loudest count as being there."""


class Linear(Protocol):
    """One way to compute linear layers."""

    def __call__(self, g: Graph, x: Value, *layers: Affine) -> list[Value]:
        """Apply several layers to the same rows [tokens, channels]."""
        ...


def float_linear(g: Graph, x: Value, *layers: Affine) -> list[Value]:
    """In float32."""
    results = []
    for layer in layers:
        weight = g.constant(layer.weight, "weight")
        if layer.scale is not None:
            weight = g.mul(weight, g.constant(layer.scale, "scale"))
        results.append(g.gemm(x, weight, g.constant(layer.bias, "bias")) if layer.bias.any() else g.matmul(x, weight))
    return results


class Recorder:
    """Computes in float32 and remembers the rows that layers were applied to."""

    def __init__(self) -> None:
        self.inputs: list[Value] = []

    def __call__(self, g: Graph, x: Value, *layers: Affine) -> list[Value]:
        self.inputs.append(x)
        return float_linear(g, x, *layers)


class Int8Linear:
    """With activations and weights of eight bits and float32 sums.

    Rows are quantised as they come, with one range for all of them, which a few loud channels would set: so
    loud channels are first divided by what their weights are multiplied by (SmoothQuant: Xiao et al. 2023).

    Parameters
    ----------
    peaks : list of np.ndarray [shape=(channels,)]
        For each call to come: how large each channel of the rows gets.
    """

    def __init__(self, peaks: list[Array]) -> None:
        self._peaks = iter(peaks)

    def __call__(self, g: Graph, x: Value, *layers: Affine) -> list[Value]:
        smoothing = smoothing_factors(next(self._peaks), layers)
        x = g.mul(x, g.constant(1 / smoothing, "smoothing"))
        codes, scale, zero = g.node(
            "DynamicQuantizeLinear", [x], [g.unique(role) for role in ("codes", "scale", "zero")]
        )
        return [
            _int8_product(g, (Value(codes, x.shape), Value(scale, ()), Value(zero, ())), layer, smoothing)
            for layer in layers
        ]


def smoothing_factors(peaks: Array, layers: tuple[Affine, ...]) -> Array:
    """What to divide each input channel by, so that activations and weights are equally hard to quantise."""
    weights = np.max([np.abs(layer.weight).max(axis=1) for layer in layers], axis=0)
    loudness = np.maximum(peaks, peaks.max() * QUIET) ** STRENGTH
    factors = loudness / np.maximum(weights, weights.max() * QUIET) ** (1 - STRENGTH)
    return np.asarray(factors / np.exp(np.log(factors).mean()), np.float32)


def quantise(weight: Array) -> tuple[npt.NDArray[np.uint8], Array]:
    """Eight-bit codes around 128 of a matrix [in, out], and what one step of a column is worth."""
    steps = np.abs(weight).max(axis=0) / LIMIT
    steps[steps == 0] = 1
    return (np.rint(weight / steps) + CENTRE).astype(np.uint8), steps.astype(np.float32)


def _int8_product(g: Graph, rows: tuple[Value, Value, Value], layer: Affine, smoothing: Array) -> Value:
    """One layer on quantised rows (codes, scale, zero).

    The weights are unsigned too: products with signed ones saturate on x86 processors without VNNI.
    """
    codes, scale, zero = rows
    weight, steps = quantise(layer.weight * smoothing[:, None])
    if layer.scale is not None:
        steps = steps * layer.scale
    g.flop += 2 * codes.shape[0] * weight.size
    return g.apply(
        "MatMulIntegerToFloat",
        codes,
        g.constant(weight, "weight"),
        scale,
        g.constant(steps, "steps"),
        zero,
        g.constant(np.array(CENTRE, np.uint8), "centre"),
        g.constant(layer.bias, "bias") if layer.bias.any() else None,
        shape=(codes.shape[0], weight.shape[1]),
        domain=CONTRIB,
    )
