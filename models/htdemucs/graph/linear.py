"""Linear layers on rows, `x @ weight + bias`, in the precisions on offer."""

from __future__ import annotations

from dataclasses import replace
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
SILENCE: Final = 1e-6
"""Added to the peak of a row, so that no row is divided by zero."""
QUIET: Final = 0.05
"""Channels this much below the loudest count as being there."""


class Linear(Protocol):
    """One way to compute linear layers."""

    def normalised(self, g: Graph, x: Value, *layers: Affine) -> list[Value]:
        """Apply several layers to the same rows [tokens, channels], which come from a layer normalisation."""
        ...

    def uneven(self, g: Graph, x: Value, layer: Affine) -> Value:
        """Apply a layer to rows of which some may be much louder than others."""
        ...


class FloatLinear:
    """In float32."""

    def normalised(self, g: Graph, x: Value, *layers: Affine) -> list[Value]:
        return [self.uneven(g, x, layer) for layer in layers]

    def uneven(self, g: Graph, x: Value, layer: Affine) -> Value:
        weight = g.constant(layer.weight, "weight")
        if layer.scale is not None:
            weight = g.mul(weight, g.constant(layer.scale, "scale"))
        return g.gemm(x, weight, g.constant(layer.bias, "bias")) if layer.bias.any() else g.matmul(x, weight)


class Recorder(FloatLinear):
    """In float32; remembers the normalised rows that layers were applied to."""

    def __init__(self) -> None:
        self.inputs: list[Value] = []

    def normalised(self, g: Graph, x: Value, *layers: Affine) -> list[Value]:
        self.inputs.append(x)
        return super().normalised(g, x, *layers)


class Int8Linear:
    """With activations and weights of eight bits and sums of 32.

    Activations are quantised as they come, with one range for all rows, so what is loud must not set the range
    for what is not. Behind a normalisation a few channels are loud, and they are the same whatever plays: they
    are divided by what their weights are multiplied by (SmoothQuant: Xiao et al. 2023). Elsewhere it depends
    on the music, and each row is brought to the same peak.

    Parameters
    ----------
    peaks : list of np.ndarray [shape=(channels,)]
        For each call of `normalised` to come: how large each channel of the rows gets.
    """

    def __init__(self, peaks: list[Array]) -> None:
        self._peaks = iter(peaks)

    def normalised(self, g: Graph, x: Value, *layers: Affine) -> list[Value]:
        smoothing = smoothing_factors(next(self._peaks), layers)
        x = g.mul(x, g.constant(1 / smoothing, "smoothing"))
        rows = _codes(g, x)
        smoothed = [Affine(layer.weight * smoothing[:, None], layer.bias, layer.scale) for layer in layers]
        return [_int8_product(g, rows, layer) for layer in smoothed]

    def uneven(self, g: Graph, x: Value, layer: Affine) -> Value:
        # Divided, not shifted: most of a row is nearly zero, and zero has a code of its own.
        low, high = g.reduce("ReduceMin", x, 1), g.reduce("ReduceMax", x, 1)
        peak = g.add(g.apply("Max", high, g.apply("Neg", low)), g.scalar(SILENCE))
        product = _int8_product(g, _codes(g, g.div(x, peak)), replace(layer, bias=np.zeros_like(layer.bias)))
        return g.add(g.mul(product, peak), g.constant(layer.bias, "bias"))


def smoothing_factors(peaks: Array, layers: tuple[Affine, ...]) -> Array:
    """What to divide each input channel by, so that activations and weights are equally hard to quantise."""
    weights = np.max([np.abs(layer.weight).max(axis=1) for layer in layers], axis=0)
    loudness = np.maximum(peaks, peaks.max() * QUIET) ** STRENGTH
    octaves = np.log2(loudness / np.maximum(weights, weights.max() * QUIET) ** (1 - STRENGTH))
    # In quarters of an octave, so that the last bits of the peaks, and with them the machine, do not matter.
    return np.asarray(2 ** (np.rint(4 * (octaves - octaves.mean())) / 4), np.float32)


def quantise(weight: Array) -> tuple[npt.NDArray[np.uint8], Array]:
    """Eight-bit codes around 128 of a matrix [in, out], and what one step of a column is worth."""
    steps = np.abs(weight).max(axis=0) / LIMIT
    steps[steps == 0] = 1
    return (np.rint(weight / steps) + CENTRE).astype(np.uint8), steps.astype(np.float32)


def _codes(g: Graph, x: Value) -> tuple[Value, Value, Value]:
    """Rows in eight bits: codes, scale, zero."""
    codes, scale, zero = g.node("DynamicQuantizeLinear", [x], [g.unique(role) for role in ("codes", "scale", "zero")])
    return Value(codes, x.shape), Value(scale, ()), Value(zero, ())


def _int8_product(g: Graph, rows: tuple[Value, Value, Value], layer: Affine) -> Value:
    """One layer on quantised rows.

    The weights are unsigned too: products with signed ones saturate on x86 processors without VNNI.
    """
    codes, scale, zero = rows
    weight, steps = quantise(layer.weight)
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
