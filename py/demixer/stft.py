"""Short-time Fourier transform and its inverse: numpy only, float32 in and out, any leading axes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]
"""Complex spectrogram [shape=(..., bins, frames)]."""


@dataclass(frozen=True)
class STFT:
    """Transform with a periodic Hann window and frames centred on multiples of `hop`.

    The conventions are those of `torch.stft(center=True)` and `torch.istft`: `1 + n // hop` frames of n samples,
    and an inverse that divides by the overlap-added squared window (Griffin and Lim 1984), so that the spectrogram
    of a signal returns exactly that signal.

    Parameters
    ----------
    n_fft : int
        Samples in a frame, even.
    hop : int
        Samples between frames, at most a third of `n_fft`.
    normalized : bool
        Scale the transform by 1/sqrt(n_fft).
    padding : {"reflect", "zero"}
        Content of the half frame before the first sample and after the last.

    Examples
    --------
    >>> transform = STFT(n_fft=4096, hop=1024)
    >>> noise = np.random.default_rng(0).standard_normal((2, 44100)).astype(np.float32)
    >>> spectrum = transform.stft(noise)
    >>> spectrum.shape
    (2, 2049, 44)
    >>> bool(np.allclose(transform.istft(spectrum, 44100), noise, atol=1e-5))
    True
    """

    n_fft: int
    hop: int
    normalized: bool = False
    padding: Literal["reflect", "zero"] = "reflect"

    def __post_init__(self) -> None:
        if self.n_fft < 4 or self.n_fft % 2:
            raise ValueError(f"n_fft must be even and at least 4, not {self.n_fft}")
        if not 1 <= self.hop <= self.n_fft // 3:
            # With less overlap only the vanishing tail of a window covers the last samples: they cannot be restored.
            raise ValueError(f"hop must be from 1 to n_fft / 3 = {self.n_fft // 3}, not {self.hop}")

    @property
    def bins(self) -> int:
        """Number of bins, from 0 Hz to the Nyquist frequency inclusive."""
        return self.n_fft // 2 + 1

    def frames(self, length: int) -> int:
        """Number of frames of `length` samples."""
        return 1 + length // self.hop

    def stft(self, samples: Real) -> Spectrum:
        """Transform a signal.

        Parameters
        ----------
        samples : np.ndarray [shape=(..., n)], float32
            n >= 1; never modified.

        Returns
        -------
        np.ndarray [shape=(..., bins, frames)], complex64
            A view with the bins contiguous. A frame's values do not depend on the frames beside it.
        """
        half = self.n_fft // 2
        around = [(0, 0)] * (samples.ndim - 1) + [(half, half)]
        padded = np.pad(samples, around, mode="reflect" if self.padding == "reflect" else "constant")
        overlapping = frame(padded, self.n_fft, self.hop, self.frames(samples.shape[-1]))
        spectrum = np.fft.rfft(overlapping * self._analysis)
        return spectrum.astype(np.complex64, copy=False).swapaxes(-1, -2)

    def istft(self, spectrum: Spectrum, length: int) -> Real:
        """Invert the transform by weighted overlap-add, the least-squares inverse.

        Parameters
        ----------
        spectrum : np.ndarray [shape=(..., bins, frames)], complex64
            Never modified.
        length : int
            Samples to return; those beyond the last frame are zero.

        Returns
        -------
        np.ndarray [shape=(..., length)], float32
        """
        frames = np.ascontiguousarray(spectrum.swapaxes(-1, -2))
        windowed = np.fft.irfft(frames, self.n_fft).astype(np.float32, copy=False)
        windowed *= self._window
        signal = _overlap_add(windowed, self.hop)
        signal *= _gain(self, windowed.shape[-2])
        half = self.n_fft // 2
        kept = signal[..., half : half + length]
        missing = length - kept.shape[-1]
        return kept if missing == 0 else np.pad(kept, [(0, 0)] * (kept.ndim - 1) + [(0, missing)])

    @cached_property
    def _window(self) -> Real:
        phase = 2 * np.pi * np.arange(self.n_fft) / self.n_fft
        return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)

    @property
    def _scale(self) -> float:
        return float(self.n_fft**-0.5) if self.normalized else 1.0

    @cached_property
    def _analysis(self) -> Real:
        return self._window * np.float32(self._scale)


def frame(samples: Real, n_fft: int, hop: int, frames: int) -> Real:
    """Read-only view of frames that start `hop` apart [shape=(..., frames, n_fft)].

    Parameters
    ----------
    samples : np.ndarray [shape=(..., n)], float32
        n >= (frames - 1) * hop + n_fft.
    """
    # sliding_window_view would make a full view that exceeds the 2 GiB of an array in wasm32.
    step = samples.strides[-1]
    shape, strides = (*samples.shape[:-1], frames, n_fft), (*samples.strides[:-1], hop * step, step)
    return np.lib.stride_tricks.as_strided(samples, shape, strides, writeable=False)


@lru_cache(maxsize=8)
def _gain(convention: STFT, frames: int) -> Real:
    """Inverse of the scale and the overlap-added squared window of that many frames [shape=(n,)]."""
    squares = np.broadcast_to(convention._window**2, (frames, convention.n_fft))
    envelope = _overlap_add(squares, convention.hop)
    # Only the outermost samples, which are padding and are cut off, have almost no window over them.
    return np.reciprocal(convention._scale * np.maximum(envelope, np.float32(1e-8)), dtype=np.float32)


def _overlap_add(frames: Real, hop: int) -> Real:
    """Sum frames [shape=(..., frames, n_fft)] that start `hop` apart [shape=(..., (frames - 1) * hop + n_fft)].

    Adds one hop of all frames at a time, which fixes the order of a sample's summands.
    """
    count, n_fft = frames.shape[-2:]
    pieces = -(-n_fft // hop)
    total = np.zeros((*frames.shape[:-2], count + pieces - 1, hop), np.float32)
    for piece in range(pieces):
        part = frames[..., piece * hop : (piece + 1) * hop]
        total[..., piece : piece + count, : part.shape[-1]] += part
    return total.reshape(*frames.shape[:-2], -1)[..., : (count - 1) * hop + n_fft]
