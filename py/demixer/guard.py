"""Watching a device: a broken one gives zeros, no numbers or far too large ones, and raises no error of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from demixer.audio import Samples
from demixer.errors import RuntimeFailure
from demixer.runtime import Float, Session

#: Mean power (-120 dB) below which nothing is said about zeros and loudness: there they may be mere underflow.
AUDIBLE: Final = 1e-12

#: How many times the mixture's peak no stem's RMS reaches: some 25 dB above the RMS of music. Not a ratio of the two
#: energies: for a lone click in silence HT-Demucs rightly gives 33 dB more than the click's.
GROSS: Final = 4.0


def check_estimate(mixture: Samples, stems: Samples) -> None:
    """Refuse stems that no working device gives for this mixture.

    Dot products: one pass, no temporary arrays, and a sum of squares is finite only if every sample is.

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
    """A `Session` that refuses outputs of nothing but zeros, which a family can hide: masks of zero share evenly.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        audible = any(map(is_audible, feeds.values()))
        running = self._session.run(feeds)
        del feeds  # the device has them from here on
        outputs = await running
        if audible and not all(output.any() for output in outputs.values()):
            raise _failure("nothing but zeros")
        return outputs


def energy(samples: Float) -> float:
    """Sum of squares; infinite or NaN when a sample is, or when the sum passes what float32 holds."""
    with np.errstate(over="ignore", invalid="ignore"):
        return sum(float(np.dot(row, row)) for row in samples.reshape(-1, samples.shape[-1]))


def is_audible(samples: Float) -> bool:
    """Whether a device has to find something in it."""
    return energy(samples) > AUDIBLE * samples.size


def _failure(what: str) -> RuntimeFailure:
    return RuntimeFailure(
        "runtime/failed", f"The device computed no usable numbers: {what}.", "Try again, or choose another device."
    )
