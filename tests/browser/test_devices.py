"""The choice of a device: benchmarked while idle, remembered, and overridden by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, Route, Worker, expect

from demixer_build import paths
from tests.browser.engines import Engine, change, is_thread, open_empty, running
from tests.browser.test_page import SOON, choose, desk_of, separate, write_song


def test_the_choice_of_a_device(swiftshader: Browser, base_url: str) -> None:
    script = """async (settings) => {
      const { choose } = await import("/src/engine/devices/choice.js");
      return (await choose({ allowSoftwareAdapter: true, ...settings })).map(({ kind }) => kind);
    }"""
    with swiftshader.new_page(base_url=base_url) as page:
        open_empty(page)
        find = "async () => (await (await import('/src/engine/devices/candidates.js')).findAdapter(true)).name"
        name = page.evaluate(find)

        def chosen(device: str = "auto", *, passed: bool = True, fastest: str = "webgpu", gpu: str = name) -> Any:
            """The devices to try after a self-test and a benchmark at earlier visits."""
            results = [{"device": kind, "workers": 1, "threads": 1} for kind in (fastest, "wasm")]
            memory = {"selfTests": {name: {"passed": passed}}, "benchmark": {"gpu": gpu, "results": results}}
            return page.evaluate(script, {"device": device, "memory": memory})

        assert page.evaluate(script, {"device": "auto"}) == ["webgpu", "wasm"]
        assert page.evaluate(script, {"device": "auto", "allowSoftwareAdapter": False}) == ["wasm"]
        assert chosen() == ["webgpu", "wasm"]
        assert chosen(fastest="wasm") == ["wasm"]
        assert chosen(fastest="wasm", gpu="the one before") == ["webgpu", "wasm"]
        assert chosen(passed=False) == ["wasm"]
        assert chosen("webgpu", passed=False) == ["webgpu"]  # a person's wish
        assert chosen("wasm") == ["wasm"]

        cache = """async (bufferCache) => {
          const { choose } = await import("/src/engine/devices/choice.js");
          const devices = await choose({ device: "auto", allowSoftwareAdapter: true, bufferCache });
          return devices.map((device) => device.bufferCache ?? null);
        }"""
        assert page.evaluate(cache, "simple") == ["simple", None]
        assert page.evaluate(cache) == [None, None]


def test_the_number_of_workers(page: Page) -> None:
    script = """async ([cores, gigabytes, threads, workers]) => {
      Object.defineProperty(navigator, "hardwareConcurrency", { get: () => cores, configurable: true });
      Object.defineProperty(navigator, "deviceMemory", { get: () => gigabytes, configurable: true });
      const { candidates } = await import("/src/engine/devices/candidates.js");
      const { choose } = await import("/src/engine/devices/choice.js");
      const benchmark = { gpu: null, results: [{ device: "wasm", threads, workers }] };
      const [chosen] = await choose({ device: "wasm", memory: { selfTests: {}, benchmark } });
      const names = candidates().map(({ device, workers = 1, threads }) => `${device} ${workers}x${threads}`);
      return [names.slice(1), chosen.workers, chosen.threads];
    }"""

    def tried(cores: int, gigabytes: int, threads: int = 1, workers: int | None = None) -> Any:
        return page.evaluate(script, [cores, gigabytes, threads, workers])

    open_empty(page)
    assert tried(2, 8) == [["wasm 1x2", "wasm 1x1"], 1, 1]
    assert tried(8, 4)[0] == ["wasm 1x8", "wasm 1x4", "wasm 1x2", "wasm 1x1"]
    assert tried(8, 8)[0] == ["wasm 1x8", "wasm 2x4", "wasm 1x4", "wasm 1x2", "wasm 1x1"]
    assert tried(12, 16)[0][:3] == ["wasm 1x12", "wasm 2x6", "wasm 4x3"]
    assert tried(8, 8, threads=4, workers=2)[1:] == [2, 4]
    assert tried(8, 8, threads=8)[1:] == [1, 8]  # as measured at an earlier version

    open_empty(page, isolated=False)
    assert tried(8, 8)[0] == ["wasm 1x1", "wasm 2x1"]


@pytest.mark.parametrize("isolated", [True, False])
def test_the_name_of_settings_gives_them_back(page: Page, isolated: bool) -> None:
    script = """async () => {
      Object.defineProperty(navigator, "hardwareConcurrency", { get: () => 16 });
      Object.defineProperty(navigator, "deviceMemory", { get: () => 32 });
      const { candidates, nameOf, settingsOf } = await import("/src/engine/devices/candidates.js");
      const all = [{ device: "auto" }, ...candidates()];
      const odd = ["", "wasm", "wasm-", "wasm-x4", "wasm-2x", "gpu-1"].map(settingsOf);
      return [all, all.map((settings) => settingsOf(nameOf(settings))), odd, all.map(nameOf)];
    }"""
    open_empty(page, isolated=isolated)
    settings, again, odd, names = page.evaluate(script)
    assert again == settings
    assert len(set(names)) == len(names) > 3
    assert odd == [{"device": "auto"}] * len(odd)


#: A GPU that is not there, and a count of how often it was asked for.
NO_GPU: Final = """Object.defineProperty(navigator, "gpu", { value: { requestAdapter: async () => {
  self.adapterRequests = (self.adapterRequests ?? 0) + 1;
  return null;
} } });
"""


def test_a_gpu_is_requested_once(page: Page, echo: dict[str, Any]) -> None:
    def serve(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=NO_GPU + response.text())

    page.route("**/src/engine/worker/main.js", serve)
    engine = Engine(page)
    assert "value" in engine.call("open", echo)
    assert engine.call("start")["value"]["device"] == "wasm"
    assert engine.worker().evaluate("() => adapterRequests") == 1


#: A runtime that computes nothing but the answers of the self-test.
ANSWERS: Final = """
Runtime.load = async (device) => ({
  device,
  version: "0",
  close: async () => {},
  open: async () => ({
    run: async ([{ data }]) => {
      const probed = data.length === 1024 * 256;
      return [{ data: probed ? data : await (await fetch(siteUrl("models/testing/answer.json"))).json() }];
    },
    release: async () => {},
  }),
});
"""


#: The adapter of a GPU, with these features.
ADAPTER: Final = """Object.defineProperty(navigator, "gpu", { value: { requestAdapter: async () => ({
  info: { vendor: "nvidia", architecture: "hopper" },
  features: new Set(%s),
}) } });
"""


def pretend_gpu(page: Page, *, half: bool) -> None:
    """Give the engine a GPU, with float16 or with it hidden, as Chromium on Linux hides NVIDIA's."""

    def extend(code: str, *, ahead: bool = False) -> Any:
        def serve(route: Route) -> None:
            response = route.fetch()
            text = response.text()
            route.fulfill(response=response, body=code + text if ahead else text + code)

        return serve

    page.route("**/src/engine/worker/main.js", extend(ADAPTER % (["shader-f16"] if half else []), ahead=True))
    page.route("**/src/engine/compute/runtime.js", extend(ANSWERS))


@pytest.mark.parametrize("before", [None, False, True])
@pytest.mark.parametrize("half", [False, True])
def test_a_gpu_computes_in_float16_where_the_browser_offers_it(page: Page, half: bool, before: bool | None) -> None:
    """A flag of the browser decides, so that it can differ from an earlier visit."""
    pretend_gpu(page, half=half)
    open_empty(page)
    if before is not None:
        remember = """async (fp16) => {
          const { KnownDevices } = await import("/src/engine/page/known-devices.js");
          new KnownDevices().accept({ adapter: "nvidia hopper", device: "webgpu", fp16 });
        }"""
        page.evaluate(remember, before)
    engine = Engine(page)
    info = engine.call("start", {"device": "webgpu"})["value"]
    assert (info["device"], info["adapter"], info["fp16"]) == ("webgpu", "nvidia hopper", half)


@pytest.mark.parametrize(("half", "form"), [(True, "float16"), (False, "float32")])
def test_the_page_says_in_which_precision_a_gpu_computes(page: Page, song_file: Path, half: bool, form: str) -> None:
    pretend_gpu(page, half=half)
    page.goto("/src/index.html")  # with the sources, whose engine can be told so
    choose(page, song_file)
    expect(page.locator("engine-line")).to_contain_text(f"nvidia hopper, in {form}, ", timeout=SOON)


@pytest.mark.slow
def test_devices_are_measured_against_each_other(page: Page) -> None:
    open_empty(page)
    found = benchmark(page, budget=60_000)
    counts = {candidate["threads"] for candidate in found["candidates"] if candidate["device"] == "wasm"}
    assert {1, page.evaluate("Math.min(16, navigator.hardwareConcurrency)")} <= counts
    assert {result["threads"] for result in found["results"]} == counts  # there is no GPU
    seconds = [result["seconds"] for result in found["results"]]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    assert found["kept"] == [True, False]
    assert any("layers.onnx" in url for url in found["urls"])  # requests of the benchmark's workers count too

    assert benchmark(page, budget=0)["results"] == []
    assert running(page) == []


@pytest.mark.parametrize("record", ["'{'", "'7'", "JSON.stringify({ browser: navigator.userAgent })"])
def test_a_damaged_memory_of_devices_is_an_empty_one(page: Page, record: str) -> None:
    open_empty(page)
    script = f"""async () => {{
      localStorage.setItem("demixer.device-memory", {record});
      const {{ KnownDevices }} = await import("/src/engine/page/known-devices.js");
      return new KnownDevices().memory;
    }}"""
    assert page.evaluate(script) == {"selfTests": {}, "benchmark": None}


def benchmark(page: Page, budget: int) -> Any:
    """Compare the devices within so many milliseconds, and keep that for the real page."""
    script = """async ([budget, runtime]) => {
      const { compareDevices } = await import("/src/engine/page/comparison.js");
      const { candidates } = await import("/src/engine/devices/candidates.js");
      const { KnownDevices } = await import("/src/engine/page/known-devices.js");
      const { watchRequests } = await import("/src/base/requests.js");
      const urls = [];
      watchRequests((more) => urls.push(...more));
      const results = await compareDevices(new AbortController().signal, budget);
      new KnownDevices().keepBenchmark(results, runtime);
      const info = { adapter: null, runtime };
      const known = new KnownDevices();
      const kept = [known.isBenchmarked(info), known.isBenchmarked({ ...info, runtime: "" })];
      return { candidates: candidates(), results, kept, urls };
    }"""
    packages = json.loads((paths.WEB / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return page.evaluate(script, [budget, packages["onnxruntime-web"]])


@pytest.fixture
def song_file(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Tide Table.wav", seconds=4)


def test_a_job_ends_the_measuring(page: Page, song_file: Path) -> None:
    engines: list[Worker] = []
    page.on("worker", lambda worker: engines.append(worker) if is_thread(worker, "engine/worker") else None)
    page.route("**/layers.onnx*", lambda _: None)  # no device is measured before the job, so none takes over
    page.goto("/")
    choose(page, song_file)
    expect(page.locator("engine-line")).to_contain_text("WASM", timeout=SOON)
    for _ in range(300):
        if len(engines) > 1:
            break
        page.wait_for_timeout(100)
    assert len(engines) == 2  # nothing is to be done, so devices are measured

    separate(page)
    expect(page.get_by_role("progressbar")).to_be_visible()
    begun = len(engines)
    desk_of(page, song_file)
    assert len(engines) == begun
    assert running(page, engines, at_most=1) == engines[:1]


def test_an_isolated_page_without_shared_memory_has_one_thread_and_says_why(page: Page, song_file: Path) -> None:
    change(page, "delete globalThis.SharedArrayBuffer")
    page.goto("/")
    assert page.evaluate("crossOriginIsolated")
    choose(page, song_file)
    line = page.locator("engine-line")
    expect(line).to_contain_text("WASM, 1 thread, isolated, without shared memory", timeout=SOON)
    separate(page)
    desk_of(page, song_file)


@pytest.mark.slow
def test_the_page_shows_what_was_measured_and_lets_choose(page: Page, song_file: Path) -> None:
    open_empty(page)
    results = benchmark(page, budget=60_000)["results"]
    if len(results) == 1:
        pytest.skip("needs two cores")
    page.goto("/")
    choose(page, song_file)
    line, select = page.locator("engine-line"), page.get_by_role("combobox", name="Compute device")
    fastest = rf"WASM, {results[0]['threads']} threads?, fastest of {len(results)} measured"
    expect(line).to_contain_text(re.compile(fastest), timeout=SOON)
    expect(select).to_have_value("auto")

    select.select_option("Processor, 1 thread")
    expect(line).to_contain_text("WASM, 1 thread,", timeout=SOON)
    expect(line).not_to_contain_text("measured")

    page.reload()
    choose(page, song_file)
    expect(line).to_contain_text("WASM, 1 thread,", timeout=SOON)
    expect(select).to_have_value("wasm-1")
