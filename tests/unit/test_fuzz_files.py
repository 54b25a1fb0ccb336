"""Mutated media files and the readers of the command line: no hang, no noise, no silent loss, typed errors only."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from tests.fuzzing.cases import SEEDS, Case, case, seed
from tests.fuzzing.judge import fault
from tests.fuzzing.mutations import MUTATIONS
from tests.fuzzing.run import cases, kept
from tests.fuzzing.units import units, with_checksums

#: Cases of a usual run.
USUAL: Final = 300

#: Seconds after which a file counts as hanging.
TIMEOUT: Final = 60


class Reader:
    """The process of `tests.fuzzing.reader`, and the next one when a file has killed it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def outcome(self, mutant: Case) -> dict[str, Any]:
        if self._process is None:
            command = [sys.executable, "-m", "tests.fuzzing.reader"]
            root = Path(__file__).parents[2]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True, bufsize=1)
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{mutant.number}\n")
        ready, _, _ = select.select([process.stdout], [], [], TIMEOUT)
        if ready and (line := process.stdout.readline()):
            found: dict[str, Any] = json.loads(line)
            return found
        self.close()
        return {"raw": f"the process has ended with {process.returncode}" if ready else "it hangs"}

    def close(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.close()


@pytest.mark.slow
def test_the_command_line_reads_mutated_files_or_says_why_not(reader: Reader) -> None:
    tried, failures = 0, []
    for mutant in cases(USUAL):
        if found := fault(mutant, reader.outcome(mutant)):
            failures.append(kept(mutant, found))
        tried += 1
    print(f"{tried} files")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("name", SEEDS)
def test_units_lie_in_their_file_and_can_be_aimed_at(name: str) -> None:
    data = seed(name)
    found = units(data)
    assert found or name == "AAC.ts"
    assert all(0 <= unit.start < unit.end <= len(data) for unit in found)
    assert with_checksums(data) == data


def test_a_case_is_the_same_for_the_same_number() -> None:
    assert case(7) == case(7)
    assert case(7) != case(8)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mutation_changes_files_and_takes_any(mutation: Any) -> None:
    others = [seed("16-bit.flac")]
    changed = [mutation(Random(number), seed("AAC.m4a"), others) != seed("AAC.m4a") for number in range(8)]
    assert any(changed)
    for odd in (b"", b"R", b"OggS", b"ID3", b"RIFF\xff\xff\xff\xffWAVEfmt "):
        mutation(Random(1), odd, others)
