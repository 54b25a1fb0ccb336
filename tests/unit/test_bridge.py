"""The Python half of the engine worker, with Python on the other side of the border too."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demixer import stems
from demixer.audio import Clip, Samples, Source
from demixer.bridge import Bridge, PeakGrid, as_demix_error
from demixer.errors import AudioError
from demixer.runtime import Session

HPSS: dict[str, Any] = {
    "id": "hpss",
    "label": "Harmonic / percussive",
    "summary": "",
    "family": "hpss",
    "stems": ["harmonic", "percussive"],
    "gflop_per_second": 1.0,
    "presets": {"standard": {"overlap": 0.1}},
}


class PlainBorder:
    """What `runtimes.web` is in the browser, with nothing to convert."""

    def source(self, pcm: Any, /) -> Source:
        return Clip(pcm, 44_100)

    def session(self, session: Any, /) -> Session:
        return session  # type: ignore[no-any-return]

    def to_js(self, value: Any, /) -> Any:
        return value


class Page:
    """Keeps what it is told."""

    def __init__(self, bridge: Bridge, cancel_at: str | None = None) -> None:
        self.events: list[tuple[str, Any]] = []
        self._bridge = bridge
        self._cancel_at = cancel_at

    def __call__(self, kind: str, data: Any) -> None:
        self.events.append((kind, data))
        if kind == self._cancel_at:
            self._bridge.cancel()

    def told(self, kind: str) -> list[Any]:
        return [data for told, data in self.events if told == kind]


def noise(length: int) -> Samples:
    return np.random.default_rng(3).normal(0, 0.1, (2, length)).astype(np.float32)


def run(song: Samples, cancel_at: str | None = None, **request: Any) -> tuple[dict[str, Any], Page]:
    bridge = Bridge(PlainBorder())
    page = Page(bridge, cancel_at)
    asked = {"job": "one", "model": HPSS, "preset": "standard", "hop": 100, **request}
    return asyncio.run(bridge.run_job(json.dumps(asked), song, None, page)), page


def test_a_job_tells_its_progress_and_hands_out_every_sample() -> None:
    song = noise(400_000)

    reply, page = run(song)

    assert reply["ok"]
    assert reply["value"]["seconds"] > 0
    assert reply["value"]["modelSeconds"] == 0
    last = page.told("job.progress")[-1]
    assert (last["job"], last["stage"], last["done"]) == ("one", "separate", last["total"])
    chunks = page.told("job.chunk")
    ends = np.cumsum([chunk["length"] for chunk in chunks])
    assert [chunk["start"] for chunk in chunks] == [0, *ends[:-1]]
    assert ends[-1] == song.shape[1]
    found = [np.concatenate([chunk["stems"][index]["channels"] for chunk in chunks], axis=1) for index in range(2)]
    assert np.abs(sum(found) - song).max() <= 1e-4
    for index, stem in enumerate(found):
        peaks = np.concatenate([chunk["stems"][index]["peaks"] for chunk in chunks])
        assert {chunk["stems"][index]["name"] for chunk in chunks} == {HPSS["stems"][index]}
        assert np.array_equal(peaks, stems.peaks(stem, 100).ravel())


@pytest.mark.parametrize("moment", ["job.progress", "job.chunk"])
def test_a_cancelled_job_ends_at_its_next_mark(moment: str) -> None:
    reply, page = run(noise(1_000_000), cancel_at=moment)
    assert reply == {
        "ok": False,
        "error": {"code": "cancelled", "message": "Cancelled.", "hint": None, "retryable": True},
    }
    assert len(page.told(moment)) == 1


def test_cancelling_nothing_does_no_harm() -> None:
    bridge = Bridge(PlainBorder())
    bridge.cancel()
    request = json.dumps({"job": "one", "model": HPSS, "preset": "standard", "hop": 100})
    assert asyncio.run(bridge.run_job(request, noise(1000), None, Page(bridge)))["ok"]


@pytest.mark.parametrize(
    ("request_data", "code"),
    [
        ({"model": {**HPSS, "family": "unheard-of"}}, "model/incompatible"),
        ({"model": {**HPSS, "family": "spleeter"}}, "model/incompatible"),
        ({"model": {"id": "hpss"}}, "model/incompatible"),
        ({"hop": "wide"}, "runtime/failed"),
    ],
)
def test_what_cannot_be_run_is_an_error_with_a_code(request_data: dict[str, Any], code: str) -> None:
    reply, _ = run(noise(1000), **request_data)
    assert not reply["ok"]
    assert reply["error"]["code"] == code


def test_every_failure_has_a_code() -> None:
    known = AudioError("audio/empty", "Nothing.")
    assert as_demix_error(known) is known
    assert as_demix_error(MemoryError()).code == "runtime/out-of-memory"
    assert as_demix_error(KeyError("hop")).message == "KeyError: 'hop'"


def test_peaks_of_a_song() -> None:
    song = noise(2_500_001)
    reply = asyncio.run(Bridge(PlainBorder()).peaks(song, 512))
    assert np.array_equal(reply["value"]["peaks"], stems.peaks(song, 512).ravel())


@given(lengths=st.lists(st.integers(0, 50), min_size=1, max_size=8), hop=st.integers(1, 40))
def test_peaks_do_not_depend_on_how_a_stream_is_cut(lengths: list[int], hop: int) -> None:
    stream = noise(sum(lengths))
    grid = PeakGrid(hop, stream.shape[1])
    cuts = np.cumsum(lengths)[:-1]
    pieces = [grid.push(piece) for piece in np.split(stream, cuts, axis=1)]
    assert np.array_equal(np.concatenate(pieces), stems.peaks(stream, hop))
