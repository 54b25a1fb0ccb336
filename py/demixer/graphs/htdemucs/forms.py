"""Forms of the network: the same function, written for different devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from demixer.graphs.htdemucs.linear import FloatLinear, Int8Linear, Linear
from demixer.models import Precision


@dataclass(frozen=True)
class Form:
    """A way to write the network.

    Parameters
    ----------
    linear : Linear
        Form of the linear layers.
    tiles : bool
        3x3 convolutions with fewer multiplications, for processors.
    fused : bool
        onnxruntime's own operators for attention, which its WebGPU provider computes wrongly on some devices.
    dtype : str
        `float16` computes in it, except in normalisations and where sums are long.
    """

    linear: Linear
    tiles: bool = False
    fused: bool = False
    dtype: str = "float32"


FORMS: Final[dict[Precision, Form]] = {
    "default": Form(Int8Linear(), tiles=True, fused=True),
    "fp32": Form(FloatLinear()),
    "fp16": Form(FloatLinear(), dtype="float16"),
}
"""`fp32` computes the same as the reference in standard operators, all of which WebGPU has; `fp16` does so in float16,
except where values leave its range. `default` is small and fast on processors: linear layers with eight-bit weights,
multiplied in eight bits where that is safe, and 3x3 convolutions with fewer multiplications."""
