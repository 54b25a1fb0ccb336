"""Audio that the pipeline reads and writes: float32 samples [channels, n] at a rate in Hz."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from demixer.errors import AudioError

#: Samples of one signal [shape=(channels, n)] or of several stems [shape=(stems, channels, n)].
Samples = npt.NDArray[np.float32]

_Number = TypeVar("_Number", bound=np.generic)

RATES: Final = (8_000, 192_000)
MAX_CHANNELS: Final = 8


class Source(Protocol):
    """Audio that can be read in any order."""

    @property
    def rate(self) -> int:
        """Sample rate in Hz."""
        ...

    @property
    def channels(self) -> int: ...

    @property
    def length(self) -> int:
        """Samples of one channel."""
        ...

    async def read(self, start: int, stop: int) -> Samples:
        """Samples `start` to `stop` [shape=(channels, stop - start)], 0 <= start <= stop <= length."""
        ...


class Sink(Protocol):
    """Destination of finished stem samples, which arrive in order and without gaps."""

    async def write(self, start: int, stems: Samples) -> None:
        """Take the samples from `start` on [shape=(stems, channels, n)]; the array becomes the sink's."""
        ...


def interleave(samples: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    """Transpose samples [shape=(channels, n)] to frames [shape=(n, channels)], the order of files and JavaScript.

    Copies channel by channel, since numpy in wasm takes ten times as long for the transposed view.
    """
    frames = np.empty(samples.shape[::-1], samples.dtype)
    for channel, values in enumerate(samples):
        frames[:, channel] = values
    return frames


def deinterleave(frames: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    """Transpose frames [shape=(n, channels)] to samples [shape=(channels, n)] in memory of their own."""
    samples = np.empty(frames.shape[::-1], frames.dtype)
    for channel, values in enumerate(samples):
        values[:] = frames[:, channel]
    return samples


def check_format(rate: int, channels: int, length: int) -> None:
    """Refuse audio that cannot be separated.

    Raises
    ------
    AudioError
        `audio/empty` without samples, `audio/unsupported` outside 8 to 192 kHz or 1 to 8 channels.
    """
    if length < 1 or channels < 1:
        raise AudioError(
            "audio/empty", "The file holds no audio.", "Check that it plays elsewhere, then choose it again."
        )
    low, high = RATES
    if not low <= rate <= high:
        raise AudioError(
            "audio/unsupported",
            f"The sample rate is {rate} Hz; {low} to {high} Hz can be separated.",
            "Convert the file to 44.1 or 48 kHz.",
        )
    if channels > MAX_CHANNELS:
        raise AudioError(
            "audio/unsupported",
            f"The file has {channels} channels; up to {MAX_CHANNELS} can be separated.",
            "Mix it down to stereo.",
        )


def check_finite(samples: Samples) -> None:
    """Refuse NaN and infinity, which would spread over a whole segment; raises `audio/not-finite`."""
    if not np.isfinite(samples).all():
        raise AudioError(
            "audio/not-finite",
            "The file contains samples that are not numbers.",
            "Export it again from the program that made it, as 24-bit WAV for example.",
        )


@dataclass(frozen=True)
class Clip:
    """Audio in memory: a `Source`.

    Parameters
    ----------
    samples : np.ndarray [shape=(channels, n)], float32
    rate : int
        Sample rate in Hz.
    """

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise ValueError("samples must be float32 [channels, n]")
        check_format(self.rate, self.channels, self.length)

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])

    @property
    def length(self) -> int:
        return int(self.samples.shape[1])

    async def read(self, start: int, stop: int) -> Samples:
        return self.samples[:, start:stop]


class Collected:
    """Stems collected in memory: a `Sink`.

    Parameters
    ----------
    stems, channels, length : int
        Shape of `samples`, the array to fill.
    """

    def __init__(self, stems: int, channels: int, length: int) -> None:
        self.samples: Samples = np.zeros((stems, channels, length), np.float32)
        self.written = 0

    async def write(self, start: int, stems: Samples) -> None:
        if start != self.written:
            raise ValueError(f"expected samples from {self.written}, got {start}")
        self.written = start + stems.shape[-1]
        self.samples[..., start : self.written] = stems
