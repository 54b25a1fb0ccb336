"""The published weights by their role in the network.

The published graph names most of its initialisers after the PyTorch modules. Others lost their names in the export
(`onnx::Mul_5074`) and are found through the node that uses them, whose name states the module.

Conventions: convolution kernels are [out, in, rows, frames], with one row in the waveform branch; matrices are
[in, out], for `rows @ matrix`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Array = npt.NDArray[np.float32]
Branch = Literal["", "t"]
"""Prefix or suffix of the published names: empty for the spectrogram, `t` for the waveform."""

DEPTH: Final = 4
"""Encoder (and decoder) layers of each branch."""
LAYERS: Final = 5
"""Transformer layers of each branch: self-attention at even indices, cross-attention at odd ones."""


@dataclass(frozen=True)
class Affine:
    """A convolution or linear layer; a `scale` of its outputs is separate, so that `weight` stays as published."""

    weight: Array
    bias: Array
    scale: Array | None = None


@dataclass(frozen=True)
class Norm:
    """Gain and bias of each channel after a normalisation."""

    gain: Array
    bias: Array


@dataclass(frozen=True)
class DConvLayer:
    """One of the two dilated residual layers of a branch: squeeze, expand to value and gate, scale, add."""

    squeeze: Affine
    squeeze_norm: Norm
    expand: Affine
    expand_norm: Norm
    scale: Array


@dataclass(frozen=True)
class EncoderLayer:
    """Strided convolution, DConv, 1x1 convolution to value and gate."""

    conv: Affine
    dconv: tuple[DConvLayer, DConvLayer]
    rewrite: Affine


@dataclass(frozen=True)
class DecoderLayer:
    """3x3 convolution to value and gate, DConv, strided transposed convolution."""

    rewrite: Affine
    dconv: tuple[DConvLayer, DConvLayer]
    conv_transpose: Affine


@dataclass(frozen=True)
class TransformerLayer:
    """Attention (to the other branch if `other_norm` is given) and feed-forward, both residual."""

    norm: Norm
    other_norm: Norm | None
    query: Affine
    key: Affine
    value: Affine
    output: Affine
    output_scale: Array
    feed_norm: Norm
    feed_in: Affine
    feed_out: Affine
    feed_scale: Array
    norm_out: Norm


class Weights(Protocol):
    """Weights of the network."""

    def encoder(self, branch: Branch, index: int, /) -> EncoderLayer: ...

    def decoder(self, branch: Branch, index: int, /) -> DecoderLayer: ...

    def frequency_embedding(self) -> Array:
        """Embedding of the frequencies after the first encoder layer, scaled [shape=(channels, rows, 1)]."""
        ...

    def upsampler(self, branch: Branch, /) -> Affine: ...

    def downsampler(self, branch: Branch, /) -> Affine: ...

    def norm_in(self, branch: Branch, /) -> Norm: ...

    def transformer(self, branch: Branch, index: int, /) -> TransformerLayer: ...


class Published:
    """Initialisers of the published graph, as `Weights`."""

    def __init__(self, stock: onnx.ModelProto) -> None:
        self._arrays = {tensor.name: tensor for tensor in stock.graph.initializer}
        self._nodes = {node.name: node for node in stock.graph.node}

    def encoder(self, branch: Branch, index: int) -> EncoderLayer:
        name = f"{branch}encoder.{index}"
        return EncoderLayer(self._conv(f"{name}.conv"), self._dconv(name), self._conv(f"{name}.rewrite"))

    def decoder(self, branch: Branch, index: int) -> DecoderLayer:
        name = f"{branch}decoder.{index}"
        return DecoderLayer(self._conv(f"{name}.rewrite"), self._dconv(name), self._conv(f"{name}.conv_tr"))

    def frequency_embedding(self) -> Array:
        scale = self._constant("/Constant_9")
        return np.asarray(self._used_by("/Expand")[0] * scale, np.float32)

    def upsampler(self, branch: Branch) -> Affine:
        return self._pointwise(f"channel_upsampler{suffix(branch)}")

    def downsampler(self, branch: Branch) -> Affine:
        return self._pointwise(f"channel_downsampler{suffix(branch)}")

    def norm_in(self, branch: Branch) -> Norm:
        return self._norm(f"crosstransformer.norm_in{suffix(branch)}")

    def transformer(self, branch: Branch, index: int) -> TransformerLayer:
        name = f"crosstransformer.layers{suffix(branch)}.{index}"
        cross = index % 2 == 1
        attention = f"{name}.cross_attn" if cross else f"{name}.self_attn"
        query, key, value = self._projections(attention)
        return TransformerLayer(
            norm=self._norm(f"{name}.norm1"),
            other_norm=self._norm(f"{name}.norm2") if cross else None,
            query=query,
            key=key,
            value=value,
            output=Affine(self._array(f"{attention}.out_proj.weight").T, self._array(f"{attention}.out_proj.bias")),
            output_scale=self._array(f"{name}.gamma_1.scale"),
            feed_norm=self._norm(f"{name}.norm3" if cross else f"{name}.norm2"),
            feed_in=self._linear(f"{name}.linear1"),
            feed_out=self._linear(f"{name}.linear2"),
            feed_scale=self._array(f"{name}.gamma_2.scale"),
            norm_out=self._group_norm(f"{_path(name)}/norm_out"),
        )

    def _projections(self, name: str) -> tuple[Affine, Affine, Affine]:
        """Query, key and value projections, which the export stores in three different ways."""
        path = _path(name)
        if f"{name}.in_proj_weight" in self._arrays:
            weight, bias = self._array(f"{name}.in_proj_weight").T, self._array(f"{name}.in_proj_bias")
        elif name.endswith("cross_attn"):
            weight = np.hstack([self._used_by(f"{path}/MatMul{n}")[0] for n in ("", "_1")])
            bias = np.hstack([self._used_by(f"{path}/Add{n}")[0] for n in ("", "_1")])
        else:
            weight, bias = self._used_by(f"{path}/MatMul")[0], self._array(f"{name}.in_proj_bias")
        query, key, value = (Affine(*pair) for pair in zip(np.split(weight, 3, 1), np.split(bias, 3), strict=True))
        return query, key, value

    def _dconv(self, name: str) -> tuple[DConvLayer, DConvLayer]:
        first, second = (self._dconv_layer(f"{name}.dconv.layers.{n}", n) for n in (0, 1))
        return first, second

    def _dconv_layer(self, name: str, n: int) -> DConvLayer:
        path = f"{_path(name)}/layers.{n}"
        return DConvLayer(
            squeeze=self._conv(f"{name}.0"),
            squeeze_norm=self._group_norm(f"{path}.1"),
            expand=self._pointwise(f"{name}.3"),
            expand_norm=self._group_norm(f"{path}.4"),
            scale=self._used_by(f"{path}.6/Mul")[0].ravel(),
        )

    def _conv(self, name: str) -> Affine:
        weight = self._array(f"{name}.weight")
        if weight.ndim == 3:
            weight = weight[:, :, None, :]
        return Affine(weight, self._array(f"{name}.bias"))

    def _pointwise(self, name: str) -> Affine:
        """A convolution of one tap, as a matrix."""
        return Affine(self._array(f"{name}.weight")[..., 0].T, self._array(f"{name}.bias"))

    def _linear(self, name: str) -> Affine:
        return Affine(self._used_by(f"{_path(name)}/MatMul")[0], self._array(f"{name}.bias"))

    def _norm(self, name: str) -> Norm:
        return Norm(self._array(f"{name}.weight"), self._array(f"{name}.bias"))

    def _group_norm(self, path: str) -> Norm:
        return Norm(self._used_by(f"{path}/Mul")[0].ravel(), self._used_by(f"{path}/Add")[0].ravel())

    def _array(self, name: str) -> Array:
        return np.asarray(numpy_helper.to_array(self._arrays[name]), np.float32)

    def _used_by(self, node: str) -> list[Array]:
        return [self._array(name) for name in self._nodes[node].input if name in self._arrays]

    def _constant(self, node: str) -> Array:
        return np.asarray(numpy_helper.to_array(self._nodes[node].attribute[0].t), np.float32)


def suffix(branch: Branch) -> str:
    """Suffix of a branch in the transformer's published names."""
    return f"_{branch}" if branch else ""


def _path(module: str) -> str:
    """Node path of a module: dots before a name become slashes, dots before an index stay."""
    parts = module.split(".")
    path = ""
    for part in parts:
        path += f".{part}" if part.isdigit() else f"/{part}"
    return path
