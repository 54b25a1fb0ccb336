"""A job that stops anywhere and goes on gives the samples and peaks of one that never stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from demixer.audio import Clip, Samples
from demixer.errors import Cancelled, DemixError, RuntimeFailure
from demixer.job import JobRequest, StemOutput
from demixer.models import Artifact, Preset
from demixer.normalisation import Normalisation, measure
from demixer.progress import Monitor, Progress
from demixer.resume import seal, unseal
from demixer.separate import separate

HOP = 700
REQUEST = JobRequest.from_json(
    """{"job": "one", "preset": "standard", "hop": 700, "model": {"id": "test", "label": "", "summary": "",
    "family": "test", "stems": ["one", "two"], "segment": 1, "gflop_per_second": 1,
    "presets": {"standard": {"overlap": 0.25}}}}"""
)


class Halves:
    """A family whose stems differ, or that has only the first, and whose device fails after so many segments."""

    segment, rate = 20_000, 44_100

    def __init__(self, stems: int = 2, fails: int | None = None) -> None:
        self.stems = stems
        self._left = fails

    def normalisation(self, measured: Normalisation) -> Normalisation:
        return measured

    async def separate(self, mixture: Samples) -> Samples:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise RuntimeFailure("runtime/device-lost", "Gone.")
        return np.stack([np.float32(0.4) * mixture, np.float32(0.5) * mixture[:, ::-1]][: self.stems])


class Disk:
    """Storage that outlives a job: its pieces and its latest resume point."""

    def __init__(self, length: int, channels: int) -> None:
        self.stems = {name: np.full((length, channels), np.nan, np.float32) for name in REQUEST.model.stems}
        self.peaks: dict[str, list[Samples]] = {name: [] for name in REQUEST.model.stems}
        self.states: list[bytes] = []
        self.channels = channels
        self.written = 0
        self.complete = False
        self.breaks = 1_000
        """After how many accesses the disk refuses one: half of what should be written is."""

    async def load(self) -> bytes | None:
        self.written = 0  # without a state that can be used, all begins anew
        self.peaks = {name: [] for name in self.peaks}
        return self.states[-1] if self.states else None

    async def save(self, state: bytes) -> None:
        self.access()
        self.states.append(state)

    async def write(self, start: int, length: int, stems: list[dict[str, Any]]) -> None:
        assert start == self.written
        self.written += length
        if self.breaks <= 1:
            length //= 2
            stems = [{**stem, "samples": stem["samples"][: length * self.channels]} for stem in stems]
        for stem in stems:
            pieces = self.stems[stem["name"]]
            pieces[start : start + length] = stem["samples"].reshape(length, self.channels)
            self.peaks[stem["name"]].append(stem["peaks"])
        self.access()

    def access(self) -> None:
        self.breaks -= 1
        if self.breaks <= 0:
            raise DemixError("runtime/failed", "The disk is gone.")

    async def resume(self, start: int, stems: list[dict[str, Any]]) -> None:
        self.written = start
        for stem in stems:
            self.stems[stem["name"]][start:] = np.nan
            self.peaks[stem["name"]] = [stem["peaks"]]

    def contents(self) -> list[bytes]:
        peaks = [np.concatenate(parts).tobytes() for parts in self.peaks.values()]
        return [stem.tobytes() for stem in self.stems.values()] + peaks


@dataclass(frozen=True)
class Case:
    """A job to be interrupted."""

    length: int
    rate: int
    channels: int
    overlap: float
    raw: bool
    residual: bool = False

    def family(self, fails: int | None = None) -> Halves:
        """The family, which leaves the second stem to the residual where there is one."""
        return Halves(stems=1 if self.residual else 2, fails=fails)

    @property
    def song(self) -> Clip:
        samples = np.random.default_rng(self.length).normal(0.01, 0.1, (self.channels, self.length))
        return Clip(samples.astype(np.float32), self.rate)

    def disk(self) -> Disk:
        return Disk(self.length, self.channels)

    def run(
        self,
        disk: Disk,
        family: Halves | None = None,
        *,
        normalisation: Normalisation | None = None,
        report: Callable[[Progress], None] | None = None,
        request: JobRequest = REQUEST,
    ) -> int:
        """Run until it is done or raises; a finished job completes the stems."""
        song = self.song
        output = StemOutput(disk, request, song.length)
        work = separate(
            song,
            output,
            family or self.family(),
            Preset(self.overlap),
            raw=self.raw,
            residual=self.residual,
            normalisation=normalisation,
            resume_points=output,
            monitor=Monitor(report),
        )
        segments = asyncio.run(work)
        disk.complete = True
        return segments


cases = st.builds(
    Case,
    length=st.integers(1, 130_000),
    rate=st.sampled_from([44_100, 48_000, 22_050, 96_000]),
    channels=st.sampled_from([1, 2, 3]),
    overlap=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7]),
    raw=st.booleans(),
    residual=st.booleans(),
)
PLAIN = Case(length=90_000, rate=44_100, channels=2, overlap=0.25, raw=False)
SHORT = Case(length=30_000, rate=44_100, channels=1, overlap=0.25, raw=False)


@lru_cache(maxsize=4)
def uninterrupted(case: Case) -> Disk:
    disk = case.disk()
    case.run(disk)
    assert disk.written == case.length
    return disk


@given(case=cases, data=st.data())
def test_a_job_killed_after_any_segment_goes_on_bit_for_bit(case: Case, data: st.DataObject) -> None:
    whole = uninterrupted(case)
    segments = len(whole.states)
    done = data.draw(st.integers(1, segments), label="segments finished")
    disk = case.disk()

    def kill(mark: Progress) -> None:
        if (mark.stage, mark.done) == ("separate", done):
            raise Cancelled

    with pytest.raises(Cancelled):
        case.run(disk, report=kill)
    assert disk.states == whole.states[:done]
    assert case.run(disk) == segments - done
    assert disk.contents() == whole.contents()


@given(case=cases, data=st.data())
def test_any_interleaving_of_cancel_failure_and_retry_ends_right_or_not_at_all(case: Case, data: st.DataObject) -> None:
    whole = uninterrupted(case)
    normalisation = asyncio.run(measure(case.song, Monitor()))
    disk = case.disk()
    for _ in range(data.draw(st.integers(1, 5), label="runs")):
        event = data.draw(st.sampled_from(["cancel", "fail", "break", "tear", "forget", "nothing"]), label="event")
        when = data.draw(st.integers(0, 6), label="when")
        if event == "tear" and disk.states:
            disk.states.append(disk.states[-1][: when * 1000])
        if event == "forget":
            disk.states.clear()
        disk.breaks = 1 + when if event == "break" else 1_000
        marks = 0

        def report(_: Progress, event: str = event, when: int = when) -> None:
            nonlocal marks
            marks += 1
            if event == "cancel" and marks > when:
                raise Cancelled

        family = case.family(fails=when if event == "fail" else None)
        surveyed = data.draw(st.booleans(), label="surveyed")
        try:
            case.run(disk, family, normalisation=normalisation if surveyed else None, report=report)
        except DemixError:
            assert not disk.complete
        else:
            break
    if disk.complete:
        assert disk.contents() == whole.contents()


@given(offset=st.floats(0, 1), flip=st.booleans())
def test_a_state_torn_anywhere_is_ignored(offset: float, flip: bool) -> None:
    whole = uninterrupted(SHORT)
    state = whole.states[1]
    place = min(int(offset * len(state)), len(state) - 1)
    torn = state[:place]
    if flip:  # a byte that never reached the disk
        torn += bytes([state[place] ^ 0xFF]) + state[place + 1 :]
    disk = SHORT.disk()
    disk.states = [torn]
    assert SHORT.run(disk) == len(whole.states)
    assert disk.contents() == whole.contents()


def test_a_state_torn_at_each_of_its_bytes_is_none() -> None:
    state = seal({"some": np.arange(20)}, "a job")
    assert unseal(state, "a job") is not None
    assert all(unseal(state[:length], "a job") is None for length in range(len(state)))
    assert unseal(state + b"\0", "a job") is None
    assert unseal(state, "another job") is None


@given(case=cases, other=cases)
def test_a_state_of_another_job_is_ignored(case: Case, other: Case) -> None:
    assume(case != other)
    disk = other.disk()
    disk.states = uninterrupted(case).states[:1]
    assert other.run(disk) == len(uninterrupted(other).states)
    assert disk.contents() == uninterrupted(other).contents()


@pytest.mark.parametrize("changes", [{"hop": 800}, {"precision": "fp32"}])
def test_a_state_of_other_weights_or_peaks_is_ignored(changes: dict[str, Any]) -> None:
    artifacts: dict[str, tuple[Artifact, ...]] = {name: (Artifact(name, 1, name),) for name in ("default", "fp32")}
    request = replace(REQUEST, model=replace(REQUEST.model, artifacts=artifacts))
    disk = PLAIN.disk()
    first = PLAIN.run(disk, request=request)
    disk.states = disk.states[:2]
    assert PLAIN.run(disk, request=request) == first - 2
    disk.states = disk.states[:2]
    assert PLAIN.run(disk, request=replace(request, **changes)) == first


def test_a_state_of_other_sources_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = PLAIN.disk()
    segments = PLAIN.run(disk)
    monkeypatch.setattr("demixer.resume._sources", lambda: "changed")
    assert PLAIN.run(disk) == segments


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_state_is_smaller_than_a_segment_of_stems(rate: int) -> None:
    case = Case(length=400_000, rate=rate, channels=2, overlap=0.25, raw=False)
    segment = Halves.segment * rate / Halves.rate * len(REQUEST.model.stems) * case.channels * 4
    held_back = 2 * 3 * 4096 * 4 * len(REQUEST.model.stems)  # by consistency and resampler
    assert max(map(len, uninterrupted(case).states)) < 0.3 * segment + 4 * held_back


def test_a_sink_that_fails_to_save_fails_the_job() -> None:
    class Full(Disk):
        async def save(self, state: bytes) -> None:
            if self.states:
                raise DemixError("storage/quota", "No room.")
            await super().save(state)

    disk = Full(PLAIN.length, PLAIN.channels)
    with pytest.raises(DemixError, match="No room"):
        PLAIN.run(disk)
    assert len(disk.states) == 1
