"""Sample rate conversion with linear phase and no lag, whose bits do not depend on how a song is cut into blocks.

The filter is a Kaiser-windowed sinc (Kaiser 1974), flat up to 0.95 of the lower Nyquist frequency and 120 dB down from
there on, and runs as a fast convolution. With `from_rate / to_rate` in lowest terms as `down / up`, every `down` input
samples become `up` output samples: the spectrum of a block of such chunks, weighted and cut or extended, is the
spectrum of the converted block (overlap-save with a change of rate). Any pair of rates works without a table of filter
phases, and a sample costs a few dozen operations instead of one for each of the filter's 300 taps. Blocks lie on a
fixed grid of the output.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil, gcd
from typing import Final

import numpy as np

from demixer.audio import Samples, Source

PASSBAND: Final = 0.95
ATTENUATION: Final = 120.0
"""In dB; both bands. The passband ripple that follows is 1e-5 dB."""

_SHORTEST_BLOCK: Final = 16_384


@dataclass(frozen=True)
class Conversion:
    """Converts blocks of samples from one rate to another, for `Resampled` and `Resampler`.

    Output block b, samples `b * step_out` to `(b + 1) * step_out`, needs the input samples `b * step_in - margin`
    to `(b + 1) * step_in + margin`.
    """

    from_rate: int
    to_rate: int

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle only the two rates, which keeps the filter out of resume points."""
        return conversion, (self.from_rate, self.to_rate)

    @property
    def margin(self) -> int:
        """Input samples that a block needs on each side."""
        return self._margin_chunks * self._down

    @cached_property
    def step_in(self) -> int:
        """Input samples from block to block."""
        return self._step_chunks * self._down

    @cached_property
    def step_out(self) -> int:
        """Output samples from block to block."""
        return self._step_chunks * self._up

    def run(self, samples: Samples, blocks: int) -> Samples:
        """Convert consecutive blocks.

        Parameters
        ----------
        samples : np.ndarray [shape=(..., n)], float32
            From `margin` before the first block on, n >= blocks * step_in + 2 * margin.
        blocks : int

        Returns
        -------
        np.ndarray [shape=(..., blocks * step_out)], float32
        """
        length_in, length_out = self._block_chunks * self._down, self._block_chunks * self._up
        skip = self._margin_chunks * self._up
        converted = np.empty((*samples.shape[:-1], blocks * self.step_out), np.float32)
        for block in range(blocks):
            start = block * self.step_in
            spectrum = np.fft.rfft(samples[..., start : start + length_in])[..., : self._response.size]
            wave = np.fft.irfft(spectrum * self._response, length_out)
            converted[..., block * self.step_out :][..., : self.step_out] = wave[..., skip : skip + self.step_out]
        return converted

    @cached_property
    def _down(self) -> int:
        return self.from_rate // gcd(self.from_rate, self.to_rate)

    @cached_property
    def _up(self) -> int:
        return self.to_rate // gcd(self.from_rate, self.to_rate)

    @cached_property
    def _reach(self) -> int:
        """Half the filter's length, at the higher of the two rates."""
        low, high = sorted((self.from_rate, self.to_rate))
        transition = (1 - PASSBAND) / 2 * low / high
        return ceil((ATTENUATION - 7.95) / (14.36 * transition) / 2)

    @cached_property
    def _margin_chunks(self) -> int:
        return -(-self._reach // max(self._up, self._down))

    @cached_property
    def _block_chunks(self) -> int:
        enough = max(3 * self._margin_chunks, _SHORTEST_BLOCK // max(self._up, self._down))
        return 1 << (enough - 1).bit_length()

    @property
    def _step_chunks(self) -> int:
        return self._block_chunks - 2 * self._margin_chunks

    @cached_property
    def _response(self) -> Samples:
        """Weight of each bin that both spectra share; real, since the filter is symmetric."""
        low, high = sorted((self.from_rate, self.to_rate))
        cutoff = (1 + PASSBAND) / 2 * low / high
        taps = np.sinc(cutoff * np.arange(-self._reach, self._reach + 1))
        taps *= np.kaiser(taps.size, 0.1102 * (ATTENUATION - 8.7))
        taps /= taps.sum()
        centred = np.zeros(self._block_chunks * max(self._up, self._down))
        centred[: self._reach + 1] = taps[self._reach :]
        centred[-self._reach :] = taps[: self._reach]
        shared = self._block_chunks * min(self._up, self._down) // 2 + 1
        response = np.fft.rfft(centred).real[:shared] * (self._up / self._down)
        return response.astype(np.float32)


@lru_cache(maxsize=8)
def conversion(from_rate: int, to_rate: int) -> Conversion:
    """The conversion between two rates in Hz, cached."""
    return Conversion(from_rate, to_rate)


class Resampled:
    """A `Source` at another rate, converted on reading; zero beyond the song's ends.

    Parameters
    ----------
    source : Source
    rate : int
        In Hz; the source's own rate leaves the samples untouched.
    """

    def __init__(self, source: Source, rate: int) -> None:
        self._source = source
        self.rate = rate
        self.channels = source.channels
        self.length = -(-source.length * rate // source.rate)

    async def read(self, start: int, stop: int) -> Samples:
        """Samples `start` to `stop` [shape=(channels, stop - start)]; their bits do not depend on earlier reads."""
        source = self._source
        if self.rate == source.rate:
            return await source.read(start, stop)
        kernel = conversion(source.rate, self.rate)
        first, end = start // kernel.step_out, -(-stop // kernel.step_out)
        needed = first * kernel.step_in - kernel.margin, end * kernel.step_in + kernel.margin
        converted = kernel.run(await _read_extended(source, *needed), end - first)
        return converted[:, start - first * kernel.step_out : stop - first * kernel.step_out]


class Resampler:
    """Converts a stream of samples to another rate.

    Parameters
    ----------
    from_rate, to_rate : int
        In Hz.
    length : int
        Total number of samples to return.
    """

    def __init__(self, from_rate: int, to_rate: int, length: int) -> None:
        self._kernel = None if from_rate == to_rate else conversion(from_rate, to_rate)
        self._pending: Samples | None = None
        self._missing = length

    def push(self, samples: Samples) -> Samples:
        """Take the next samples [shape=(..., n)] and return the finished ones [shape=(..., m)]."""
        if self._kernel is None:
            self._pending = samples[..., :0].copy()  # not a view, which would keep all the samples
            return self._deliver(samples)
        kernel = self._kernel
        before = _silence(samples, kernel.margin) if self._pending is None else self._pending
        pending = np.concatenate([before, samples], axis=-1)
        blocks = max(0, pending.shape[-1] - 2 * kernel.margin) // kernel.step_in
        self._pending = pending[..., blocks * kernel.step_in :].copy()
        return self._deliver(kernel.run(pending, blocks))

    def finish(self) -> Samples:
        """Return the remaining samples, as if silence followed the last one pushed."""
        if self._pending is None:
            raise ValueError("nothing was pushed")
        if self._kernel is None:
            return self._deliver(_silence(self._pending, self._missing))
        kernel = self._kernel
        blocks = -(-self._missing // kernel.step_out)
        after = _silence(self._pending, blocks * kernel.step_in + 2 * kernel.margin)
        return self._deliver(kernel.run(np.concatenate([self._pending, after], axis=-1), blocks))

    def _deliver(self, finished: Samples) -> Samples:
        finished = finished[..., : self._missing]
        self._missing -= finished.shape[-1]
        return finished


def _silence(like: Samples, length: int) -> Samples:
    return np.zeros((*like.shape[:-1], length), np.float32)


async def _read_extended(source: Source, start: int, stop: int) -> Samples:
    """Samples `start` to `stop` of a song with silence before and after."""
    first, last = min(max(start, 0), source.length), max(min(stop, source.length), 0)
    samples = np.zeros((source.channels, stop - start), np.float32)
    if first < last:
        samples[:, first - start : last - start] = await source.read(first, last)
    return samples
