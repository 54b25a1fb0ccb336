"""Checks of a device's results: a broken one gives zeros, NaN or far too large numbers without raising an error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from demixer.audio import Samples
from demixer.errors import RuntimeFailure
from demixer.runtime import Float, Session

#: Mean power (-120 dB) below which zeros and loudness are not checked: they may be mere underflow.
AUDIBLE: Final = 1e-12

#: Ratio of a stem's RMS to the mixture's peak that no working device reaches, some 25 dB above the RMS of music. It is
#: not a ratio of energies, since HT-Demucs rightly answers a lone click in silence with 33 dB more than the click's.
GROSS: Final = 4.0


def check_estimate(mixture: Samples, stems: Samples) -> None:
    """Refuse stems that no working device computes from this mixture.

    Uses dot products: one pass without temporary arrays, and a sum of squares is finite only if every sample is.

    Parameters
    ----------
    mixture : np.ndarray [shape=(channels, segment)], float32
    stems : np.ndarray [shape=(stems, channels, segment)], float32

    Raises
    ------
    RuntimeFailure
        `runtime/failed`.
    """
    energies = [energy(stem) for stem in stems]
    if not math.isfinite(sum(energies)) and not np.isfinite(stems).all():
        raise _failure("results that are not numbers")
    if not is_audible(mixture):
        return
    loudest = max(energies)
    if loudest == 0 and not stems.any():
        raise _failure("nothing but zeros")
    peak = max(float(mixture.max()), -float(mixture.min()))
    if loudest > stems[0].size * (GROSS * peak) ** 2:
        raise _failure("results far louder than the song")


class GuardedSession:
    """A `Session` that refuses outputs of zeros, which a family may hide: masks of zero become even shares.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        audible = any(map(is_audible, feeds.values()))
        running = self._session.run(feeds)
        del feeds  # the device owns them now
        outputs = await running
        if audible and not all(output.any() for output in outputs.values()):
            raise _failure("nothing but zeros")
        return outputs


def energy(samples: Float) -> float:
    """Sum of squares; infinite or NaN when a sample is, or when the sum passes what float32 holds."""
    with np.errstate(over="ignore", invalid="ignore"):
        return sum(float(np.dot(row, row)) for row in samples.reshape(-1, samples.shape[-1]))


def is_audible(samples: Float) -> bool:
    """True when a working device must give a result other than zero."""
    return energy(samples) > AUDIBLE * samples.size


def _failure(what: str) -> RuntimeFailure:
    return RuntimeFailure(
        "runtime/failed", f"The device computed no usable numbers: {what}.", "Try again, or choose another device."
    )
