"""Converts the published checkpoints of Spleeter's two stems to one ONNX graph.

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

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from demixer_build import weights as storage
from demixer_build.torch_checkpoint import read_checkpoint

CHECKPOINTS: Final = ("testcheckpoint0.ckpt", "testcheckpoint1.ckpt")  # vocals, accompaniment
CHANNELS: Final = 2
FRAMES: Final = 512
BINS: Final = 1024
LEVELS: Final = 6
LEAK: Final = 0.2
BATCH_NORM_EPSILON: Final = 1e-3  # the default of Keras

#: Tensors with fewer values stay float32: the outer layers hold 1 % of the bytes and cause most rounding error.
SMALLEST_FP16: Final = 100_000

OPSET: Final = 17
IR_VERSION: Final = 8

Weights = npt.NDArray[np.float32]


def convert(weights: Path, output: Path) -> None:
    """Build the graph and write it in both precisions.

    Parameters
    ----------
    weights : Path
        Folder with the two files of `CHECKPOINTS`.
    output : Path
        Folder for `default.onnx` (weights stored as float16, computed in float32) and `fp32.onnx`.
    """
    networks = []
    for name in CHECKPOINTS:
        print(f"Spleeter: reading {name}", flush=True)
        networks.append(read_checkpoint(weights / name))
    print("Spleeter: writing default.onnx and fp32.onnx", flush=True)
    model = build(networks)
    stored = storage.store_fp16(model, SMALLEST_FP16)
    storage.check(stored, model)
    storage.save(stored, output / "default.onnx")
    storage.save(model, output / "fp32.onnx")


def build(networks: list[dict[str, Weights]]) -> onnx.ModelProto:
    """Build one graph that runs all networks on the same magnitudes.

    Parameters
    ----------
    networks : list of dict of str to np.ndarray
        Parameters of one U-Net a stem, by their names in the checkpoint.
    """
    graph = Graph()
    shares = [unet(graph, f"stem{stem}", "magnitude", network) for stem, network in enumerate(networks)]
    graph.node("Concat", shares, "share", axis=0)
    return graph.model(
        "spleeter",
        {"magnitude": [1, CHANNELS, FRAMES, BINS]},
        {"share": [len(networks), CHANNELS, FRAMES, BINS]},
    )


def unet(graph: Graph, name: str, magnitude: str, network: dict[str, Weights]) -> str:
    """Add one U-Net to the graph, and return the name of its output.

    Batch norm at inference is `scale * x + shift`. Every scale is positive, so it moves through the ReLU into the
    convolution before; the decoder's weights divide it out again where they take the encoder's skip connection, which
    is without it. A shift stays an addition, since moving it into the next, zero-padded convolution would change the
    borders.
    """
    signal = magnitude
    skips: list[Skip] = []
    for level in range(1, LEVELS + 1):
        kernel, bias = network[f"down{level}_conv.1.weight"], network[f"down{level}_conv.1.bias"]
        scale, shift = batch_norm(network, f"down{level}_act.0")
        if level == LEVELS:  # the innermost values are used before their batch norm
            scale = np.ones_like(scale)
        here = f"{name}.down{level}"
        convolved = graph.convolve(here, signal, kernel * scale[:, None, None, None], bias * scale)
        skips.append(Skip(convolved, scale))
        if level < LEVELS:
            signal = graph.node("Add", [convolved, graph.channels(f"{here}.shift", shift)], f"{here}.normalised")
            signal = graph.node("LeakyRelu", [signal], f"{here}.activated", alpha=LEAK)

    signal = skips.pop().name
    for level in range(1, LEVELS + 1):
        kernel, bias = network[f"up{level}.0.weight"], network[f"up{level}.0.bias"]
        scale, shift = batch_norm(network, f"up{level}.3")
        here = f"{name}.up{level}"
        if level > 1:
            skip = skips.pop()
            signal = graph.node("Concat", [skip.name, signal], f"{here}.joined", axis=1)
            kernel = kernel.copy()
            kernel[: len(skip.scale)] /= skip.scale[:, None, None, None]
        signal = graph.deconvolve(here, signal, kernel * scale[None, :, None, None], bias * scale)
        signal = graph.node("Relu", [signal], f"{here}.activated")
        signal = graph.node("Add", [signal, graph.channels(f"{here}.shift", shift)], f"{here}.normalised")

    signal = graph.node(
        "Conv",
        [
            signal,
            graph.weights(f"{name}.share.weight", network["up7.0.weight"]),
            graph.weights(f"{name}.share.bias", network["up7.0.bias"]),
        ],
        f"{name}.share.logit",
        kernel_shape=[4, 4],
        dilations=[2, 2],
        pads=[3, 3, 3, 3],
    )
    return graph.node("Sigmoid", [signal], f"{name}.share")


class Skip(NamedTuple):
    """Output of an encoder's convolution, which contains the batch norm's scale [shape=(channels,)]."""

    name: str
    scale: Weights


def batch_norm(network: dict[str, Weights], name: str) -> tuple[Weights, Weights]:
    """Scale and shift of a trained batch norm [shape=(channels,) each].

    Raises
    ------
    ValueError
        When a scale is not positive, so that it cannot move through a ReLU.
    """
    deviation = np.sqrt(network[f"{name}.running_var"] + np.float32(BATCH_NORM_EPSILON))
    scale = network[f"{name}.weight"] / deviation
    if not (scale > 0).all():
        raise ValueError(f"the batch norm {name} has a scale that is not positive")
    return scale, network[f"{name}.bias"] - network[f"{name}.running_mean"] * scale


class Graph:
    """Collects nodes and weights; every method returns the name of the tensor that it adds."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[TensorProto] = []

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def weights(self, name: str, values: Weights) -> str:
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def channels(self, name: str, values: Weights) -> str:
        """One value a channel, in a shape that broadcasts over frames and bins."""
        return self.weights(name, values.reshape(1, -1, 1, 1))

    def convolve(self, name: str, signal: str, kernel: Weights, bias: Weights) -> str:
        """Halve frames and bins."""
        return self._halving("Conv", name, signal, kernel, bias)

    def deconvolve(self, name: str, signal: str, kernel: Weights, bias: Weights) -> str:
        """Double frames and bins: the transpose of `convolve`."""
        return self._halving("ConvTranspose", name, signal, kernel, bias)

    def _halving(self, operator: str, name: str, signal: str, kernel: Weights, bias: Weights) -> str:
        return self.node(
            operator,
            [signal, self.weights(f"{name}.weight", kernel), self.weights(f"{name}.bias", bias)],
            f"{name}.convolved",
            kernel_shape=[5, 5],
            strides=[2, 2],
            pads=[1, 1, 2, 2],
        )

    def model(self, name: str, inputs: dict[str, list[int]], outputs: dict[str, list[int]]) -> onnx.ModelProto:
        graph = helper.make_graph(self._nodes, name, _described(inputs), _described(outputs), self._weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        model.producer_name = "demixer"
        return model


def _described(tensors: dict[str, list[int]]) -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in tensors.items()]
