"""The engine in a real browser, without the page around it."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import pytest
from playwright.sync_api import Page

from demixer import families, stems
from demixer.audio import Clip, Collected, Samples
from demixer.models import Model
from demixer.separate import separate
from demixer_build import paths
from tests.browser.engines import RATE, Engine, from_page, hold, inject, running, song, tiny_graphs, to_page
from tests.browser.watch import Watch
from tests.parity.songs import snr

HOP: Final = 512


#: Resolves when a worker has set a flag.
WAIT: Final = """(flag) => new Promise((resolve) => {
  const look = () => (self[flag] ? resolve() : setTimeout(look, 10));
  look();
})"""


def separated_natively(model: dict[str, Any], clip: Clip) -> Samples:
    described = Model.from_dict(model)
    sink = Collected(len(described.stems), clip.channels, clip.length)
    family = families.create(described, [], clip.rate)
    with ThreadPoolExecutor() as elsewhere:  # Playwright's own event loop runs here
        work = separate(clip, sink, family, described.preset("standard"))
        elsewhere.submit(asyncio.run, work).result()
    return sink.samples


@pytest.mark.parametrize("isolated", [True, False])
def test_separates_as_python_does_natively(page: Page, hpss: dict[str, Any], isolated: bool) -> None:
    engine = Engine(page, isolated=isolated)
    clip = song(seconds=9)

    found, result = engine.separate(hpss, clip)

    for reference, stem in zip(separated_natively(hpss, clip), found, strict=True):
        assert snr(reference, stem) >= 80
    assert np.abs(found.sum(axis=0) - clip.samples).max() <= 1e-4
    assert np.array_equal([from_page(channel) for channel in result["input"]], clip.samples)  # the page keeps its song
    assert [stem["names"] for stem in result["stems"]] == [[name] for name in hpss["stems"]]
    ends = [0, *(start + length for start, length in result["starts"])]
    assert [start for start, _ in result["starts"]] == ends[:-1]
    assert ends[-1] == clip.length
    for stem, samples in zip(result["stems"], found, strict=True):
        assert np.array_equal(from_page(stem["peaks"]), stems.peaks(samples, HOP).ravel())
    info = engine.call("start")["value"]
    assert info["isolation"] == ("isolated" if isolated else "not-isolated")
    assert (info["threads"] > 1) == (isolated and page.evaluate("navigator.hardwareConcurrency") > 1)
    assert info["gflops"] > 0


def test_start_reports_its_stages(engine: Engine) -> None:
    info = engine.call("start", {"device": "wasm", "threads": 1})["value"]

    assert (info["device"], info["adapter"], info["threads"]) == ("wasm", None, 1)
    stages = [f"engine.progress {stage}" for stage in ("python", "runtime", "packages", "benchmark", "ready")]
    assert sorted(engine.call("logged")) == sorted(stages)
    assert engine.call("logged")[-1] == "engine.progress ready"


def test_the_probe_is_what_the_engine_takes_it_for(engine: Engine) -> None:
    probe = engine.page.evaluate("async () => (await import('/src/engine/devices/self-test.js')).PROBE")
    assert (probe["rows"], probe["size"]) == tiny_graphs("PROBE_SHAPE")
    assert 2 * probe["products"] * probe["rows"] * probe["size"] ** 2 == tiny_graphs("PROBE_FLOPS")


@pytest.mark.slow
def test_webgpu_gives_the_known_answer(gpu_page: Page, echo: dict[str, Any]) -> None:
    engine = Engine(gpu_page)
    clip = song(seconds=2)

    assert engine.call("start", {"device": "auto"})["value"]["device"] == "wasm"  # an emulated GPU is none
    settings = {"device": "webgpu", "allowSoftwareAdapter": True, "bufferCache": "simple"}
    info = engine.call("start", settings)["value"]
    assert info["device"] == "webgpu"
    assert "swiftshader" in info["adapter"].lower()

    found, _ = engine.separate(echo, clip)
    for stem, gain in zip(found, tiny_graphs("ECHO_GAINS"), strict=True):
        assert np.abs(stem - gain * clip.samples).max() <= 1e-4


def test_an_error_leaves_the_engine_usable(
    engine: Engine, watch: Watch, hpss: dict[str, Any], echo: dict[str, Any]
) -> None:
    watch.expect("Failed to load resource.*404")
    clip = song(seconds=1)
    broken = Clip(clip.samples.copy(), RATE)
    broken.samples[1, 500] = np.nan
    good = echo["artifacts"]["default"][0]

    def opened(**artifact: Any) -> Any:
        return engine.call("open", {**echo, "artifacts": {"default": [{**good, **artifact}]}}).get("code")

    engine.call("start")
    worker = engine.worker()
    assert engine.call("separate", hpss, to_page(broken))["code"] == "audio/not-finite"
    assert engine.call("separate", {**hpss, "family": "unheard-of"}, to_page(clip))["code"] == "model/incompatible"
    assert opened(sha256="0" * 64) == "model/integrity"
    assert opened(bytes=good["bytes"] + 1) == "model/network"
    assert opened(bytes=good["bytes"] - 1) == "model/network"
    assert opened(path="testing/absent.onnx") == "model/network"
    assert opened(path="../index.html") == "model/network"
    assert engine.call("open", {**echo, "artifacts": {}})["code"] == "model/incompatible"
    assert engine.call("kept") == []

    engine.separate(hpss, clip)
    engine.separate(echo, clip)
    assert engine.worker() == worker


@pytest.mark.slow
def test_a_model_is_kept_only_while_it_is_whole(engine: Engine, watch: Watch, echo: dict[str, Any]) -> None:
    def downloads() -> int:
        return sum(request.url.endswith("echo.onnx") for request in watch.requests)

    digest = echo["artifacts"]["default"][0]["sha256"]
    assert engine.call("open", echo)["value"] == {"bytes": echo["artifacts"]["default"][0]["bytes"], "cached": True}
    assert [url.rsplit("/", 1)[1] for url in engine.call("kept")] == [digest]
    engine.call("create", {})
    assert engine.call("open", echo)["value"]["cached"]
    assert downloads() == 1

    engine.call("damageKept")
    engine.call("create", {})
    assert engine.call("open", echo)["value"]["cached"]
    assert downloads() == 2


def test_a_model_that_cannot_be_kept_still_works(engine: Engine, echo: dict[str, Any]) -> None:
    engine.call("start")
    refuse = "() => { Cache.prototype.put = async () => { throw new DOMException('', 'QuotaExceededError') } }"
    engine.worker().evaluate(refuse)
    assert engine.call("open", echo)["value"]["cached"] is False
    engine.separate(echo, song(seconds=1))


def test_two_workers_compute_what_one_does(page: Page, echo: dict[str, Any]) -> None:
    inject(page, {}, {"fault": "meet"}, {"fault": "meet"})  # it counts, too
    engine = Engine(page)
    clip = song(seconds=40)
    found = {}
    for workers in (1, 2):
        settings = {"device": "wasm", "workers": workers, "threads": 1}
        assert engine.call("start", settings)["value"]["workers"] == workers
        found[workers], _ = engine.separate(echo, clip)
    assert np.array_equal(found[1], found[2])
    runs = "async () => (await import('/src/engine/compute/runtime.js')).runs"
    one, other = (worker.evaluate(runs) for worker in engine.compute_workers()[-2:])
    assert one + other == 4
    assert min(one, other) > 0


@pytest.mark.slow
def test_a_failed_start_is_reported_and_can_be_repeated(page: Page, watch: Watch, hpss: dict[str, Any]) -> None:
    watch.expect("Failed to load resource.*404")
    engine = Engine(page)
    page.route("**/assets.json", lambda route: route.fulfill(status=404))
    assert engine.call("start")["code"] == "program/network"
    page.route("**/assets.json", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    assert engine.call("start")["code"] == "program/network"
    page.unroute("**/assets.json")
    page.route("**/src/engine/compute/runtime.js", lambda route: route.fulfill(status=404))
    assert engine.call("start")["code"] == "program/network"
    page.unroute("**/src/engine/compute/runtime.js")
    engine.separate(hpss, song(seconds=1))


def test_a_stuck_start_times_out(page: Page) -> None:
    page.route("**/pyodide.asm.wasm", hold)
    engine = Engine(page, startTimeout=3000)
    failed = engine.call("start")
    assert failed["code"] == "engine/timeout"
    assert failed["retryable"]
    page.unroute_all(behavior="ignoreErrors")


def test_cancel_while_the_engine_starts(engine: Engine, hpss: dict[str, Any]) -> None:
    engine.call("begin", hpss, 1)
    engine.call("seen", "engine.progress python")
    assert_cancelled(engine)
    engine.separate(hpss, song(seconds=1))


def test_cancel_while_a_model_downloads_or_a_song_is_separated(
    page: Page, hpss: dict[str, Any], echo: dict[str, Any]
) -> None:
    engine = Engine(page, grace=600_000)
    engine.call("start")
    worker = engine.worker()
    engine.call("beginOpening", held_back(engine, echo))
    engine.call("seen", "model.progress download")
    assert_cancelled(engine)
    engine.separate(echo, song(seconds=1))
    page.unroute_all(behavior="ignoreErrors")

    before = engine.call("count", "job.progress separate")
    engine.call("begin", hpss, 600)
    engine.call("seenTimes", "job.progress separate", before + 1)
    assert_cancelled(engine)
    engine.separate(hpss, song(seconds=1))
    assert engine.worker() == worker


@pytest.mark.slow
def test_cancel_while_a_model_blocks_the_worker(engine: Engine, hpss: dict[str, Any]) -> None:
    engine.call("start")
    worker = engine.worker()
    engine.call("begin", hpss, 60)
    engine.call("seen", "job.progress separate")
    worker.evaluate("() => { setTimeout(() => { for (;;); }) }")
    assert_cancelled(engine)
    engine.separate(hpss, song(seconds=1))
    assert engine.worker() != worker


#: Holds the next opening of a song or of an output in the engine's worker, and tells when Python has run the job.
HOLD: Final = """async ([file, name]) => {
  const opened = (await import(`/src/library/${file}.js`))[name];
  const { Bridge } = await import("/src/engine/python.js");
  const { open } = opened;
  const { runJob } = Bridge.prototype;
  self.isOpening = false;
  opened.open = async (...given) => {
    opened.open = open;
    self.isOpening = true;
    await new Promise((resolve) => { self.release = resolve; });
    return open.apply(opened, given);
  };
  Bridge.prototype.runJob = (...given) => {
    self.hasRun = true;
    return runJob.apply(this, given);
  };
}"""


def test_an_abort_while_something_is_opened_is_not_lost(page: Page, hpss: dict[str, Any]) -> None:
    engine = Engine(page, grace=600_000)
    engine.call("start")
    worker = engine.worker()
    for file, name in (("audio-reader", "AudioReader"), ("job-output", "JobOutput")):
        worker.evaluate(HOLD, [file, name])
        engine.call("begin", hpss, 60)
        worker.evaluate(WAIT, "isOpening")
        engine.call("abort")
        worker.evaluate("() => release()")
        assert engine.call("cancel")["code"] == "cancelled"  # once more, and waits until the engine is free
        assert not worker.evaluate("() => self.hasRun"), name
        assert engine.worker() == worker


def test_an_abort_ends_one_call_and_no_other(page: Page, hpss: dict[str, Any], echo: dict[str, Any]) -> None:
    engine = Engine(page, grace=600_000)
    engine.call("start")
    worker = engine.worker()
    engine.call("begin", hpss, 600)
    engine.call("seen", "job.progress separate")
    first = engine.call("count", "job.progress separate")
    engine.call("beginOpening", echo)  # waits for its turn
    assert engine.call("cancel")["code"] == "cancelled"
    engine.call("seenTimes", "job.progress separate", first + 2)
    assert [entry for entry in engine.call("logged") if entry.startswith("ended")] == ["ended cancelled"]
    assert engine.worker() == worker


def test_a_job_outlives_the_worker_that_another_call_had_blocked(
    page: Page, hpss: dict[str, Any], echo: dict[str, Any]
) -> None:
    engine = Engine(page)
    engine.call("start")
    worker = engine.worker()
    engine.call("begin", hpss, 600)
    engine.call("seen", "job.progress separate")
    waiting = engine.call("queue", echo)
    worker.evaluate("() => { setTimeout(() => { for (;;); }) }")
    assert engine.call("abort") is None
    assert "value" in engine.call("queued", waiting)
    assert engine.worker() != worker


def test_analyses_and_separations_do_not_end_each_other(page: Page, hpss: dict[str, Any]) -> None:
    engine = Engine(page, idle=3_600_000)
    clip = to_page(song(seconds=1))
    options = {"start": 0, "stop": RATE, "columns": 4, "rows": 8, "low": 100, "high": 10_000}
    engine.call("start")
    engine.call("begin", hpss, 600)
    engine.call("seen", "job.progress separate")

    pixels = engine.call("analyse", "spectrogram", clip, options)["pixels"]
    assert len(pixels) == 32
    assert max(pixels) > 100
    assert engine.call("analyse", "spectrogram", clip, options, True)["code"] == "cancelled"
    assert engine.call("analyse", "horoscope", clip, options)["code"] == "protocol/version"
    assert not [entry for entry in engine.call("logged") if entry.startswith("ended")]

    assert_cancelled(engine)
    assert engine.call("analyse", "spectrogram", clip, options)["pixels"] == pixels


def test_the_requests_of_every_worker_are_counted(page: Page) -> None:
    engine = Engine(page)

    def count(name: str) -> int:
        """Requests for files with such a name, which workers alone ask for."""
        page.wait_for_timeout(500)  # the browser reports them a little later
        return sum(name in url for url in engine.call("requests"))

    options = {"start": 0, "stop": RATE, "columns": 4, "rows": 8, "low": 100, "high": 10_000}
    engine.call("analyse", "spectrogram", to_page(song(seconds=1)), options)
    assert count("pyodide.asm.wasm") == 1
    assert count("ort-wasm") == 0
    engine.call("start")
    assert count("ort-wasm") >= 1


def test_the_worker_of_analyses_ends_when_idle(page: Page) -> None:
    engine = Engine(page, idle=1)
    options = {"start": 0, "stop": RATE, "columns": 4, "rows": 8, "low": 100, "high": 10_000}
    for _ in range(2):
        with page.expect_worker() as started:
            assert "pixels" in engine.call("analyse", "spectrogram", to_page(song(seconds=1)), options)
        assert running(page, [started.value]) == []


def test_analyses_survive_the_death_of_their_worker(page: Page) -> None:
    engine = Engine(page, idle=3_600_000)
    clip = to_page(song(seconds=1))
    options = {"start": 0, "stop": RATE, "columns": 4, "rows": 8, "low": 100, "high": 10_000}
    assert "pixels" in engine.call("analyse", "spectrogram", clip, options)
    engine.worker().evaluate("() => self.close()")
    codes = []
    while "pixels" not in (result := engine.call("analyse", "spectrogram", clip, options)):
        codes.append(result["code"])
    assert codes in ([], ["engine/crashed"])  # at most the one that was under way


def test_the_worker_itself_stops_a_cancelled_download(engine: Engine, echo: dict[str, Any]) -> None:
    held = held_back(engine, echo)
    request = {"v": engine.call("version"), "id": 1, "type": "model.open", "data": {"model": held}}
    [reply] = engine.call("raw", [request, {**request, "type": "abort"}])
    assert reply["error"]["code"] == "cancelled"
    engine.page.unroute_all(behavior="ignoreErrors")


def test_messages_that_are_not_understood(engine: Engine) -> None:
    version = engine.call("version")
    replies = engine.call(
        "raw",
        [
            {"v": version + 1, "id": 1, "type": "engine.start", "data": {}},
            {"v": version, "id": 2, "type": "engine.sing", "data": {}},
            {"v": version, "id": 3, "type": "toString", "data": {}},
            "nonsense",
            None,
            {"v": version, "id": 4, "type": "abort"},
        ],
    )
    by_id = {reply["id"]: reply for reply in replies}
    assert {number: by_id[number]["error"]["code"] for number in (1, 2, 3, None)} == dict.fromkeys(
        (1, 2, 3, None), "protocol/version"
    )
    assert 4 not in by_id


def test_python_and_javascript_hold_nothing_of_a_finished_job(
    engine: Engine, hpss: dict[str, Any], echo: dict[str, Any]
) -> None:
    count = """async () => {
      const { loadInterpreter } = await import("/src/engine/python.js");
      const { _module: module, runPython } = await loadInterpreter();
      runPython("import gc; gc.collect()");
      module.enable_pyproxy_allocation_tracing();
      return [module._hiwire_num_refs(), module.pyproxy_alloc_map.size];
    }"""

    def job() -> Any:
        engine.separate(hpss, song(seconds=3))
        engine.separate(echo, song(seconds=3))
        return engine.worker().evaluate(count)

    job()  # imports families, and begins to count
    assert job() == job()


def test_the_runtime_holds_one_model_at_most(page: Page, hpss: dict[str, Any], echo: dict[str, Any]) -> None:
    artifact = echo["artifacts"]["default"][0]
    graph = (paths.DIST / "models" / artifact["path"]).read_bytes() + b"\x98\x06\x01"  # a field that means nothing
    described = {"path": "testing/other.onnx", "bytes": len(graph), "sha256": hashlib.sha256(graph).hexdigest()}
    other = {**echo, "id": "other", "artifacts": {"default": [described]}}
    page.route("**/other.onnx", lambda route: route.fulfill(body=graph))
    inject(page, {})  # without faults, it counts
    engine = Engine(page)
    engine.call("start")

    def sessions() -> Any:
        return engine.compute_workers()[-1].evaluate(
            "async () => (await import('/src/engine/compute/runtime.js')).open.size"
        )

    before = sessions()
    for model, more in ((hpss, 0), (echo, 1), (other, 1), (hpss, 1), (echo, 1)):
        engine.separate(model, song(seconds=1))
        assert sessions() == before + more

    both = {**echo, "id": "both", "artifacts": {"default": [*echo["artifacts"]["default"], described]}}
    assert engine.call("open", both)["value"]["bytes"] == len(graph) + echo["artifacts"]["default"][0]["bytes"]
    assert sessions() == before + 2
    refused = engine.call("separate", both, to_page(song(seconds=1)))
    assert "2 are loaded" in refused["message"]  # its family has one network
    engine.separate(echo, song(seconds=1))
    assert sessions() == before + 1


@pytest.mark.slow
def test_python_needs_no_more_memory_for_a_longer_song(engine: Engine, hpss: dict[str, Any]) -> None:
    heap = """async () => {
      const { loadInterpreter } = await import("/src/engine/python.js");
      return (await loadInterpreter())._module.HEAPU8.length;
    }"""

    def after(seconds: int) -> int:
        engine.call("begin", hpss, seconds)
        assert "value" in engine.call("ended")
        return int(engine.worker().evaluate(heap))

    engine.call("start")
    short = after(seconds=30)
    assert after(seconds=120) <= 1.1 * short


def assert_cancelled(engine: Engine) -> None:
    """The running call ends with `cancelled` when it is aborted, and no event of it follows."""
    assert engine.call("cancel")["code"] == "cancelled"
    log = engine.call("logged")
    last = len(log) - 1 - log[::-1].index("cancel")
    after = [entry for entry in log[last:] if not entry.startswith("engine.")]
    assert after == ["cancel", "ended cancelled", "free"]


def held_back(engine: Engine, model: dict[str, Any]) -> dict[str, Any]:
    """A model whose download never ends."""
    engine.page.route("**/held.onnx", hold)
    artifact = {**model["artifacts"]["default"][0], "path": "testing/held.onnx", "sha256": "0" * 64}
    return {**model, "artifacts": {"default": [artifact]}}
