"""Float samples as an encoder takes them: rounded to whole steps, dithered, clipped, and laid out in bytes.

The dither has a triangular density two steps wide, which makes the mean and variance of the rounding error independent
of the music (Lipshitz, Wannamaker and Vanderkooy, "Quantization and dither: a theoretical survey", JAES 1992).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from demixer.audio import Samples, Source, interleave

Bytes = npt.NDArray[np.uint8]
Steps = npt.NDArray[np.int32]
Layout = Literal["float", "packed16", "packed24", "wide16", "wide24", "planar16"]

#: Resolution that is dithered: at 24 bits the rounding error is far below anything audible.
DITHERED_BITS: Final = 16


class Quantiser:
    """Rounds a stream of samples to whole steps.

    Parameters
    ----------
    bits : int
        Resolution: full scale is `2 ** (bits - 1)` steps.
    seed : int
        Seed of the dither. Files that are played together need different ones, or their noise adds up.
    """

    def __init__(self, bits: int, seed: int) -> None:
        self.clipped = 0
        self._scale = 2 ** (bits - 1)
        self._noise = np.random.default_rng(seed) if bits == DITHERED_BITS else None

    def push(self, samples: Samples) -> Steps:
        """Quantise the next samples [shape=(channels, n)], and count those beyond full scale in `clipped`."""
        scaled = samples * np.float64(self._scale)
        beyond = (scaled > self._scale) | (scaled < -self._scale)
        self.clipped += int(np.count_nonzero(beyond))
        if self._noise is not None:
            scaled += self._noise.random(samples.shape) - self._noise.random(samples.shape)
        return np.clip(np.rint(scaled), -self._scale, self._scale - 1).astype(np.int32)


class Rendering:
    """A `Source` as the bytes that an encoder takes, read from beginning to end.

    Parameters
    ----------
    source : Source
    layout : str
        `float`: interleaved float32. `packed16`, `packed24`: interleaved, little-endian, as in a WAV file. `wide16`,
        `wide24`: interleaved in the upper bits of an int32. `planar16`: int16, one channel after the other.
    seed : int
        Seed of the dither.
    """

    def __init__(self, source: Source, layout: Layout, seed: int) -> None:
        form = _FORMS[layout]
        self._source = source
        self._pack = form.pack
        self._hashed = form.hashed
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._quantiser = None if form.bits is None else Quantiser(form.bits, seed)

    @property
    def clipped(self) -> int:
        """Number of samples clipped to full scale so far."""
        return self._quantiser.clipped if self._quantiser else 0

    @property
    def digest(self) -> str:
        """MD5 of the samples so far, in hexadecimal: of their bytes as in a WAV file, which FLAC keeps in its header.

        That of nothing for layouts that FLAC does not take.
        """
        return self._md5.hexdigest()

    async def read(self, start: int, stop: int) -> Bytes:
        """The bytes of samples `start` to `stop`."""
        samples = await self._source.read(start, stop)
        if self._quantiser is None:
            return self._pack(samples)
        steps = self._quantiser.push(samples)
        if self._hashed:
            self._md5.update(self._hashed(steps).data)
        return self._pack(steps)


def _bytes(values: npt.NDArray[np.generic]) -> Bytes:
    return np.ascontiguousarray(values).ravel().view(np.uint8)


def _pack_float(samples: Samples) -> Bytes:
    return _bytes(interleave(samples).astype("<f4", copy=False))


def _pack_16(steps: Steps) -> Bytes:
    return _bytes(interleave(steps).astype("<i2"))


def _pack_24(steps: Steps) -> Bytes:
    four_bytes = _bytes(interleave(steps).astype("<i4", copy=False)).reshape(-1, 4)
    return np.ascontiguousarray(four_bytes[:, :3]).ravel()


def _widen_16(steps: Steps) -> Bytes:
    return _bytes(interleave(steps) << 16)


def _widen_24(steps: Steps) -> Bytes:
    return _bytes(interleave(steps) << 8)


def _pack_planes(steps: Steps) -> Bytes:
    return _bytes(steps.astype("<i2"))


@dataclass(frozen=True)
class _Form:
    """Resolution of a layout, None for float samples; what packs samples or steps, and steps for the hash."""

    bits: int | None
    pack: Callable[[Any], Bytes]
    hashed: Callable[[Steps], Bytes] | None = None


_FORMS: Final[dict[Layout, _Form]] = {
    "float": _Form(None, _pack_float),
    "packed16": _Form(16, _pack_16),
    "packed24": _Form(24, _pack_24),
    "wide16": _Form(16, _widen_16, _pack_16),
    "wide24": _Form(24, _widen_24, _pack_24),
    "planar16": _Form(16, _pack_planes),
}
