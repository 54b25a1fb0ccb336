"""Stores the weights of a graph in half the bytes.

Large float32 initialisers are stored as float16 with a Cast to float32 behind them. The runtime folds the casts when it
creates the session, so that the download halves and a run costs the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

#: Number of values from which a tensor is worth a node; scales, biases and shapes have fewer.
LARGE: Final = 256
#: Relative error of rounding to the 11 significant bits of float16; a larger one means values out of range.
ROUNDING: Final = 2.0**-11

Weights = npt.NDArray[np.float32]


def store_fp16(model: onnx.ModelProto, smallest: int = LARGE) -> onnx.ModelProto:
    """Store the large float32 initialisers of a graph as float16.

    Tensor `w` becomes the initialiser `w.fp16` and a Cast to `w`; names, inputs, outputs and all other nodes stay.

    Parameters
    ----------
    model : onnx.ModelProto
        Never modified.
    smallest : int
        Tensors with fewer values stay float32.

    Returns
    -------
    onnx.ModelProto
        Computes in float32 as before. Tensors that float16 cannot represent (see `fits_fp16`) stay float32.
    """
    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    graph = stored.graph
    inputs = {value.name for value in graph.input}  # an initialiser that is also an input may be overridden

    kept: list[TensorProto] = []
    casts: list[onnx.NodeProto] = []
    for tensor in graph.initializer:
        if tensor.name in inputs or not _is_large_fp32(tensor, smallest):
            kept.append(tensor)
            continue
        weights = numpy_helper.to_array(tensor)
        if not fits_fp16(weights):
            kept.append(tensor)
            continue
        half = f"{tensor.name}.fp16"
        kept.append(numpy_helper.from_array(weights.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [tensor.name], f"{half}.cast", to=TensorProto.FLOAT))

    nodes = [*casts, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return stored


def fits_fp16(weights: npt.NDArray[Any]) -> bool:
    """True when float16 represents a tensor to its 11 significant bits.

    False when values overflow to infinity, or when so many are so small that subnormal numbers and zeros cost more than
    rounding. A few tiny values among large ones do no harm.
    """
    with np.errstate(over="ignore", under="ignore"):
        half = weights.astype(np.float16).astype(np.float64)
    if not np.isfinite(half).all():
        return False
    return bool(np.linalg.norm(half - weights) <= ROUNDING * np.linalg.norm(weights.astype(np.float64)))


def load_weights(model: onnx.ModelProto) -> dict[str, Weights]:
    """Every float32 tensor that the graph computes with, by name; those stored as float16 are cast."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    cast = {
        node.output[0]: tensors[node.input[0]].astype(np.float32)
        for node in model.graph.node
        if node.op_type == "Cast" and node.input[0] in tensors and tensors[node.input[0]].dtype == np.float16
    }
    return {name: array for name, array in tensors.items() if array.dtype == np.float32} | cast


def check(stored: onnx.ModelProto, original: onnx.ModelProto) -> None:
    """Check that a stored graph is valid and has the weights of the original one.

    Raises
    ------
    ValueError
        When a weight is missing or differs by more than float16 rounding.
    onnx.checker.ValidationError
        When the graph is invalid.
    """
    onnx.checker.check_model(stored)
    found = load_weights(stored)
    for name, weights in load_weights(original).items():
        if name not in found:
            raise ValueError(f"weight {name} is missing")
        error = np.linalg.norm(found[name].astype(np.float64) - weights)
        if not error <= ROUNDING * np.linalg.norm(weights.astype(np.float64)):
            raise ValueError(f"weight {name} differs by {error:.3g}")


def save(model: onnx.ModelProto, path: Path) -> None:
    """Validate a graph and write it, with the same bytes every time."""
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _is_large_fp32(tensor: TensorProto, smallest: int) -> bool:
    return tensor.data_type == TensorProto.FLOAT and int(np.prod(tensor.dims, dtype=np.int64)) >= smallest
