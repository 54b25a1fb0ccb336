"""Tiny graphs with known answers: for measuring a device, and for testing the engine without a real model.

Both multiply by a Hadamard matrix, which is its own inverse: an even number of products gives the input back, whatever
the device, while there is no way around computing them.

    python models/testing/make.py FOLDER
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from demixer.families.spleeter import BINS, FRAMES
from demixer_build.weights import save, store_fp16

#: Shape of the probe's input `x` and of its output `y`, which are equal; `web/engine/probe.js` knows it too.
PROBE_SHAPE: Final = (1024, 256)
PROBE_PRODUCTS: Final = 16
#: Operations in one run of the probe: what the engine divides by the seconds it took.
PROBE_FLOPS: Final = 2 * PROBE_PRODUCTS * PROBE_SHAPE[0] * PROBE_SHAPE[1] ** 2

#: What the echo gives as the share of each of its two stems, everywhere.
ECHO_SHARES: Final = (0.6, 0.8)
#: What of the mixture the stems are then: the shares' squares, which sum to one.
ECHO_GAINS: Final = (0.36, 0.64)
_ECHO_BLOCK: Final = 16

Constants = dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int64]]


def write(folder: Path) -> None:
    """Write `probe.onnx` and `echo.onnx`, the same bytes every time."""
    save(store_fp16(probe()), folder / "probe.onnx")
    save(store_fp16(echo()), folder / "echo.onnx")


def probe() -> onnx.ModelProto:
    """A chain of matrix products, `y = x`: 2.1 GFLOP on 1 MB of input, so that it takes well under a second."""
    names = ["x", *(f"product{index}" for index in range(1, PROBE_PRODUCTS)), "y"]
    products = [helper.make_node("MatMul", [before, "hadamard"], [after]) for before, after in pairwise(names)]
    return _model("probe", products, ("x", PROBE_SHAPE), ("y", PROBE_SHAPE), {"hadamard": hadamard(PROBE_SHAPE[1])})


def echo() -> onnx.ModelProto:
    """Spleeter's inputs and outputs without its networks: every stem is the mixture times one of `ECHO_GAINS`.

    The share is `gain * (transformed twice + 1) / (magnitude + 1)`, so that a device which computes the products
    wrongly, or gives back zeros, gives wrong stems.
    """
    magnitude, blocks = (1, 2, FRAMES, BINS), (1, 2, FRAMES * BINS // _ECHO_BLOCK, _ECHO_BLOCK)
    nodes = [
        helper.make_node("Reshape", ["magnitude", "blocks"], ["blocked"]),
        helper.make_node("MatMul", ["blocked", "hadamard"], ["once"]),
        helper.make_node("MatMul", ["once", "hadamard"], ["twice"]),
        helper.make_node("Reshape", ["twice", "whole"], ["transformed"]),
        helper.make_node("Add", ["transformed", "one"], ["numerator"]),
        helper.make_node("Add", ["magnitude", "one"], ["denominator"]),
        helper.make_node("Div", ["numerator", "denominator"], ["unity"]),
        helper.make_node("Mul", ["unity", "shares"], ["share"]),
    ]
    constants: Constants = {
        "blocks": np.array(blocks, np.int64),
        "whole": np.array(magnitude, np.int64),
        "hadamard": hadamard(_ECHO_BLOCK),
        "one": np.array(1, np.float32),
        "shares": np.array(ECHO_SHARES, np.float32).reshape(-1, 1, 1, 1),
    }
    share = (len(ECHO_SHARES), *magnitude[1:])
    return _model("echo", nodes, ("magnitude", magnitude), ("share", share), constants)


def hadamard(size: int) -> npt.NDArray[np.float32]:
    """Sylvester's Hadamard matrix, scaled to be its own inverse (exact in float16 when `size` is a power of four)."""
    matrix = np.ones((1, 1), np.float32)
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.float32(size**0.5)


def _model(
    name: str,
    nodes: list[onnx.NodeProto],
    given: tuple[str, tuple[int, ...]],
    gives: tuple[str, tuple[int, ...]],
    constants: Constants,
) -> onnx.ModelProto:
    inputs, outputs = (
        [helper.make_tensor_value_info(tensor, TensorProto.FLOAT, shape)] for tensor, shape in (given, gives)
    )
    initialisers = [numpy_helper.from_array(array, tensor) for tensor, array in constants.items()]
    graph = helper.make_graph(nodes, name, inputs, outputs, initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


if __name__ == "__main__":
    write(Path(sys.argv[1]))
