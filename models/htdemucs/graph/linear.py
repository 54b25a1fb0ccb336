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
SILENCE: Final = 1e-6
"""Added to the peak of a row, so that no row is divided by zero."""


class Linear(Protocol):
    """One way to compute linear layers."""

    def normalised(self, g: Graph, x: Value, layer: Affine) -> Value:
        """Apply a layer to rows [tokens, channels] that come from a layer normalisation."""
        ...

    def uneven(self, g: Graph, x: Value, layer: Affine) -> Value:
        """Apply a layer to rows of which some may be much louder than others."""
        ...


class FloatLinear:
    """With the weights as they are."""

    def normalised(self, g: Graph, x: Value, layer: Affine) -> Value:
        return self.uneven(g, x, layer)

    def uneven(self, g: Graph, x: Value, layer: Affine) -> Value:
        if layer.scale is None:
            weight = g.constant(layer.weight, "weight")
        elif g.half:  # has no scales that could be kept apart: the runtime folds nothing in float16
            weight = g.constant(layer.weight * layer.scale, "weight")
        else:
            weight = g.mul(g.constant(layer.weight, "weight"), g.constant(layer.scale, "scale"))
        return _product(g, x, weight, layer.bias)


class Int8Linear:
    """With weights of eight bits; with rows of eight bits, and sums of 32, where rounding the rows does no harm.

    Behind a normalisation it does: two machines differ in the last bits of a row, rounding turns some of those
    into whole steps, the queries and keys made of them change what is attended to, and ten layers on, a browser
    and a native runtime no longer agree to 50 dB. There, the rows stay as they are and the weights are unpacked
    when the graph is loaded.
    """

    def normalised(self, g: Graph, x: Value, layer: Affine) -> Value:
        codes, steps = quantise(layer)
        signed = (codes.astype(np.int16) - CENTRE).astype(np.int8)  # each operator on the way costs memory at load
        weight = g.apply("DequantizeLinear", g.constant(signed.T, "weight"), g.constant(steps, "steps"), axis=0)
        return g.gemm(x, weight, g.constant(layer.bias, "bias"), trans_b=True)

    def uneven(self, g: Graph, x: Value, layer: Affine) -> Value:
        # One range serves all rows, so each is brought to the same peak. Divided, not shifted: most of a row is
        # nearly zero, and zero has a code of its own.
        low, high = g.reduce("ReduceMin", x, 1), g.reduce("ReduceMax", x, 1)
        peak = g.add(g.apply("Max", high, g.apply("Neg", low)), g.scalar(SILENCE))
        y = g.mul(_int8_product(g, g.div(x, peak), layer), peak)
        return g.add(y, g.constant(layer.bias, "bias")) if layer.bias.any() else y


def quantise(layer: Affine) -> tuple[npt.NDArray[np.uint8], Array]:
    """Weights [in, out] as eight-bit codes around 128, and what one step of a column is worth."""
    steps = np.abs(layer.weight).max(axis=0) / LIMIT
    steps[steps == 0] = 1
    codes = (np.rint(layer.weight / steps) + CENTRE).astype(np.uint8)
    return codes, (steps if layer.scale is None else steps * layer.scale).astype(np.float32)


def _product(g: Graph, x: Value, weight: Value, bias: Array) -> Value:
    return g.gemm(x, weight, g.constant(bias, "bias")) if bias.any() else g.matmul(x, weight)


def _int8_product(g: Graph, x: Value, layer: Affine) -> Value:
    """Rows times weights, without the bias.

    The weights are unsigned too: products with signed ones saturate on x86 processors without VNNI.
    """
    weight, steps = quantise(layer)
    codes, scale, zero = g.node("DynamicQuantizeLinear", [x], [g.unique(role) for role in ("codes", "scale", "zero")])
    g.flop += 2 * x.shape[0] * weight.size
    return g.apply(
        "MatMulIntegerToFloat",
        Value(codes, x.shape),
        g.constant(weight, "weight"),
        Value(scale, ()),
        g.constant(steps, "steps"),
        Value(zero, ()),
        g.constant(np.array(CENTRE, np.uint8), "centre"),
        shape=(x.shape[0], weight.shape[1]),
        domain=CONTRIB,
    )
