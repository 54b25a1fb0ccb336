"""Float samples as those of a file: rounded, dithered, clipped rather than wrapped, and laid out as encoders take them.

The dither has a triangular density of two steps' width: it makes mean and variance of the rounding error independent
of the music (Lipshitz, Wannamaker and Vanderkooy, "Quantization and dither: a theoretical survey", JAES 1992).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from demixer.audio import Samples, Source, interleave

Bytes = npt.NDArray[np.uint8]
Steps = npt.NDArray[np.int32]
Layout = Literal["float", "packed16", "packed24", "wide16", "wide24", "planar16"]

#: Only here does rounding come anywhere near what can be heard.
DITHERED_BITS: Final = 16


class Quantiser:
    """Rounds a stream of samples to whole steps.

    Parameters
    ----------
    bits : int
        Of a step: full scale is 2 to the power of `bits - 1`.
    seed : int
        Of the dither; files that are heard together need different ones, or their noise adds up.
    """

    def __init__(self, bits: int, seed: int) -> None:
        self.clipped = 0
        self._scale = 2 ** (bits - 1)
        self._noise = np.random.default_rng(seed) if bits == DITHERED_BITS else None

    def push(self, samples: Samples) -> Steps:
        """Take the next samples [shape=(channels, n)], give their steps; counts in `clipped` what does not fit."""
        scaled = samples * np.float64(self._scale)
        beyond = (scaled > self._scale) | (scaled < -self._scale)
        self.clipped += int(np.count_nonzero(beyond))
        if self._noise is not None:
            scaled += self._noise.random(samples.shape) - self._noise.random(samples.shape)
        return np.clip(np.rint(scaled), -self._scale, self._scale - 1).astype(np.int32)


class Rendering:
    """A `Source` as the bytes that an encoder takes, to be read from its beginning to its end.

    Parameters
    ----------
    source : Source
    layout : str
        `float`: interleaved float32. `packed16`, `packed24`: interleaved, little-endian, as in a WAV file. `wide16`,
        `wide24`: interleaved in the upper bits of an int32. `planar16`: int16, one channel after the other.
    seed : int
        Of the dither.
    """

    def __init__(self, source: Source, layout: Layout, seed: int) -> None:
        self._source = source
        self._lay = _LAYOUTS[layout]
        self._quantiser = None if layout == "float" else Quantiser(int(layout[-2:]), seed)

    @property
    def clipped(self) -> int:
        """Samples so far that were beyond full scale and are not any longer."""
        return self._quantiser.clipped if self._quantiser else 0

    async def read(self, start: int, stop: int) -> Bytes:
        """The bytes of samples `start` to `stop`."""
        samples = await self._source.read(start, stop)
        return self._lay(samples if self._quantiser is None else self._quantiser.push(samples))


def _packed24(steps: Steps) -> Bytes:
    return np.ascontiguousarray(_bytes(interleave(steps).astype("<i4", copy=False)).reshape(-1, 4)[:, :3]).ravel()


def _bytes(values: npt.NDArray[np.generic]) -> Bytes:
    return np.ascontiguousarray(values).ravel().view(np.uint8)


_LAYOUTS: Final[dict[Layout, Callable[..., Bytes]]] = {
    "float": lambda samples: _bytes(interleave(samples).astype("<f4", copy=False)),
    "packed16": lambda steps: _bytes(interleave(steps).astype("<i2")),
    "packed24": _packed24,
    "wide16": lambda steps: _bytes(interleave(steps) << 16),
    "wide24": lambda steps: _bytes(interleave(steps) << 8),
    "planar16": lambda steps: _bytes(steps.astype("<i2")),
}
