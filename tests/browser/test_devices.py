"""Which device computes: measured in peace, remembered, and a person's wish first."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Worker, expect

from demixer_build import paths
from tests.browser.engines import open_empty
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

        def chosen(device: str = "auto", *, right: bool = True, fastest: str = "webgpu", gpu: str = name) -> Any:
            """The devices to try, where one was found right or wrong and the fastest at earlier visits."""
            trials = [{"device": kind, "workers": 1, "threads": 1} for kind in (fastest, "wasm")]
            known = {"verdicts": {name: {"right": right}}, "measured": {"gpu": gpu, "trials": trials}}
            return page.evaluate(script, {"device": device, "known": known})

        assert page.evaluate(script, {"device": "auto"}) == ["webgpu", "wasm"]
        assert page.evaluate(script, {"device": "auto", "allowSoftwareAdapter": False}) == ["wasm"]
        assert chosen() == ["webgpu", "wasm"]
        assert chosen(fastest="wasm") == ["wasm"]
        assert chosen(fastest="wasm", gpu="the one before") == ["webgpu", "wasm"]
        assert chosen(right=False) == ["wasm"]
        assert chosen("webgpu", right=False) == ["webgpu"]  # a person's wish
        assert chosen("wasm") == ["wasm"]


def test_the_number_of_workers(page: Page) -> None:
    script = """async ([cores, gigabytes, threads, workers]) => {
      Object.defineProperty(navigator, "hardwareConcurrency", { get: () => cores, configurable: true });
      Object.defineProperty(navigator, "deviceMemory", { get: () => gigabytes, configurable: true });
      const { contenders } = await import("/src/engine/page/calibration.js");
      const { choose } = await import("/src/engine/devices/choice.js");
      const measured = { gpu: null, trials: [{ device: "wasm", threads, workers }] };
      const [chosen] = await choose({ device: "wasm", known: { verdicts: {}, measured } });
      const names = contenders().map(({ device, workers = 1, threads }) => `${device} ${workers}x${threads}`);
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


@pytest.mark.slow
def test_devices_are_measured_against_each_other(page: Page) -> None:
    open_empty(page)
    told = measure(page, budget=60_000)
    counts = {contender["threads"] for contender in told["contenders"] if contender["device"] == "wasm"}
    assert {1, page.evaluate("Math.min(16, navigator.hardwareConcurrency)")} <= counts
    assert {trial["threads"] for trial in told["trials"]} == counts  # there is no GPU
    seconds = [trial["seconds"] for trial in told["trials"]]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    assert told["kept"] == [True, False]

    assert measure(page, budget=0)["trials"] == []
    for _ in range(100):
        if page.workers:
            page.wait_for_timeout(100)  # Chromium tells of their end a little later
    assert page.workers == []


def measure(page: Page, budget: int) -> Any:
    """Measure within so many milliseconds, and keep that for the real page."""
    script = """async ([budget, runtime]) => {
      const { calibrate, contenders } = await import("/src/engine/page/calibration.js");
      const { Devices } = await import("/src/engine/devices/known-devices.js");
      const trials = await calibrate(new AbortController().signal, budget);
      new Devices().keep(trials, runtime);
      const info = { adapter: null, runtime };
      const kept = [new Devices().isMeasured(info), new Devices().isMeasured({ ...info, runtime: "" })];
      return { contenders: contenders(), trials, kept };
    }"""
    packages = json.loads((paths.WEB / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return page.evaluate(script, [budget, packages["onnxruntime-web"]])


@pytest.fixture
def song_file(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Tide Table.wav", seconds=4)


def test_a_job_ends_the_measuring(page: Page, song_file: Path) -> None:
    engines: list[Worker] = []
    page.on("worker", lambda worker: engines.append(worker) if worker.url.endswith("/engine/worker/main.js") else None)
    page.goto("/")
    choose(page, song_file)
    expect(page.locator("engine-line")).to_contain_text("WASM", timeout=SOON)
    assert len(engines) == 1
    with page.expect_worker(lambda worker: worker.url.endswith("/engine/worker/main.js")):
        pass  # nothing is to be done, so devices are measured

    separate(page)
    expect(page.get_by_role("progressbar")).to_be_visible()
    begun = len(engines)
    desk_of(page, song_file)
    assert len(engines) == begun
    assert [worker for worker in engines if worker in page.workers] == engines[:1]


@pytest.mark.slow
def test_the_page_shows_what_was_measured_and_lets_choose(page: Page, song_file: Path) -> None:
    open_empty(page)
    trials = measure(page, budget=60_000)["trials"]
    if len(trials) == 1:
        pytest.skip("needs two cores")
    page.goto("/")
    choose(page, song_file)
    line, select = page.locator("engine-line"), page.get_by_role("combobox", name="Compute device")
    fastest = rf"WASM, {trials[0]['threads']} threads?, fastest of {len(trials)} measured"
    expect(line).to_contain_text(re.compile(fastest), timeout=SOON)
    expect(select).to_have_value("auto")

    select.select_option("Processor, 1 thread")
    expect(line).to_contain_text("WASM, 1 thread,", timeout=SOON)
    expect(line).not_to_contain_text("measured")

    page.reload()
    choose(page, song_file)
    expect(line).to_contain_text("WASM, 1 thread,", timeout=SOON)
    expect(select).to_have_value("wasm-1")
