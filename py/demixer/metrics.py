"""Quality of estimated stems against the true ones: SDR as in the Music Demixing Challenge, and BSSEval v4.

BSSEval explains an estimate by the true stems, each passed through a short filter: its own stem beyond a plain copy is
*spatial* distortion, the other stems are *interference*, and the unexplained rest is *artifacts* (Vincent et al.,
"First stereo audio source separation evaluation campaign", ICA 2007). Version 4 keeps one filter for the whole song
and measures in windows of a second (Stöter, Liutkus and Ito, "The 2018 Signal Separation Evaluation Campaign", LVA/ICA
2018). The figures equal those of PyPI `museval` 0.4; correlations are summed over blocks, so that no transform spans
the whole song.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.audio import Samples

#: Taps of the filters that the true stems pass through.
TAPS: Final = 512

_MDX_FLOOR: Final = 1e-7
_BLOCK: Final = 32_768
"""Length of the transforms that correlate two signals."""

_Real = npt.NDArray[np.float64]
_Spectrum = npt.NDArray[np.complex128]


def sdr(reference: Samples, estimate: Samples) -> float:
    """Signal-to-distortion ratio of a whole stem in dB, as defined by the Music Demixing Challenge.

    See Mitsufuji et al., "Music Demixing Challenge 2021", Frontiers in Signal Processing 2022.

    Parameters
    ----------
    reference, estimate : np.ndarray [shape=(channels, n)], float32
    """
    signal = np.square(reference, dtype=np.float64).sum()
    distortion = np.square(np.subtract(reference, estimate, dtype=np.float64)).sum()
    return float(10 * np.log10((signal + _MDX_FLOOR) / (distortion + _MDX_FLOOR)))


@dataclass(frozen=True)
class BSSEval:
    """Ratios in dB [each shape=(stems, windows)]; NaN in windows where a stem or an estimate is silent.

    `sdr` counts distortion of any kind, `isr` spatial distortion, `sir` interference from the other stems, and `sar`
    artifacts.
    """

    sdr: _Real
    isr: _Real
    sir: _Real
    sar: _Real


def bss_eval(references: Samples, estimates: Samples, window: int) -> BSSEval:
    """Compute the image metrics of BSSEval v4.

    Parameters
    ----------
    references, estimates : np.ndarray [shape=(stems, channels, n)], float32
        The true stems, none of them silent throughout, and their estimates in the same order.
    window : int
        Samples measured together, one second by convention. Samples after the last whole window are left out, as in
        museval, unless no window is whole.

    Raises
    ------
    ValueError
        When shapes differ or a reference is silent.
    """
    if references.shape != estimates.shape:
        raise ValueError(f"references {references.shape} and estimates {estimates.shape} differ in shape")
    if not references.any(axis=(1, 2)).all():
        raise ValueError("a silent reference cannot be measured against")
    true, estimated = references.astype(np.float64), estimates.astype(np.float64)
    filters = _Filters(true, estimated, min(window, true.shape[-1]))
    starts = range(0, max(true.shape[-1] - window, 0) + 1, window)
    ratios = [filters.measure(true[..., at : at + window], estimated[..., at : at + window]) for at in starts]
    return BSSEval(*np.stack(ratios, axis=-1))


class _Filters:
    """Least-squares filters from the true stems to each estimate, fitted to the whole song."""

    def __init__(self, references: _Real, estimates: _Real, window: int) -> None:
        stems, channels, length = references.shape
        inputs = references.reshape(-1, length)
        gram = _gram(inputs)
        target = _correlate(inputs, estimates.reshape(-1, length)).swapaxes(1, 2).reshape(gram.shape[0], -1)
        self._shape = stems, channels
        self._n_fft = _fast_length(window + TAPS - 1)
        self._all = self._spectra(_solve(gram, target))
        self._own = np.empty((stems, channels, channels, self._n_fft // 2 + 1), np.complex128)
        size = channels * TAPS
        for stem in range(stems):
            rows, columns = slice(stem * size, (stem + 1) * size), slice(stem * channels, (stem + 1) * channels)
            self._own[stem] = self._spectra(_solve(gram[rows, rows], target[rows, columns]))

    def _spectra(self, taps: _Real) -> _Spectrum:
        """[shape=(inputs * TAPS, outputs)] -> [shape=(outputs, inputs, bins)]."""
        return np.fft.rfft(taps.T.reshape(taps.shape[1], -1, TAPS), self._n_fft)

    def measure(self, references: _Real, estimates: _Real) -> _Real:
        """SDR, ISR, SIR and SAR of a window [shape=(4, stems)]."""
        stems, channels = self._shape
        if _silent(references) or _silent(estimates):
            return np.full((4, stems), np.nan)
        length = references.shape[-1] + TAPS - 1
        spectra = np.fft.rfft(references, self._n_fft)
        by_own = np.fft.irfft(np.einsum("sojf,sjf->sof", self._own, spectra), self._n_fft)[..., :length]
        mixed = np.einsum("oif,if->of", self._all, spectra.reshape(stems * channels, -1))
        by_all = np.fft.irfft(mixed, self._n_fft)[..., :length].reshape(stems, channels, length)
        true, estimate = (np.pad(signal, ((0, 0), (0, 0), (0, TAPS - 1))) for signal in (references, estimates))
        return np.array(
            [
                _ratio(true, estimate - true),
                _ratio(true, by_own - true),
                _ratio(by_own, by_all - by_own),
                _ratio(by_all, estimate - by_all),
            ]
        )


def _silent(signals: _Real) -> bool:
    """True when any of the signals is silent in the sum of its channels, as in museval."""
    return not signals.sum(axis=1).any(axis=-1).all()


def _ratio(signal: _Real, error: _Real) -> _Real:
    with np.errstate(divide="ignore"):  # no error: infinitely good
        return np.asarray(10 * np.log10(np.square(signal).sum(axis=(1, 2)) / np.square(error).sum(axis=(1, 2))))


def _correlate(left: _Real, right: _Real) -> _Real:
    """Sum over n of left[n] * right[n + lag], lag 0 to TAPS - 1 [shape=(len(left), len(right), TAPS)]."""
    step = _BLOCK - TAPS + 1
    total = np.zeros((len(left), len(right), _BLOCK // 2 + 1), np.complex128)
    for start in range(0, left.shape[-1], step):
        block = np.fft.rfft(left[:, start : start + step], _BLOCK)
        ahead = np.fft.rfft(right[:, start : start + _BLOCK], _BLOCK)
        for row, spectrum in zip(total, block.conj(), strict=True):
            row += spectrum * ahead
    return np.fft.irfft(total, _BLOCK)[..., :TAPS]


def _gram(signals: _Real) -> _Real:
    """Inner products of all delayed copies [shape=(signals * TAPS, signals * TAPS)], block by block Toeplitz."""
    lags = _correlate(signals, signals)
    count = len(signals)
    # Lags -(TAPS - 1) to TAPS - 1: a negative lag of a pair is a positive lag of the swapped pair.
    both = np.concatenate([lags.swapaxes(0, 1)[..., :0:-1], lags], axis=-1)
    delays = np.arange(TAPS)
    blocks = both[:, :, delays[:, None] - delays[None, :] + TAPS - 1]  # [row signal, column signal, delay, delay]
    return np.asarray(blocks.swapaxes(1, 2).reshape(count * TAPS, count * TAPS))


def _solve(gram: _Real, target: _Real) -> _Real:
    """Least-squares filters [shape=(inputs * TAPS, outputs)]."""
    try:
        taps = np.linalg.solve(gram + np.finfo(np.float64).eps * np.eye(len(gram)), target)
    except np.linalg.LinAlgError:  # stems that are filtered copies of each other
        taps = np.linalg.lstsq(gram, target)[0]
    return np.asarray(taps, np.float64)


def _fast_length(length: int) -> int:
    """The next length that has no prime factor above 5."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1
