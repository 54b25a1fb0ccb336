"""The facts by which one HT-Demucs differs from another.

Most follow from the shapes of its tensors. The rest stand among the arguments of the reference's class, which its own
checkpoints keep; one that asks for a network that is not built here is an error, never ignored. Arguments of other
versions are ignored, as the reference does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, takewhile
from typing import Final

from demixer.graphs.checkpoints import Checkpoint
from demixer.graphs.dtypes import Shape
from demixer.graphs.reading import unsupported

#: Name of the network's class in checkpoints of the reference implementation.
CLASS: Final = "demucs.htdemucs.HTDemucs"

RATE: Final = 44_100
BINS: Final = 2048
"""Of a spectrogram, without the Nyquist bin; frames are half as many samples apart."""
STRIDE: Final = 4
CHANNELS: Final = {"": 4, "t": 2}
"""Channels of a spectrogram, real and imaginary part of each audio channel, and of a waveform."""
TAPS: Final = 3
"""Taps of a dilated convolution, and of the decoder's first convolution along each axis."""
SEGMENTS: Final = range(BINS // 2, 60 * RATE)
"""Samples that a segment may have: from one hop to a minute."""

#: Arguments that change the network, but none of its tensors -> the value that is built.
_BUILT: Final[dict[str, object]] = {
    "audio_channels": 2,
    "cac": True,
    "multi_freqs": None,
    "samplerate": RATE,
    "stride": STRIDE,
    "t_emb": "sin",
    "t_gelu": True,
    "t_group_norm": False,
    "t_max_period": 10000.0,
    "t_norm_first": True,
    "t_norm_in": True,
    "t_sparse_cross_attn": False,
    "t_sparse_self_attn": False,
    "t_weight_pos_embed": 1.0,
    "use_train_segment": True,
}


@dataclass(frozen=True)
class Architecture:
    """One HT-Demucs; the defaults are those of the published ones.

    Parameters
    ----------
    stems : int
    channels : tuple of int
        Of the output of each encoder layer; both branches have the same.
    squeezed : tuple of int
        Channels inside the residual layers of each encoder layer.
    residuals : int
        Dilated residual layers in a row.
    residual_decoder : bool
        True when the decoder has residual layers as well.
    kernel : int
        Taps of a strided convolution.
    width : int
        Channels inside the transformer.
    bottom : bool
        True when channels are projected to that width, and back.
    feed : int
        Channels inside a feed-forward layer.
    layers : int
        Transformer layers of each branch.
    cross_first : bool
        True when attention to the other branch is at even indices, and to the own one at odd ones.
    heads : int
    embedding_scale : tuple of two floats
        Factors of the embedding of the frequencies, one after the other.
    segment : int
        Samples of the mixture in one run.
    sources : tuple of str
        Names of the stems; empty where a checkpoint does not say.
    """

    stems: int = 4
    channels: tuple[int, ...] = (48, 96, 192, 384)
    squeezed: tuple[int, ...] = (6, 12, 24, 48)
    residuals: int = 2
    residual_decoder: bool = True
    kernel: int = 8
    width: int = 512
    bottom: bool = True
    feed: int = 2048
    layers: int = 5
    cross_first: bool = False
    heads: int = 8
    embedding_scale: tuple[float, float] = (10.0, 0.2)
    segment: int = 343_980
    sources: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        """Encoder (and decoder) layers of each branch."""
        return len(self.channels)

    @property
    def frames(self) -> int:
        """Frames of the spectrogram."""
        return -(-self.segment // (BINS // 2))

    def crosses(self, index: int) -> bool:
        """True for a transformer layer that attends to the other branch."""
        return index % 2 == int(not self.cross_first)

    def shapes(self) -> dict[str, Shape]:
        """Shape of every tensor of the network, by its name in the reference implementation."""
        return _Shapes(self).found


def read_architecture(checkpoint: Checkpoint) -> Architecture:
    """Read which network a checkpoint has.

    Raises
    ------
    ModelError
        `model/incompatible` when it is no HT-Demucs, or one that differs in what is not built here; names what.
    """
    arguments, unnamed = checkpoint.metadata.get("kwargs", {}), checkpoint.metadata.get("args", ())
    arguments = dict(arguments) if isinstance(arguments, dict) else {}
    if isinstance(unnamed, tuple | list) and unnamed:
        arguments["sources"], *rest = unnamed
        if rest:
            raise unsupported("arguments of its network have no names")
    return find_architecture({name: tensor.shape for name, tensor in checkpoint.tensors.items()}, arguments)


def find_architecture(shapes: Mapping[str, Shape], arguments: Mapping[object, object] | None = None) -> Architecture:
    """Find which network has tensors of these shapes.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        By name.
    arguments : mapping, optional
        Those of the reference's class; the published networks' where they are left out.

    Raises
    ------
    ModelError
        `model/incompatible`, as for `read_architecture`.
    """
    arguments = arguments or {}
    _check(arguments)

    def size(name: str, axis: int) -> int:
        if len(shapes.get(name, ())) <= axis:
            raise unsupported(f"it is no HT-Demucs: it has no tensor {name} of {axis + 1} axes or more")
        return shapes[name][axis]

    def layers(pattern: str) -> int:
        return sum(1 for _ in takewhile(lambda index: pattern.format(index) in shapes, count()))

    depth = layers("encoder.{}.conv.weight")
    feed, width = (size("crosstransformer.layers.0.linear1.weight", axis) for axis in (0, 1))
    found = Architecture(
        stems=size(f"decoder.{max(0, depth - 1)}.conv_tr.weight", 1) // CHANNELS[""],
        channels=tuple(size(f"encoder.{index}.conv.weight", 0) for index in range(depth)),
        squeezed=tuple(size(f"encoder.{index}.dconv.layers.0.0.weight", 0) for index in range(depth)),
        residuals=layers("encoder.0.dconv.layers.{}.0.weight"),
        residual_decoder="decoder.0.dconv.layers.0.0.weight" in shapes,
        kernel=size("encoder.0.conv.weight", 2),
        width=width,
        bottom="channel_upsampler.weight" in shapes,
        feed=feed,
        layers=layers("crosstransformer.layers.{}.norm1.weight"),
        cross_first="crosstransformer.layers.0.cross_attn.in_proj_weight" in shapes,
        heads=_number(arguments, "t_heads", Architecture.heads),
        embedding_scale=(_real(arguments, "emb_scale", 10.0), _real(arguments, "freq_emb", 0.2)),
        segment=_segment(arguments),
        sources=_sources(arguments),
    )
    _compare(found.shapes(), shapes)
    _validate(found)
    return found


class _Shapes:
    """Shapes of the tensors of one network."""

    def __init__(self, network: Architecture) -> None:
        self.found: dict[str, Shape] = {}
        self._network = network
        depth, width = network.depth, network.width
        for branch, kernel, context in (("", (network.kernel, 1), (TAPS, TAPS)), ("t", (network.kernel,), (TAPS,))):
            for index, channels in enumerate(network.channels):
                encoder, decoder = f"{branch}encoder.{index}", f"{branch}decoder.{depth - 1 - index}"
                before = network.channels[index - 1] if index else CHANNELS[branch]
                after = before if index else network.stems * before
                self._layer(f"{encoder}.conv", channels, before, *kernel)
                self._layer(f"{encoder}.rewrite", 2 * channels, channels, *(1,) * len(kernel))
                self._residuals(encoder, index)
                self._layer(f"{decoder}.rewrite", 2 * channels, channels, *context)
                if network.residual_decoder:
                    self._residuals(decoder, index)
                self.found[f"{decoder}.conv_tr.weight"] = (channels, after, *kernel)
                self.found[f"{decoder}.conv_tr.bias"] = (after,)
            suffix = f"_{branch}" if branch else ""
            if network.bottom:
                self._layer(f"channel_upsampler{suffix}", width, network.channels[-1], 1)
                self._layer(f"channel_downsampler{suffix}", network.channels[-1], width, 1)
            self._norm(f"crosstransformer.norm_in{suffix}", width)
            for index in range(network.layers):
                self._transformer(f"crosstransformer.layers{suffix}.{index}", crosses=network.crosses(index))
        self.found["freq_emb.embedding.weight"] = (BINS // STRIDE, network.channels[0])

    def _layer(self, name: str, after: int, *shape: int) -> None:
        self.found[f"{name}.weight"], self.found[f"{name}.bias"] = (after, *shape), (after,)

    def _norm(self, name: str, channels: int) -> None:
        self._layer(name, channels)

    def _residuals(self, name: str, index: int) -> None:
        channels, squeezed = self._network.channels[index], self._network.squeezed[index]
        for number in range(self._network.residuals):
            layer = f"{name}.dconv.layers.{number}"
            self._layer(f"{layer}.0", squeezed, channels, TAPS)
            self._norm(f"{layer}.1", squeezed)
            self._layer(f"{layer}.3", 2 * channels, squeezed, 1)
            self._norm(f"{layer}.4", 2 * channels)
            self.found[f"{layer}.6.scale"] = (channels,)

    def _transformer(self, name: str, *, crosses: bool) -> None:
        width, feed = self._network.width, self._network.feed
        attention = f"{name}.cross_attn" if crosses else f"{name}.self_attn"
        self.found[f"{attention}.in_proj_weight"] = (3 * width, width)
        self.found[f"{attention}.in_proj_bias"] = (3 * width,)
        self._layer(f"{attention}.out_proj", width, width)
        self._layer(f"{name}.linear1", feed, width)
        self._layer(f"{name}.linear2", width, feed)
        for norm in ("norm1", "norm2", *(["norm3"] if crosses else []), "norm_out"):
            self._norm(f"{name}.{norm}", width)
        for scale in ("gamma_1", "gamma_2"):
            self.found[f"{name}.{scale}.scale"] = (width,)


def _check(arguments: Mapping[object, object]) -> None:
    """Refuse arguments that ask for another network."""
    for name, built in _BUILT.items():
        value = arguments.get(name, built)
        if (value or None) != (built or None):  # no bands are None or an empty list
            raise unsupported(f"its network was made with {name} = {str(value)[:100]}, which is not built here")
    _number(arguments, "dconv_depth", 2)  # below zero the residual layers are not dilated


def _compare(expected: Mapping[str, Shape], shapes: Mapping[str, Shape]) -> None:
    """Refuse tensors that are missing, unknown, or of another shape."""
    for name in shapes:
        if name not in expected:
            raise unsupported(f"it is a variant of HT-Demucs that is not built here: it has a tensor {name[:100]}")
    for name, shape in expected.items():
        if name not in shapes:
            raise unsupported(f"it is a variant of HT-Demucs that is not built here: it has no tensor {name}")
        if shapes[name] != shape:
            raise unsupported(
                f"it is a variant of HT-Demucs that is not built here: {name} has the shape {shapes[name]}, not {shape}"
            )


def _validate(network: Architecture) -> None:
    """Refuse sizes that do not fit each other."""
    if not network.stems or not network.residuals or network.width % network.heads or network.width % STRIDE:
        raise unsupported("sizes of its network do not fit each other")
    if not network.bottom and network.width != network.channels[-1]:
        raise unsupported("its transformer is of another width than its convolutions")
    if BINS // STRIDE ** (network.depth - 1) <= network.kernel:
        raise unsupported("its encoder has too many layers for its spectrogram")
    if network.sources and len(network.sources) != network.stems:
        raise unsupported(f"it names {len(network.sources)} stems and estimates {network.stems}")


def _number(arguments: Mapping[object, object], name: str, default: int) -> int:
    value = arguments.get(name, default)
    if type(value) is not int or value < 1:
        raise unsupported(f"its {name} is {str(value)[:100]}")
    return value


def _real(arguments: Mapping[object, object], name: str, default: float) -> float:
    value = arguments.get(name, default)
    if not isinstance(value, int | float):
        raise unsupported(f"its {name} is {str(value)[:100]}")
    return float(value)


def _segment(arguments: Mapping[object, object]) -> int:
    seconds = arguments.get("segment", Fraction(Architecture.segment, RATE))
    if not isinstance(seconds, int | float | Fraction) or not SEGMENTS.start <= seconds * RATE < SEGMENTS.stop:
        raise unsupported(f"its segment is {str(seconds)[:100]} seconds")
    return int(seconds * RATE)


def _sources(arguments: Mapping[object, object]) -> tuple[str, ...]:
    sources = arguments.get("sources", ())
    if not isinstance(sources, list | tuple) or not all(isinstance(name, str) for name in sources):
        raise unsupported("the names of its stems are none")
    return tuple(str(name) for name in sources)
