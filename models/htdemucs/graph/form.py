"""The forms that the network is written in: the same function, for devices that are good at different things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from demixer.models import Precision

from .linear import FloatLinear, Int8Linear, Linear


@dataclass(frozen=True)
class Form:
    """One way to write the network."""

    linear: Linear
    tiles: bool = False
    """3x3 convolutions with fewer multiplications, which GPUs have enough of."""
    fused: bool = False
    """With onnxruntime's own operators for attention, which its WebGPU runtime does not compute rightly everywhere."""
    half: bool = False
    """In float16, but for normalisations."""


FORMS: Final[dict[Precision, Form]] = {
    "default": Form(Int8Linear(), tiles=True, fused=True),
    "fp32": Form(FloatLinear()),
    "fp16": Form(FloatLinear(), half=True),
}
