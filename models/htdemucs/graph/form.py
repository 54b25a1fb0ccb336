"""Forms of the network: the same function, written for different devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from demixer.models import Precision

from .linear import FloatLinear, Int8Linear, Linear


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
    half : bool
        float16 except in normalisations.
    """

    linear: Linear
    tiles: bool = False
    fused: bool = False
    half: bool = False


FORMS: Final[dict[Precision, Form]] = {
    "default": Form(Int8Linear(), tiles=True, fused=True),
    "fp32": Form(FloatLinear()),
    "fp16": Form(FloatLinear(), half=True),
}
