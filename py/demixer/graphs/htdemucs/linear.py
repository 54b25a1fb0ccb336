"""Linear layers on rows, `x @ weight + bias`, in float and in eight bits."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from demixer.graphs.graph import CONTRIB, Graph
from demixer.graphs.htdemucs.weights import Affine, Array
from demixer.graphs.onnx_writer import Value

CENTRE: Final = 128
"""Code of zero."""
LIMIT: Final = 127
"""Number of codes on each side of zero."""
SILENCE: Final = 1e-6
"""Added to the peak of a row to avoid dividing by zero."""


class Linear(Protocol):
    """A way to compute linear layers."""

    def normalised(self, g: Graph, x: Value, layer: Affine) -> Value:
        """Apply a layer to rows [tokens, channels] that come from a layer normalisation."""
        ...

    def uneven(self, g: Graph, x: Value, layer: Affine) -> Value:
        """Apply a layer to rows of very different magnitudes."""
        ...


class FloatLinear:
    """Linear layers with the weights as published."""

    def normalised(self, g: Graph, x: Value, layer: Affine) -> Value:
        return self.uneven(g, x, layer)

    def uneven(self, g: Graph, x: Value, layer: Affine) -> Value:
        if layer.scale is None:
            weight = g.constant(layer.weight, "weight")
        elif g.dtype == "float16":  # the runtime folds no constants in float16, so the scale is applied here
            weight = g.constant(layer.weight * layer.scale, "weight")
        else:
            weight = g.times(g.constant(layer.weight, "weight"), g.constant(layer.scale, "scale"))
        return _product(g, x, weight, layer.bias)


class Int8Linear:
    """Linear layers with eight-bit weights, and with eight-bit rows and 32-bit sums except behind a normalisation.

    Behind a normalisation, rounding the rows does harm: two machines differ in the last bits of a row, rounding turns
    some of these into whole steps, the queries and keys made of them shift the attention, and ten layers later a
    browser and a native runtime no longer agree to 50 dB. There the rows stay in float and the weights are
    dequantised.
    """

    def normalised(self, g: Graph, x: Value, layer: Affine) -> Value:
        codes, steps = quantise(layer)
        # Signed codes save operators on the way, whose results would stay in memory.
        signed = (codes.astype(np.int16) - CENTRE).astype(np.int8)
        stored, scale = g.constant(signed.T, "weight"), g.constant(steps, "steps")
        weight = g.add("DequantizeLinear", stored, scale, dtype=scale.dtype, axis=0)
        return g.gemm(x, weight, g.constant(layer.bias, "bias"), trans_b=True)

    def uneven(self, g: Graph, x: Value, layer: Affine) -> Value:
        # All rows share one range, so each is scaled to the same peak. Zero keeps a code of its own, since most of a
        # row is close to zero.
        low, high = g.reduce("ReduceMin", x, 1), g.reduce("ReduceMax", x, 1)
        peak = g.plus(g.add("Max", high, g.add("Neg", low)), g.scalar(SILENCE))
        y = g.times(_int8_product(g, g.over(x, peak), layer), peak)
        return g.plus(y, g.constant(layer.bias, "bias")) if layer.bias.any() else y


def quantise(layer: Affine) -> tuple[npt.NDArray[np.uint8], Array]:
    """Weights [in, out] as eight-bit codes around 128, and the size of one step in each column."""
    steps = np.abs(layer.weight).max(axis=0) / LIMIT
    steps[steps == 0] = 1
    codes = (np.rint(layer.weight / steps) + CENTRE).astype(np.uint8)
    return codes, (steps if layer.scale is None else steps * layer.scale).astype(np.float32)


def _product(g: Graph, x: Value, weight: Value, bias: Array) -> Value:
    return g.gemm(x, weight, g.constant(bias, "bias")) if bias.any() else g.matmul(x, weight)


def _int8_product(g: Graph, x: Value, layer: Affine) -> Value:
    """Multiply rows by weights, without the bias.

    The weights are unsigned, since products with signed ones saturate on x86 processors without VNNI.
    """
    weight, steps = quantise(layer)
    codes, scale, zero = g.node(
        "DynamicQuantizeLinear",
        [x],
        [
            Value(g.unique("codes"), x.shape, "uint8"),
            Value(g.unique("scale"), ()),
            Value(g.unique("zero"), (), "uint8"),
        ],
    )
    g.flop += 2 * x.shape[0] * weight.size
    return g.add(
        "MatMulIntegerToFloat",
        codes,
        g.constant(weight, "weight"),
        scale,
        g.constant(steps, "steps"),
        zero,
        g.constant(np.array(CENTRE, np.uint8), "centre"),
        shape=(x.shape[0], weight.shape[1]),
        dtype=scale.dtype,
        domain=CONTRIB,
    )
