"""The engine in a real browser, without the page around it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, Worker

from demixer import families, stems
from demixer.audio import Clip, Collected, Samples
from demixer.models import Model
from demixer.separate import separate
from demixer_build import paths
from demixer_build.headers import headers_for
from tests.browser.watch import Watch

RATE: Final = 44_100
HOP: Final = 512
ISOLATION: Final = ("Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy")


class Engine:
    """Drives `harness.js` on an empty page of the real origin."""

    def __init__(self, page: Page, *, isolated: bool = True, **options: Any) -> None:
        headers = headers_for("/")
        if not isolated:
            headers = {name: value for name, value in headers.items() if name not in ISOLATION}
        harness = Path(__file__).with_name("harness.js").read_text(encoding="utf-8")
        page.route("**/empty", lambda route: route.fulfill(body="", content_type="text/html", headers=headers))
        page.route("**/harness.js", lambda route: route.fulfill(body=harness, content_type="text/javascript"))
        page.goto("/empty")
        self.page = page
        self.call("create", options)

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of the harness."""
        script = "async ([name, given]) => (await import('/harness.js'))[name](...given)"
        return self.page.evaluate(script, [name, arguments])

    def worker(self) -> Worker:
        """The engine's worker, not those of its threads."""
        return next(worker for worker in self.page.workers if worker.url.endswith("/engine/worker.js"))

    def separate(self, model: dict[str, Any], clip: Clip, **settings: Any) -> tuple[Samples, dict[str, Any]]:
        """Separate a song: its stems, and whatever else the harness tells."""
        told = self.call("separate", model, to_page(clip), settings)
        assert "code" not in told, told
        found = [[from_page(channel) for channel in stem["channels"]] for stem in told["stems"]]
        return np.array(found, np.float32), told


@pytest.fixture
def engine(page: Page) -> Engine:
    return Engine(page)


@pytest.fixture(scope="module")
def hpss() -> dict[str, Any]:
    manifest = json.loads((paths.DIST / "models" / "manifest.json").read_text(encoding="utf-8"))
    return next(model for model in manifest["models"] if model["id"] == "hpss")


@pytest.fixture(scope="module")
def echo() -> dict[str, Any]:
    """A model in the form of Spleeter whose stems are the song, times `ECHO_GAINS`."""
    graph = (paths.DIST / "models" / "testing" / "echo.onnx").read_bytes()
    artifact = {"path": "testing/echo.onnx", "bytes": len(graph), "sha256": hashlib.sha256(graph).hexdigest()}
    return {
        "id": "echo",
        "label": "Echo",
        "summary": "Gives back what it gets.",
        "family": "spleeter",
        "stems": ["vocals", "accompaniment"],
        "gflop_per_second": 1.0,
        "presets": {"standard": {"overlap": 0.1}},
        "artifacts": {"default": artifact},
    }


def song(seconds: float, channels: int = 2) -> Clip:
    """Sustained tones, hits and some noise, different on each channel."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(7).normal(0, 0.01, (channels, time.size))
    tones = np.array([np.sin(2 * np.pi * (220 + 110 * channel) * time) for channel in range(channels)])
    hits = np.where(time % 0.25 < 0.002, 0.5, 0.0)
    return Clip((0.3 * tones + hits + noise).astype(np.float32), RATE)


def tiny_graph(constant: str) -> Any:
    """A constant of `models/testing/make.py`, which is no package."""
    return runpy.run_path(str(paths.MODELS / "testing" / "make.py"))[constant]


def to_page(clip: Clip) -> dict[str, Any]:
    return {"rate": clip.rate, "channels": [base64.b64encode(channel).decode() for channel in clip.samples]}


def from_page(text: str) -> Samples:
    return np.frombuffer(base64.b64decode(text), np.float32)


def separated_natively(model: dict[str, Any], clip: Clip) -> Samples:
    described = Model.from_dict(model)
    sink = Collected(len(described.stems), clip.channels, clip.length)
    family = families.create(described, None, clip.rate)
    with ThreadPoolExecutor() as elsewhere:  # Playwright's own event loop runs here
        work = separate(clip, sink, family, described.preset("standard"))
        elsewhere.submit(asyncio.run, work).result()
    return sink.samples


def snr(reference: Samples, estimate: Samples) -> float:
    """Signal-to-noise ratio in dB."""
    noise = np.sum(np.square(reference - estimate, dtype=np.float64))
    return float(10 * np.log10(np.sum(np.square(reference, dtype=np.float64)) / noise)) if noise else np.inf


@pytest.mark.parametrize("isolated", [True, False])
def test_separates_as_python_does_natively(page: Page, hpss: dict[str, Any], isolated: bool) -> None:
    engine = Engine(page, isolated=isolated)
    clip = song(seconds=9)

    found, told = engine.separate(hpss, clip)

    for reference, stem in zip(separated_natively(hpss, clip), found, strict=True):
        assert snr(reference, stem) >= 80
    assert np.abs(found.sum(axis=0) - clip.samples).max() <= 1e-4
    assert np.array_equal([from_page(channel) for channel in told["input"]], clip.samples)  # the page keeps its song
    assert [stem["names"] for stem in told["stems"]] == [[name] for name in hpss["stems"]]
    ends = [0, *(start + length for start, length in told["starts"])]
    assert [start for start, _ in told["starts"]] == ends[:-1]
    assert ends[-1] == clip.length
    for stem, samples in zip(told["stems"], found, strict=True):
        assert np.array_equal(from_page(stem["peaks"]), stems.peaks(samples, HOP).ravel())
    assert np.array_equal(from_page(engine.call("peaks", to_page(clip))), stems.peaks(clip.samples, HOP).ravel())
    info = engine.call("start")["value"]
    assert info["isolated"] == isolated
    assert (info["threads"] > 1) == (isolated and page.evaluate("navigator.hardwareConcurrency") > 1)
    assert info["gflops"] > 0


def test_start_tells_its_stages(engine: Engine) -> None:
    info = engine.call("start", {"device": "wasm", "threads": 1})["value"]

    assert (info["device"], info["adapter"], info["threads"]) == ("wasm", None, 1)
    stages = [f"engine.progress {stage}" for stage in ("python", "runtime", "packages", "calibrate", "ready")]
    assert sorted(engine.call("logged")) == sorted(stages)
    assert engine.call("logged")[-1] == "engine.progress ready"


def test_the_probe_is_what_the_engine_takes_it_for(engine: Engine) -> None:
    probe = engine.page.evaluate("async () => (await import('/engine/probe.js')).PROBE")
    assert (probe["rows"], probe["size"]) == tiny_graph("PROBE_SHAPE")
    assert 2 * probe["products"] * probe["rows"] * probe["size"] ** 2 == tiny_graph("PROBE_FLOPS")


@pytest.mark.slow
def test_webgpu_gives_the_known_answer(swiftshader: Browser, watch: Watch, base_url: str, echo: dict[str, Any]) -> None:
    with swiftshader.new_page(base_url=base_url) as page:
        watch.follow(page)
        engine = Engine(page)
        clip = song(seconds=2)

        assert engine.call("start", {"device": "webgpu"})["code"] == "runtime/start-failed"  # an emulated GPU is none
        assert engine.call("start", {"device": "auto"})["value"]["device"] == "wasm"
        info = engine.call("start", {"device": "webgpu", "allowSoftwareAdapter": True})["value"]
        assert info["device"] == "webgpu"
        assert "swiftshader" in info["adapter"].lower()

        found, _ = engine.separate(echo, clip)
        for stem, gain in zip(found, tiny_graph("ECHO_GAINS"), strict=True):
            assert np.abs(stem - gain * clip.samples).max() <= 1e-4

        lose_the_device = """async () => {
          const { env } = await import("/vendor/onnxruntime-web/ort.webgpu.min.mjs");
          (await env.webgpu.device).destroy();
        }"""
        engine.worker().evaluate(lose_the_device)
        assert engine.call("separate", echo, to_page(clip), {})["code"] == "runtime/device-lost"


def test_an_error_leaves_the_engine_usable(
    engine: Engine, watch: Watch, hpss: dict[str, Any], echo: dict[str, Any]
) -> None:
    watch.expect("Failed to load resource.*404")
    clip = song(seconds=1)
    broken = Clip(clip.samples.copy(), RATE)
    broken.samples[1, 500] = np.nan
    good = echo["artifacts"]["default"]

    def opened(**artifact: Any) -> Any:
        return engine.call("open", {**echo, "artifacts": {"default": {**good, **artifact}}}).get("code")

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

    digest = echo["artifacts"]["default"]["sha256"]
    assert engine.call("open", echo)["value"] == {"bytes": echo["artifacts"]["default"]["bytes"], "cached": True}
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


@pytest.mark.slow
def test_a_failed_start_is_told_and_can_be_repeated(page: Page, watch: Watch, hpss: dict[str, Any]) -> None:
    watch.expect("Failed to load resource.*404")
    engine = Engine(page)
    page.route("**/assets.json", lambda route: route.fulfill(status=404))
    assert engine.call("start")["code"] == "runtime/start-failed"
    page.route("**/assets.json", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    assert engine.call("start")["code"] == "runtime/start-failed"
    page.unroute("**/assets.json")
    page.route("**/engine/ort.js", lambda route: route.fulfill(status=404))
    assert engine.call("start")["code"] == "engine/crashed"
    page.unroute("**/engine/ort.js")
    engine.separate(hpss, song(seconds=1))


def test_a_stuck_start_times_out(page: Page) -> None:
    page.route("**/pyodide.asm.wasm", hold)
    engine = Engine(page, patience=3000)
    failed = engine.call("start")
    assert failed["code"] == "engine/timeout"
    assert failed["retryable"]
    page.unroute_all(behavior="ignoreErrors")


def test_cancel_while_the_engine_starts(engine: Engine, hpss: dict[str, Any]) -> None:
    engine.call("begin", hpss, 1)
    engine.call("seen", "engine.progress python")
    assert_cancelled(engine)
    engine.separate(hpss, song(seconds=1))


def test_cancel_while_a_model_downloads(engine: Engine, echo: dict[str, Any]) -> None:
    engine.call("start")
    engine.call("beginOpening", held_back(engine, echo))
    engine.call("seen", "model.progress download")
    assert_cancelled(engine)
    engine.separate(echo, song(seconds=1))
    engine.page.unroute_all(behavior="ignoreErrors")


def test_cancel_while_a_song_is_separated(engine: Engine, hpss: dict[str, Any]) -> None:
    engine.call("start")
    engine.call("begin", hpss, 60)
    engine.call("seen", "job.progress separate")
    assert_cancelled(engine)
    engine.separate(hpss, song(seconds=1))


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


@pytest.mark.slow
def test_a_worker_ended_from_outside(engine: Engine, hpss: dict[str, Any]) -> None:
    engine.call("start")
    engine.call("begin", hpss, 60)
    engine.call("seen", "job.progress separate")
    engine.worker().evaluate("() => self.close()")
    failed = engine.call("ended")
    assert failed["code"] == "engine/crashed"
    assert failed["retryable"]
    engine.separate(hpss, song(seconds=1))


def test_a_cancelled_download_is_given_up_by_the_worker_itself(engine: Engine, echo: dict[str, Any]) -> None:
    held = held_back(engine, echo)
    request = {"v": engine.call("version"), "id": 1, "type": "model.open", "data": {"model": held}}
    stop = {"v": engine.call("version"), "id": 2, "type": "job.cancel", "data": {"job": None}}
    replies = {reply["id"]: reply for reply in engine.call("raw", [request, stop])}
    assert replies[1]["error"]["code"] == "cancelled"
    assert replies[2] == {"id": 2, "ok": True, "value": None}
    engine.page.unroute_all(behavior="ignoreErrors")


@pytest.mark.slow
def test_an_unexpected_failure_in_the_worker_ends_its_calls(engine: Engine, hpss: dict[str, Any]) -> None:
    engine.call("start")
    engine.call("begin", hpss, 60)
    engine.worker().evaluate("() => void Promise.reject(new Error('unforeseen'))")
    failed = engine.call("ended")
    assert failed["code"] == "engine/crashed"
    assert "unforeseen" in failed["message"]
    engine.separate(hpss, song(seconds=1))


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
            {"v": version, "id": 4, "type": "job.cancel", "data": {"job": "unknown"}},
        ],
    )
    by_id = {reply["id"]: reply for reply in replies}
    assert {number: by_id[number]["error"]["code"] for number in (1, 2, 3, None)} == dict.fromkeys(
        (1, 2, 3, None), "protocol/version"
    )
    assert by_id[4] == {"id": 4, "ok": True, "value": None}


def test_python_and_javascript_hold_nothing_of_a_finished_job(
    engine: Engine, hpss: dict[str, Any], echo: dict[str, Any]
) -> None:
    count = """async () => {
      const { loadInterpreter } = await import("/engine/pyodide.js");
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


@pytest.mark.slow
def test_python_needs_no_more_memory_for_a_longer_song(engine: Engine, hpss: dict[str, Any]) -> None:
    heap = """async () => {
      const { loadInterpreter } = await import("/engine/pyodide.js");
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
    """What runs ends with `cancelled` when asked to, and is not heard of again."""
    assert engine.call("cancel")["code"] == "cancelled"
    log = engine.call("logged")
    after = [entry for entry in log[log.index("cancel") :] if not entry.startswith("engine.")]
    assert after == ["cancel", "ended cancelled", "free"]


def hold(route: Route) -> None:
    """Leave a request without an answer."""


def held_back(engine: Engine, model: dict[str, Any]) -> dict[str, Any]:
    """A model whose download never ends."""
    engine.page.route("**/held.onnx", hold)
    artifact = {**model["artifacts"]["default"], "path": "testing/held.onnx", "sha256": "0" * 64}
    return {**model, "artifacts": {"default": artifact}}
