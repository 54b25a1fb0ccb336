"""Integrated loudness and true peak (ITU-R BS.1770-4, EBU R 128)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from demixer.analyses import Options, Stems, register
from demixer.audio import Samples, Source, check_finite
from demixer.progress import Monitor

#: BS.1770's absolute gate in LUFS: quieter blocks count as silence.
ABSOLUTE_GATE: Final = -70.0

#: BS.1770's relative gate in LU: blocks this far below the mean of all do not count.
RELATIVE_GATE: Final = -10.0

#: Blocks of 400 ms overlap by three quarters.
_PARTS_A_SECOND: Final = 10
_PARTS_A_BLOCK: Final = 4

#: Weight of each channel by their number: surround channels count more, low-frequency effects not at all.
_CHANNELS: Final = {6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41), 8: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41, 1.0, 1.0)}

#: Seconds per transform, and length of the weighting's impulse response, which has decayed by 140 dB then.
_SECONDS: Final = 4
_RESPONSE_SECONDS: Final = 0.4

#: Taps of the interpolation filter on each side.
_REACH: Final = 16


@dataclass(frozen=True)
class Loudness:
    """Loudness of a signal.

    Parameters
    ----------
    integrated : float, optional
        In LUFS; None when no block is above the absolute gate.
    true_peak : float, optional
        Highest point of the interpolated signal, in dBTP; None for digital silence.
    """

    integrated: float | None
    true_peak: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Plain data, as `demixer analyse --json` prints it and the page receives it."""
        return {
            "loudness": None if self.integrated is None else round(self.integrated, 2),
            "true_peak": None if self.true_peak is None else round(self.true_peak, 2),
        }


async def measure(source: Source, monitor: Monitor) -> Loudness:
    """Measure the integrated loudness and the true peak, in the memory of a few seconds.

    Each channel is K-weighted; the recommendation's two filters, given there for 48 kHz, are designed for the
    source's own rate from their analogue prototypes (Mansbridge, Finn and Reiss 2012) and applied as one frequency
    response, by overlap-save. The mean square of blocks of 400 ms is gated, first at -70 LUFS, then 10 LU below the
    mean of the remaining blocks. The true peak is that of the signal at four times its rate (twice from 80 kHz on).

    Parameters
    ----------
    source : Source
        Six or eight channels are in the order of WAV: front left, right, centre, low frequencies, surround.
    monitor : Monitor
        Marked at every read.

    Raises
    ------
    AudioError
        `audio/not-finite`.
    Cancelled
    """
    rate, margin = source.rate, int(_RESPONSE_SECONDS * source.rate)
    size = 1 << int(np.ceil(np.log2(_SECONDS * rate)))
    step = size - margin
    response = k_weighting(rate, size)
    parts = _Parts(rate, source.channels)
    before: Samples = np.zeros((source.channels, margin), np.float32)
    peak = 0.0
    for start in range(0, source.length, step):
        monitor.mark("analyse", start, source.length)
        samples = await source.read(start, min(start + step, source.length))
        check_finite(samples)
        block = np.concatenate([before, samples], axis=1)
        peak = max(peak, true_peak(block[:, -samples.shape[1] - 2 * _REACH :], rate))
        weighted = np.fft.irfft(np.fft.rfft(block, size) * response, size)
        parts.push(weighted[:, margin : block.shape[1]].astype(np.float32))
        before = block[:, -margin:]
    peak = max(peak, true_peak(np.pad(before[:, -2 * _REACH :], [(0, 0), (0, 2 * _REACH)]), rate))
    monitor.mark("analyse", source.length, source.length)
    return Loudness(integrated(np.array(parts.powers)), 20 * float(np.log10(peak)) if peak > 0 else None)


@register("loudness")
async def analyse(source: Source, stems: Stems, options: Options, monitor: Monitor) -> dict[str, Any]:  # noqa: ARG001
    """Measure a signal and its stems. There are no options."""
    facts: dict[str, Any] = (await measure(source, monitor)).to_dict()
    if stems:
        facts["stems"] = {name: (await measure(stem, monitor)).to_dict() for name, stem in stems.items()}
    return facts


def integrated(powers: npt.NDArray[np.float64]) -> float | None:
    """Gated loudness in LUFS from the weighted power of tenths of a second; None when all are below the gate."""
    if len(powers) < _PARTS_A_BLOCK:
        return None
    blocks = np.convolve(powers, np.ones(_PARTS_A_BLOCK) / _PARTS_A_BLOCK, "valid")
    loud = blocks[_lufs(blocks) > ABSOLUTE_GATE]
    if loud.size == 0:
        return None
    kept = loud[_lufs(loud) > float(_lufs(loud.mean())) + RELATIVE_GATE]
    return float(_lufs(kept.mean()))


def _lufs(power: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-30)))


class _Parts:
    """Weighted power, summed over channels, of each full tenth of a second of a stream."""

    def __init__(self, rate: int, channels: int) -> None:
        self.powers: list[float] = []
        self._rate = rate
        self._weights = np.array(_CHANNELS.get(channels, (1.0,) * channels))[:, None]
        self._pending = np.zeros((channels, 0), np.float32)
        self._start = 0

    def push(self, samples: Samples) -> None:
        pending = np.concatenate([self._pending, samples], axis=1)
        used = 0
        while True:
            length = self._edge(len(self.powers) + 1) - self._edge(len(self.powers))
            if used + length > pending.shape[1]:
                break
            part = pending[:, used : used + length].astype(np.float64)
            self.powers.append(float((self._weights * part**2).sum() / length))
            used += length
        self._pending = pending[:, used:]

    def _edge(self, part: int) -> int:
        return part * self._rate // _PARTS_A_SECOND


@lru_cache(maxsize=4)
def k_weighting(rate: int, size: int) -> npt.NDArray[np.complex64]:
    """Frequency response of the K-weighting at the bins of a transform of `size` samples [shape=(size // 2 + 1,)]."""
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)

    def filtered(b: tuple[float, float, float], a: tuple[float, float, float]) -> npt.NDArray[np.complex128]:
        return np.asarray((b[0] + b[1] * z + b[2] * z**2) / (a[0] + a[1] * z + a[2] * z**2))

    # A shelf of 4 dB above 1.7 kHz, the effect of a head.
    frequency, quality, gain = 1681.974450955533, 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    k, middle = float(np.tan(np.pi * frequency / rate)), gain**0.4996667741545416
    a = (1 + k / quality + k**2, 2 * (k**2 - 1), 1 - k / quality + k**2)
    b = (gain + middle * k / quality + k**2, 2 * (k**2 - gain), gain - middle * k / quality + k**2)
    shelf = filtered(b, a)
    # A high-pass at 38 Hz: lower frequencies are hardly audible.
    frequency, quality = 38.13547087602444, 0.5003270373238773
    k = float(np.tan(np.pi * frequency / rate))
    a = (1 + k / quality + k**2, 2 * (k**2 - 1), 1 - k / quality + k**2)
    # The recommendation does not normalise its numerator, 1, -2, 1.
    pass_high = filtered((1.0, -2.0, 1.0), (1.0, a[1] / a[0], a[2] / a[0]))
    return (shelf * pass_high).astype(np.complex64)


def true_peak(samples: Samples, rate: int) -> float:
    """Highest magnitude of samples and of points interpolated between them, which exclude `_REACH` at each end."""
    highest = float(np.abs(samples).max(initial=0))
    if samples.shape[1] <= 2 * _REACH:
        return highest
    for taps in _interpolators(4 if rate < 80_000 else 2 if rate < 160_000 else 1):
        for channel in samples:
            if np.abs(taps).sum() * float(np.abs(channel).max()) > highest:
                highest = max(highest, float(np.abs(np.convolve(channel, taps, "valid")).max()))
    return highest


@lru_cache(maxsize=4)
def _interpolators(factor: int) -> list[Samples]:
    """Kaiser-windowed sincs, one for each point between two samples."""
    at = np.arange(-_REACH + 1, _REACH + 1)
    return [
        (
            np.sinc(at - phase / factor)
            * np.i0(8 * np.sqrt(np.maximum(0, 1 - ((at - phase / factor) / _REACH) ** 2)))
            / np.i0(8)
        ).astype(np.float32)
        for phase in range(1, factor)
    ]
