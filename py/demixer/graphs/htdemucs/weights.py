"""Tensors of the network by their role in it.

Conventions: convolution kernels are [out, in, rows, frames], with one row in the waveform branch; matrices are
[in, out], for `rows @ matrix`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from demixer.graphs.htdemucs.architecture import Architecture

Array = npt.NDArray[np.float32]
Branch = Literal["", "t"]
"""Prefix or suffix of names: empty for the spectrogram, `t` for the waveform."""


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
    """One of the dilated residual layers of a branch: squeeze, expand to value and gate, scale, add."""

    squeeze: Affine
    squeeze_norm: Norm
    expand: Affine
    expand_norm: Norm
    scale: Array


@dataclass(frozen=True)
class EncoderLayer:
    """Strided convolution, DConv, 1x1 convolution to value and gate."""

    conv: Affine
    dconv: tuple[DConvLayer, ...]
    rewrite: Affine


@dataclass(frozen=True)
class DecoderLayer:
    """3x3 convolution to value and gate, DConv, strided transposed convolution."""

    rewrite: Affine
    dconv: tuple[DConvLayer, ...]
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


class Weights:
    """The tensors of one network, read when they are asked for.

    Parameters
    ----------
    network : Architecture
    read : callable
        Gives a tensor by its name in the reference implementation, in any floating-point type.
    """

    def __init__(self, network: Architecture, read: Callable[[str], npt.NDArray[np.generic]]) -> None:
        self.network = network
        self._read = read

    def encoder(self, branch: Branch, index: int) -> EncoderLayer:
        name = f"{branch}encoder.{index}"
        return EncoderLayer(self._conv(f"{name}.conv"), self._dconv(name), self._conv(f"{name}.rewrite"))

    def decoder(self, branch: Branch, index: int) -> DecoderLayer:
        name = f"{branch}decoder.{index}"
        dconv = self._dconv(name) if self.network.residual_decoder else ()
        return DecoderLayer(self._conv(f"{name}.rewrite"), dconv, self._conv(f"{name}.conv_tr"))

    def frequency_embedding(self) -> Array:
        """Embedding of the frequencies after the first encoder layer, scaled [shape=(channels, rows, 1)]."""
        table = self._array("freq_emb.embedding.weight").T[:, :, None]
        for scale in self.network.embedding_scale:
            table = table * np.float32(scale)
        return table

    def upsampler(self, branch: Branch) -> Affine | None:
        """Projection to the width of the transformer; None when channels enter as they are."""
        return self._pointwise(f"channel_upsampler{suffix(branch)}") if self.network.bottom else None

    def downsampler(self, branch: Branch) -> Affine | None:
        """Projection back."""
        return self._pointwise(f"channel_downsampler{suffix(branch)}") if self.network.bottom else None

    def norm_in(self, branch: Branch) -> Norm:
        return self._norm(f"crosstransformer.norm_in{suffix(branch)}")

    def transformer(self, branch: Branch, index: int) -> TransformerLayer:
        name = f"crosstransformer.layers{suffix(branch)}.{index}"
        crosses = self.network.crosses(index)
        attention = f"{name}.cross_attn" if crosses else f"{name}.self_attn"
        weight, bias = self._array(f"{attention}.in_proj_weight").T, self._array(f"{attention}.in_proj_bias")
        query, key, value = (Affine(*pair) for pair in zip(np.split(weight, 3, 1), np.split(bias, 3), strict=True))
        return TransformerLayer(
            norm=self._norm(f"{name}.norm1"),
            other_norm=self._norm(f"{name}.norm2") if crosses else None,
            query=query,
            key=key,
            value=value,
            output=self._linear(f"{attention}.out_proj"),
            output_scale=self._array(f"{name}.gamma_1.scale"),
            feed_norm=self._norm(f"{name}.norm3" if crosses else f"{name}.norm2"),
            feed_in=self._linear(f"{name}.linear1"),
            feed_out=self._linear(f"{name}.linear2"),
            feed_scale=self._array(f"{name}.gamma_2.scale"),
            norm_out=self._norm(f"{name}.norm_out"),
        )

    def _dconv(self, name: str) -> tuple[DConvLayer, ...]:
        return tuple(self._dconv_layer(f"{name}.dconv.layers.{number}") for number in range(self.network.residuals))

    def _dconv_layer(self, name: str) -> DConvLayer:
        return DConvLayer(
            squeeze=self._conv(f"{name}.0"),
            squeeze_norm=self._norm(f"{name}.1"),
            expand=self._pointwise(f"{name}.3"),
            expand_norm=self._norm(f"{name}.4"),
            scale=self._array(f"{name}.6.scale"),
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
        return Affine(self._array(f"{name}.weight").T, self._array(f"{name}.bias"))

    def _norm(self, name: str) -> Norm:
        return Norm(self._array(f"{name}.weight"), self._array(f"{name}.bias"))

    def _array(self, name: str) -> Array:
        return np.asarray(self._read(name), np.float32)


def suffix(branch: Branch) -> str:
    """Suffix of a branch in the transformer's names."""
    return f"_{branch}" if branch else ""
