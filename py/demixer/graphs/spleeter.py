"""Spleeter, two stems: the trained networks as one graph.

Two U-Nets (Jansson et al., "Singing voice separation with deep U-Net convolutional networks", ISMIR 2017; weights by
Hennequin et al., "Spleeter", JOSS 2020) take the same magnitude spectrogram, and each estimates one stem's
share of it. The graph runs both:

    magnitude [2, 512, 1024]  ->  share [2 stems, 2 channels, 512 frames, 1024 bins], each in (0, 1)

`demixer.families.spleeter` turns the shares into masks over the full band that sum to one.

Conventions of the network, from Spleeter's definition: convolutions of 5x5 and stride 2 padded as TensorFlow's "same"
(one before, two after), encoder with leaky ReLU of 0.2 behind the batch norm, decoder with the batch norm behind the
ReLU, skip connections taken before the batch norm, and a last convolution of 4x4, dilated by 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.graphs.graph import Graph
from demixer.graphs.onnx_writer import Model, Value

CHANNELS: Final = 2
FRAMES: Final = 512
BINS: Final = 1024
LEVELS: Final = 6
LEAK: Final = 0.2
BATCH_NORM_EPSILON: Final = 1e-3  # the default of Keras

#: Tensors with fewer values stay float32: the outer layers hold 1 % of the bytes and cause most rounding error.
SMALLEST_FP16: Final = 100_000

Weights = npt.NDArray[np.float32]
Network = Mapping[str, Weights]


def build(networks: Sequence[Network], *, half: bool) -> Model:
    """Build one graph that runs all networks on the same magnitudes.

    Parameters
    ----------
    networks : sequence of mappings of str to np.ndarray, float32
        Parameters of one U-Net a stem, by their names in the checkpoint.
    half : bool
        Store large weights as float16; the graph computes in float32 all the same.
    """
    graph = Graph("spleeter", opset=17)
    magnitude = graph.input("magnitude", (1, CHANNELS, FRAMES, BINS))
    shares = []
    for stem, network in enumerate(networks):
        with graph.scope(f"stem{stem}"):
            shares.append(_UNet(graph, network, half=half).share(magnitude))
    return graph.model({"share": graph.concat(*shares, axis=0)})


class _UNet:
    """Adds one network to a graph.

    Batch norm at inference is `scale * x + shift`. Every scale is positive, so it moves through the ReLU into the
    convolution before; the decoder's weights divide it out again where they take the encoder's skip connection, which
    is without it. A shift stays an addition, since moving it into the next, zero-padded convolution would change the
    borders.
    """

    def __init__(self, graph: Graph, network: Network, *, half: bool) -> None:
        self._graph = graph
        self._network = network
        self._half = half

    def share(self, magnitude: Value) -> Value:
        """The network's output for one stem."""
        graph, network = self._graph, self._network
        x = magnitude
        skips: list[tuple[Value, Weights]] = []  # output of an encoder's convolution, and the scale in it
        for level in range(1, LEVELS + 1):
            with graph.scope(f"down{level}"):
                kernel, bias = network[f"down{level}_conv.1.weight"], network[f"down{level}_conv.1.bias"]
                scale, shift = self._batch_norm(f"down{level}_act.0")
                if level == LEVELS:  # the innermost values are used before their batch norm
                    scale = np.ones_like(scale)
                weight = self._weights(kernel * scale[:, None, None, None], "weight")
                convolved = graph.conv(x, weight, self._weights(bias * scale, "bias"), stride=(2, 2), pads=(1, 1, 2, 2))
                skips.append((convolved, scale))
                if level < LEVELS:
                    x = graph.add("LeakyRelu", self._shifted(convolved, shift), alpha=LEAK)

        x, _ = skips.pop()
        for level in range(1, LEVELS + 1):
            with graph.scope(f"up{level}"):
                kernel, bias = network[f"up{level}.0.weight"], network[f"up{level}.0.bias"]
                scale, shift = self._batch_norm(f"up{level}.3")
                if level > 1:
                    skip, carried = skips.pop()
                    x = graph.concat(skip, x, axis=1)
                    kernel = kernel.copy()
                    kernel[: len(carried)] /= carried[:, None, None, None]
                weight = self._weights(kernel * scale[None, :, None, None], "weight")
                x = graph.conv_transpose(
                    x, weight, self._weights(bias * scale, "bias"), stride=(2, 2), pads=(1, 1, 2, 2)
                )
                x = self._shifted(graph.add("Relu", x), shift)

        with graph.scope("share"):
            weight = self._weights(network["up7.0.weight"], "weight")
            offset = self._weights(network["up7.0.bias"], "bias")
            logit = graph.conv(x, weight, offset, dilation=(2, 2), pads=(3, 3, 3, 3))
            return graph.add("Sigmoid", logit)

    def _batch_norm(self, name: str) -> tuple[Weights, Weights]:
        """Scale and shift of a trained batch norm [shape=(channels,) each].

        Raises
        ------
        ValueError
            When a scale is not positive, so that it cannot move through a ReLU.
        """
        network = self._network
        deviation = np.sqrt(network[f"{name}.running_var"] + np.float32(BATCH_NORM_EPSILON))
        scale = network[f"{name}.weight"] / deviation
        if not (scale > 0).all():
            raise ValueError(f"the batch norm {name} has a scale that is not positive")
        return scale, network[f"{name}.bias"] - network[f"{name}.running_mean"] * scale

    def _weights(self, array: Weights, role: str) -> Value:
        return self._graph.constant(array, role, half=self._half and array.size >= SMALLEST_FP16)

    def _shifted(self, x: Value, shift: Weights) -> Value:
        """Add one value for each channel."""
        return self._graph.plus(x, self._graph.constant(shift.reshape(1, -1, 1, 1), "shift"))
