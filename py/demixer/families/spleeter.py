"""Spleeter (Hennequin et al., JOSS 2020): U-Nets on the magnitude spectrogram, whose masks are applied to the mixture.

The networks estimate each stem's share of every bin up to 11 kHz. The shares become masks that sum to one, the masks
are extended to the Nyquist frequency, and each stem is the mixture's complex spectrogram times its mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.audio import Samples
from demixer.errors import ModelError
from demixer.families import Setup, register
from demixer.normalisation import UNITY, Normalisation
from demixer.runtime import Session
from demixer.stft import STFT

#: Spleeter's transform. Its padding only matters at a segment's ends, where overlap-add gives little weight.
TRANSFORM: Final = STFT(n_fft=4096, hop=1024)
#: Size of the networks' input: 11.9 s of the lower half of the spectrum.
FRAMES: Final = 512
BINS: Final = 1024
#: Keeps the masks defined where the mixture is silent.
EPSILON: Final = np.float32(1e-10)

#: Standard deviation of the quietest song that is still scaled to `input_rms`; anything below is hardly music.
QUIET: Final = 1e-3

_ENERGY: Final = np.float32(2)

Masks = npt.NDArray[np.float32]
"""Masks [shape=(stems, channels, frames, bins)] that sum to one over the stems."""


@dataclass(frozen=True)
class Options:
    """A preset's options.

    Parameters
    ----------
    exponent : float
        Power of the magnitudes whose ratios are the masks, above 0; Spleeter's own is 2. With 1 the masks are softer,
        which raises SDR and leaks a little more (docs/quality; Liutkus and Badeau, "Generalized Wiener filtering with
        fractional power spectrograms", ICASSP 2015).
    input_rms : float, optional
        Standard deviation to which the song's mono sum is scaled for the networks, above 0; None leaves it as it is.

    Raises
    ------
    ModelError
        `model/incompatible` when a value is out of range.
    """

    exponent: float = 2.0
    input_rms: float | None = None

    def __post_init__(self) -> None:
        if self.exponent <= 0:
            raise ModelError("model/incompatible", f"exponent must be above 0, not {self.exponent}")
        if self.input_rms is not None and self.input_rms <= 0:
            raise ModelError("model/incompatible", f"input_rms must be above 0, not {self.input_rms}")


_DEFAULT: Final = Options()


class Spleeter:
    """Separates stereo segments at 44.1 kHz.

    Parameters
    ----------
    session : Session
        Takes `magnitude` [shape=(1, 2, 512, 1024)] and returns `share` [shape=(stems, 2, 512, 1024)]: the graph of
        `demixer.graphs.spleeter`.
    options : Options
    """

    rate = 44_100
    segment = (FRAMES - 1) * TRANSFORM.hop
    stems = 2

    def __init__(self, session: Session, options: Options = _DEFAULT) -> None:
        self._session = session
        self._exponent = np.float32(options.exponent)
        self._input_rms = options.input_rms

    def normalisation(self, measured: Normalisation) -> Normalisation:
        """The scale that brings the song to `input_rms`."""
        if self._input_rms is None:
            return UNITY
        return Normalisation(0.0, max(measured.scale, QUIET) / self._input_rms)

    async def separate(self, mixture: Samples) -> Samples:
        """Separate one segment [shape=(2, segment)] into stems [shape=(stems, 2, segment)] that sum to it."""
        spectrum = TRANSFORM.stft(mixture).swapaxes(-1, -2)  # the networks take [channels, frames, bins]
        magnitude = np.abs(spectrum[..., :BINS])
        outputs = await self._session.run({"magnitude": magnitude[None]})
        masks = ratio_masks(outputs["share"] * magnitude, self._exponent)
        # The last stem is what the others leave of the mixture, which saves its mask and its inverse transform.
        masked = full_band(masks[:-1], spectrum.shape[-1]) * spectrum
        others = TRANSFORM.istft(masked.swapaxes(-1, -2), self.segment)
        return np.concatenate([others, [mixture - others.sum(axis=0)]])


@register("spleeter", networks=1, options=Options)
def create(setup: Setup) -> Spleeter:
    """Make the family from the network of both stems."""
    (session,) = setup.sessions
    return Spleeter(session, setup.options)


def ratio_masks(magnitudes: Masks, exponent: np.float32 = _ENERGY) -> Masks:
    """Masks in the ratio of the estimated magnitudes to a power; 2, the energies, makes a Wiener filter.

    Parameters
    ----------
    magnitudes : np.ndarray [shape=(stems, channels, frames, bins)], float32
    """
    shares: Masks = np.square(magnitudes) if exponent == _ENERGY else magnitudes**exponent
    shares += EPSILON / len(shares)
    shares /= shares.sum(axis=0)
    return shares


def full_band(masks: Masks, bins: int) -> Masks:
    """Extend masks to `bins` bins: above the networks' band each frame continues with the mean of its mask.

    This is the mask extension `average` of Spleeter, whose default leaves everything above 11 kHz silent.
    """
    stems, channels, frames, known = masks.shape
    above = masks.mean(axis=-1, keepdims=True)
    return np.concatenate([masks, np.broadcast_to(above, (stems, channels, frames, bins - known))], axis=-1)
