"""What must hold of everything that reads a mutated file."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from demixer.audio import MAX_CHANNELS, RATES
from demixer.errors import CODES
from tests.fuzzing.cases import PEAK, SECONDS, Case, song
from tests.fuzzing.reader import WINDOW, figures

#: As `_LOUDEST` of `demixer.runtimes.decoders`: nothing that a decoder gives is louder.
_LOUDEST: Final = 16.0

#: Kinds of which a decoder makes samples; of others, any bytes are samples up to full scale.
_DECODED: Final = (".mp3", ".aac", ".m4a", ".mp4", ".ogg", ".opus", ".webm", ".mkv", ".ts")

#: Most seconds of noise louder than the song, as a decoder without checksums makes it of a few damaged packets.
_NOISE: Final = 0.6

#: Seconds of a file of some hundred kilobytes, at most; more than this was not in it.
_LONGEST: Final = 3_600

#: Mutations that take nothing away from a file but the bytes that they change or leave out.
_KEEPING: Final = {"flipped", "overwritten", "inserted", "repeated_run", "repeated_unit"}

#: The part of a song that may be lost without a word: a packet or two on each side of the damage, or a page.
_TOLERATED: Final = 0.35


def fault(mutant: Case, outcome: dict[str, Any]) -> str | None:
    """The property that an outcome violates; None when all hold."""
    if "raw" in outcome:
        return str(outcome["raw"])
    if "code" in outcome:
        is_typed = (
            outcome["code"] in CODES and outcome["code"].startswith("audio/") and outcome["message"].endswith(".")
        )
        return None if is_typed else f"an error that is none of a file: {outcome['code']}: {outcome['message']}"
    low, high = RATES
    if not (low <= outcome["rate"] <= high and 1 <= outcome["channels"] <= MAX_CHANNELS):
        return f"{outcome['channels']} channels at {outcome['rate']} Hz"
    if not 0 < outcome["seconds"] < _LONGEST:
        return f"{outcome['seconds']} seconds of a file of {len(mutant.data)} bytes"
    return _noise(mutant, outcome) or _silent_loss(mutant, outcome)


def _noise(mutant: Case, outcome: dict[str, Any]) -> str | None:
    """Noise louder than the source."""
    if mutant.seed.startswith("odd/") or "spliced" in mutant.steps:
        return None  # the other file may be as loud as it likes
    if not math.isfinite(outcome["peak"]):
        return None if mutant.seed.startswith("float") else "samples that are no numbers"
    loudest = max(figures(song(), 44_100)["levels"])
    noise = WINDOW * int(np.sum(np.array(outcome["levels"]) > 2 * loudest))
    if mutant.seed.endswith(".flac"):
        return f"a peak of {outcome['peak']:.3g} in FLAC" if noise or outcome["peak"] > 2 * PEAK else None
    if mutant.seed.endswith(_DECODED) and mutant.seed != "ALAC.m4a":
        is_noise = outcome["peak"] > _LOUDEST or noise > _NOISE
        return f"{noise:.2f} seconds of noise, a peak of {outcome['peak']:.3g}" if is_noise else None
    return None


def _silent_loss(mutant: Case, outcome: dict[str, Any]) -> str | None:
    """Less than the file has, without a word; where no word can be expected, None."""
    if outcome.get("loss", True) or mutant.seed.startswith("odd/") or len(mutant.steps) > 1:
        return None
    missing = SECONDS - outcome["seconds"]
    if set(mutant.steps) <= _KEEPING and missing > _TOLERATED * SECONDS:
        return f"{missing:.2f} of {SECONDS} seconds are missing without a word"
    return None
