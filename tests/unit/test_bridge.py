"""The Python half of the engine worker, with Python on the other side of the border too."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demixer import stems
from demixer.audio import Clip, Samples, Source
from demixer.bridge import Bridge, as_demix_error
from demixer.errors import CODES, AudioError
from demixer.job import Output
from demixer.normalisation import measure
from demixer.progress import Monitor
from demixer.runtime import Loaded
from tests.abort import Abort

HPSS: dict[str, Any] = {
    "id": "hpss",
    "label": "Harmonic / percussive",
    "summary": "",
    "family": "hpss",
    "stems": ["harmonic", "percussive"],
    "segment": 9.0,
    "gflop_per_second": 1.0,
    "presets": {"standard": {"overlap": 0.1}},
}


class PlainBorder:
    """A stand-in for `runtimes.web` that converts nothing."""

    def source(self, song: Any, /) -> Source:
        return Clip(song, 44_100)

    def session(self, session: Any, /) -> Loaded:
        return session  # type: ignore[no-any-return]

    def output(self, output: Any, /) -> Output:
        return output  # type: ignore[no-any-return]

    def to_js(self, value: Any, /) -> Any:
        return value


class Page:
    """Records events and stems: the receiver of events, an `Output`, and the job's signal."""

    def __init__(self, cancel_at: str | None = None) -> None:
        self.signal = Abort()
        self.events: list[tuple[str, Any]] = []
        self.state: bytes | None = None
        self.pieces: list[dict[str, Any]] = []
        self._cancel_at = cancel_at

    def __call__(self, kind: str, data: Any) -> None:
        self.events.append((kind, data))
        if kind == self._cancel_at:
            self.signal.aborted = True

    def told(self, kind: str) -> list[Any]:
        return [data for told, data in self.events if told == kind]

    def joined(self, stem: int, what: str) -> Samples:
        return np.concatenate([piece["stems"][stem][what] for piece in self.pieces])

    async def load(self) -> bytes | None:
        return self.state

    async def save(self, state: bytes) -> None:
        self.state = state

    async def write(self, start: int, length: int, stems: list[dict[str, Any]]) -> None:
        self.pieces.append({"start": start, "length": length, "stems": stems})
        if self._cancel_at == "write":
            self.signal.aborted = True

    async def resume(self, start: int, stems: list[dict[str, Any]]) -> None:
        resumed = {"start": start, "length": 0, "stems": [{**stem, "samples": np.zeros(0)} for stem in stems]}
        self.pieces = [resumed]
        self._cancel_at = None


async def run_job(page: Page, request: str, song: Samples) -> Any:
    return await Bridge(PlainBorder()).run_job(request, song, [], page, page.signal, page)


def noise(length: int) -> Samples:
    return np.random.default_rng(3).normal(0, 0.1, (2, length)).astype(np.float32)


def run(song: Samples, cancel_at: str | None = None, **request: Any) -> tuple[dict[str, Any], Page]:
    page = Page(cancel_at)
    asked = {"job": "one", "model": HPSS, "preset": "standard", "hop": 100, **request}
    return asyncio.run(run_job(page, json.dumps(asked), song)), page


def test_a_job_reports_progress_and_writes_every_sample() -> None:
    song = noise(400_000)

    reply, page = run(song)

    assert reply["ok"]
    assert reply["value"]["seconds"] > 0
    assert reply["value"]["modelSeconds"] == 0
    last = page.told("job.progress")[-1]
    assert (last["job"], last["stage"], last["done"]) == ("one", "separate", last["total"])
    assert reply["value"]["segments"] == last["total"]
    ends = np.cumsum([piece["length"] for piece in page.pieces])
    assert [piece["start"] for piece in page.pieces] == [0, *ends[:-1]]
    assert ends[-1] == song.shape[1]
    found = [page.joined(index, "samples").reshape(-1, 2).T for index in range(2)]
    assert np.abs(sum(found) - song).max() <= 1e-4
    for index, stem in enumerate(found):
        assert {piece["stems"][index]["name"] for piece in page.pieces} == {HPSS["stems"][index]}
        assert np.array_equal(page.joined(index, "peaks"), stems.peaks(stem, 100).ravel())


class TestAnalysis:
    """The interface of the analysis worker."""

    window: ClassVar[dict[str, Any]] = {
        "start": 0,
        "stop": 100_000,
        "columns": 7,
        "rows": 5,
        "low": 40,
        "high": 20_000,
    }

    def run(self, name: str = "spectrogram", options: Any = None, signal: Abort | None = None) -> Any:
        bridge = Bridge(PlainBorder())
        options = json.dumps(self.window if options is None else options)
        return asyncio.run(bridge.run_analysis(name, noise(100_000), options, signal or Abort()))

    def test_a_spectrogram_is_bytes_by_column_and_row(self) -> None:
        pixels = self.run()["value"]["pixels"]
        assert (pixels.shape, pixels.dtype) == ((35,), np.uint8)
        assert pixels.max() > 100

    def test_its_options_are_checked(self) -> None:
        assert self.run(options={**self.window, "rows": 0})["error"]["code"] == "protocol/version"
        assert self.run(options={})["error"]["code"] == "protocol/version"

    def test_an_unknown_one_is_an_error(self) -> None:
        assert self.run("horoscope")["error"]["code"] == "protocol/version"

    def test_it_can_be_cancelled(self) -> None:
        assert self.run(signal=Abort(aborted=True))["error"]["code"] == "cancelled"


@pytest.mark.parametrize("moment", ["job.progress", "write"])
def test_a_cancelled_job_ends_at_its_next_mark(moment: str) -> None:
    reply, page = run(noise(1_000_000), cancel_at=moment)
    assert reply == {
        "ok": False,
        "error": {"code": "cancelled", "message": "Cancelled.", "hint": None, "retryable": True},
    }
    assert len(page.pieces if moment == "write" else page.told(moment)) == 1


def test_a_cancelled_job_goes_on_where_it_was() -> None:
    song = noise(1_500_000)
    whole, straight = run(song)
    page = Page(cancel_at="write")
    request = json.dumps({"job": "one", "model": HPSS, "preset": "standard", "hop": 100})
    assert asyncio.run(run_job(page, request, song))["error"]["code"] == "cancelled"
    written = page.pieces[0]["length"]
    page.signal = Abort()
    reply = asyncio.run(run_job(page, request, song))
    assert reply["value"]["segments"] == whole["value"]["segments"] - 1
    assert [page.pieces[0]["start"], page.pieces[1]["start"]] == [written, written]
    for stem in range(2):
        assert np.array_equal(page.joined(stem, "peaks"), straight.joined(stem, "peaks"))
        assert np.array_equal(page.joined(stem, "samples"), straight.joined(stem, "samples")[2 * written :])


def test_a_job_cancelled_before_it_begins_writes_nothing() -> None:
    page = Page()
    page.signal.aborted = True
    request = json.dumps({"job": "one", "model": HPSS, "preset": "standard", "hop": 100})
    assert asyncio.run(run_job(page, request, noise(1000)))["error"]["code"] == "cancelled"
    assert page.pieces == []


@pytest.mark.parametrize(
    ("request_data", "code"),
    [
        ({"model": {**HPSS, "family": "unheard-of"}}, "model/incompatible"),
        ({"model": {**HPSS, "family": "spleeter"}}, "model/incompatible"),
        ({"model": {**HPSS, "stems": ["one", "two", "three"]}}, "model/incompatible"),
        ({"model": {"id": "hpss"}}, "model/incompatible"),
        ({"model": "hpss"}, "model/incompatible"),
        ({"hop": "wide"}, "protocol/version"),
        ({"hop": 0}, "protocol/version"),
        ({"hop": True}, "protocol/version"),
        ({"job": None}, "protocol/version"),
        ({"preset": ["standard"]}, "protocol/version"),
        ({"raw": "yes"}, "protocol/version"),
        ({"normalisation": 3}, "protocol/version"),
        ({"normalisation": {"offset": 0.0}}, "protocol/version"),
        ({"normalisation": {"offset": 0.0, "scale": 0.0}}, "protocol/version"),
        ({"normalisation": {"offset": float("nan"), "scale": 1.0}}, "protocol/version"),
    ],
)
def test_what_cannot_be_run_is_an_error_with_a_code(request_data: dict[str, Any], code: str) -> None:
    reply, _ = run(noise(1000), **request_data)
    assert not reply["ok"]
    assert reply["error"]["code"] == code


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def changed(good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A table like a good one, with some of its values replaced by anything, and some left out."""
    some = st.fixed_dictionaries({}, optional=dict.fromkeys(good, anything))
    left_out = st.sets(st.sampled_from(sorted(good)), max_size=1)
    return st.builds(
        lambda some, left_out: {name: some.get(name, good[name]) for name in good if name not in left_out},
        some,
        left_out,
    )


overlaps = st.floats(0, 1) | anything
models = changed(HPSS) | st.builds(lambda overlap: {**HPSS, "presets": {"standard": {"overlap": overlap}}}, overlaps)
requests = changed(
    {"job": "one", "model": HPSS, "preset": "standard", "hop": 100, "raw": False, "precision": "default"}
) | st.builds(
    lambda model, level, hop: {"job": "one", "model": model, "preset": "standard", "hop": hop, "normalisation": level},
    models,
    changed({"offset": 0.0, "scale": 1.0}) | anything,
    st.integers(-5, 5000) | anything,
)


@settings(max_examples=5 * settings().max_examples)
@given(text=st.text(max_size=20) | (requests | anything).map(json.dumps))
def test_any_request_gives_a_result_or_one_typed_error(text: str) -> None:
    page = Page()
    song = noise(3000)
    reply = asyncio.run(run_job(page, text, song))
    if reply["ok"]:
        assert sum(piece["length"] for piece in page.pieces) == song.shape[1]
        assert set(reply["value"]) == {"seconds", "modelSeconds", "segments"}
    else:
        assert reply["error"]["code"] in CODES
        assert not page.pieces


def test_every_failure_has_a_code() -> None:
    known = AudioError("audio/empty", "Nothing.")
    assert as_demix_error(known) is known
    assert as_demix_error(MemoryError()).code == "runtime/out-of-memory"
    assert as_demix_error(KeyError("hop")).message == "KeyError: 'hop'"


def test_a_given_normalisation_replaces_the_measurement_and_changes_no_bit() -> None:
    song = noise(300_000)
    level = asyncio.run(measure(Clip(song, 44_100), Monitor()))
    _, measured = run(song)
    _, surveyed = run(song, normalisation=json.loads(json.dumps(asdict(level))))
    assert "measure" in {mark["stage"] for mark in measured.told("job.progress")}
    assert "measure" not in {mark["stage"] for mark in surveyed.told("job.progress")}
    for one, other in zip(measured.pieces, surveyed.pieces, strict=True):
        assert all(np.array_equal(one["stems"][stem]["samples"], other["stems"][stem]["samples"]) for stem in range(2))


@given(lengths=st.lists(st.integers(0, 50), min_size=1, max_size=8), hop=st.integers(1, 40))
def test_peaks_do_not_depend_on_how_a_stream_is_cut(lengths: list[int], hop: int) -> None:
    stream = noise(sum(lengths))
    grid = stems.PeakGrid(hop, stream.shape[1])
    cuts = np.cumsum(lengths)[:-1]
    pieces = [grid.push(piece) for piece in np.split(stream, cuts, axis=1)]
    assert np.array_equal(np.concatenate(pieces), stems.peaks(stream, hop))


class TestExport:
    """The interface of the export worker."""

    stems = tuple(np.random.default_rng(3).normal(0, 0.2, (2, 2, 3_000)).astype(np.float32))
    gains = json.dumps([[1, 0.5], [0.25, 1]])

    def test_a_mix_is_measured_with_progress(self) -> None:
        told: list[float] = []
        bridge = Bridge(PlainBorder())
        song = np.sum(self.stems, axis=0)
        reply = asyncio.run(bridge.measure_mix(song, self.stems, self.gains, Abort(), told.append))
        assert reply["ok"]
        assert reply["value"]["stems"] == [float(np.abs(stem).max()) for stem in self.stems]
        assert reply["value"]["residual"] < -120
        assert told == [1.0]

    def test_a_rendering_is_read_in_blocks(self) -> None:
        request = json.dumps({"gains": json.loads(self.gains), "gain": 2, "layout": "packed16", "seed": 4})
        rendering = Bridge(PlainBorder()).render(self.stems, request)
        first, second = (asyncio.run(rendering.read(*part))["value"] for part in ((0, 1_000), (1_000, 3_000)))
        read = np.concatenate([first["bytes"], second["bytes"]]).view(np.int16).reshape(-1, 2).T / 2**15
        left = 2 * (self.stems[0][0] + 0.25 * self.stems[1][0])
        assert np.abs(read[0] - np.clip(left, -1, 1)).max() < 2**-14
        assert second["clipped"] == np.count_nonzero(
            np.abs(2 * (np.array([[1], [0.5]]) * self.stems[0] + np.array([[0.25], [1]]) * self.stems[1])) > 1
        )

    def test_an_unreadable_song_is_an_error(self) -> None:
        reply = asyncio.run(Bridge(PlainBorder()).measure_mix(np.zeros((2, 5)), self.stems, self.gains, Abort(), print))
        assert not reply["ok"]
        assert reply["error"]["code"] == "program/failed"
