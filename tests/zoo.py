"""Files that people drop on a separator: every kind of song, and every kind of thing that is none."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final, cast

import av
import numpy as np
import soundfile

from demixer.audio import Samples
from tests.songs import mixture

RATE: Final = 44_100
SECONDS: Final = 2.01
"""Not a whole number of any codec's packets."""


@cache
def song(rate: int = RATE, channels: int = 2) -> Samples:
    """What the good files hold [shape=(channels, n)]; every channel is another one."""
    stereo = mixture(SECONDS, rate)
    gains = np.linspace(1, 0.4, channels, dtype=np.float32)
    return np.stack([gain * stereo[index % 2] for index, gain in enumerate(gains)])


@dataclass(frozen=True)
class Right:
    """A right result: the song that was encoded, to the sample.

    Parameters
    ----------
    song : Samples [shape=(channels, n)]
    rate : int
    decibel : float
        Signal to noise ratio of the codec at least; infinity where it is exact.
    cut : bool
        Only the beginning is there, and at least half.
    """

    song: Samples
    rate: int = RATE
    decibel: float = np.inf
    cut: bool = False


@dataclass(frozen=True)
class Animal:
    """One file of the zoo, and what is right to do with it.

    Parameters
    ----------
    name : str
        Of the file.
    make : callable
        Gives its bytes.
    outcome : Right or str
        Or the code of the one error.
    native : Right or str, optional
        Where the command line is to do something else.
    """

    name: str
    make: Callable[[], bytes]
    outcome: Right | str
    native: Right | str | None = field(default=None)


def sound(samples: Samples, rate: int, format: str, subtype: str, **options: Any) -> bytes:
    """A file by libsndfile."""
    file = BytesIO()
    soundfile.write(file, samples.T, rate, format=format, subtype=subtype, **options)
    return file.getvalue()


def ffmpeg(format: str, *codecs: str, song: Samples, rate: int = RATE, options: Mapping[str, str] = {}) -> bytes:  # noqa: B006
    """A file by FFmpeg with a track for each codec; the first holds the song."""
