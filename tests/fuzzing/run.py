"""Which cases are tried, and how one that fails is kept."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.fuzzing.cases import Case, case

#: Minutes for which each of the two tests goes on, from a number that nobody has tried.
_MINUTES: Final = "DEMIXER_FUZZ_MINUTES"

#: The number of the one case to try.
_CASE: Final = "DEMIXER_FUZZ_CASE"

FOLDER: Final = Path(__file__).parents[2] / ".build" / "fuzz"


def cases(usual: int) -> Iterator[Case]:
    """The first `usual` cases; as many as there is time for; or a single one."""
    if number := os.environ.get(_CASE):
        yield case(int(number))
        return
    minutes = float(os.environ.get(_MINUTES, 0))
    if not minutes:
        yield from map(case, range(usual))
        return
    end = time.monotonic() + 60 * minutes
    number_ = int(time.time()) << 16
    while time.monotonic() < end:
        yield case(number_)
        number_ += 1


def kept(mutant: Case, fault: str) -> str:
    """A line about a case that fails, whose file is written to `FOLDER`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{mutant.number} {Path(mutant.seed).name}"
    path.write_bytes(mutant.data)
    return f"{_CASE}={mutant.number} ({mutant.seed}: {', '.join(mutant.steps)}): {fault} [{path}]"
