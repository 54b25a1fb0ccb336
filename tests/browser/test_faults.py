"""Faults of the machine: each is reported, the job continues once on another device, and a second fault is an error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from playwright.sync_api import BrowserType, Page, expect

from demixer_build import browser as chromium
from tests.browser.engines import Engine, change, inject, open_empty, song, threads, tiny_graphs, to_page
from tests.browser.test_page import SOON, choose, desk_of, separate, write_song
from tests.browser.watch import Watch

SOFTWARE: Final = {"device": "auto", "allowSoftwareAdapter": True}
#: Milliseconds of silence after which a working engine is stuck, on a machine as busy as one with tests.
IMPATIENT: Final = 6000


def assert_echo(engine: Engine, echo: dict[str, Any], seconds: float = 2) -> None:
    """A job gives right stems."""
    clip = song(seconds)
    found, _ = engine.separate(echo, clip)
    for stem, gain in zip(found, tiny_graphs("ECHO_GAINS"), strict=True):
        assert np.abs(stem - gain * clip.samples).max() <= 1e-4


def fallbacks(engine: Engine) -> list[tuple[str, str, str]]:
    """Device and error of each reported fault, and the device after it."""

    def name(device: dict[str, Any] | None) -> str:
        if not device:
            return "none"
        threads = device.get("threads")
        return f"{device['kind']}-{threads}" if device["kind"] == "wasm" and threads else str(device["kind"])

    return [(name(one["from"]), one["error"]["code"], name(one["to"])) for one in engine.call("fallbackEvents")]


@pytest.fixture
def cores(page: Page) -> int:
    """The threads that the engine uses, more than one."""
    open_empty(page)
    count = int(page.evaluate("Math.min(8, navigator.hardwareConcurrency)"))
    if count == 1:
        pytest.skip("needs two cores")
    return count


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("nan", "runtime/failed"),  # other results that are refused: tests/unit/test_guard.py
        ("hang", "engine/timeout"),
    ],
)
def test_a_fault_in_the_middle_of_a_job(page: Page, cores: int, echo: dict[str, Any], fault: str, code: str) -> None:
    inject(page, {"fault": fault, "run": 2})
    engine = Engine(page, workTimeout=IMPATIENT)
    assert_echo(engine, echo, seconds=15)  # two segments
    assert fallbacks(engine) == [(f"wasm-{cores}", code, "wasm-1")]


@pytest.mark.slow
def test_where_two_workers_find_no_memory_one_may(page: Page, echo: dict[str, Any]) -> None:
    inject(page, {"fault": "memory"}, {"fault": "memory"})  # one of each
    engine = Engine(page)
    engine.call("start", {"device": "wasm", "workers": 2, "threads": 1})
    assert_echo(engine, echo)
    [fallback] = engine.call("fallbackEvents")
    assert (fallback["from"]["workers"], fallback["to"]["workers"]) == (2, 1)


@pytest.mark.slow
def test_a_persistent_fault_is_reported_as_what_it_is(page: Page, echo: dict[str, Any]) -> None:
    inject(page, {"fault": "memory"}, {"fault": "memory"})
    engine = Engine(page)
    failed = engine.call("separate", echo, to_page(song(1)))
    assert failed["code"] == "runtime/out-of-memory"
    assert failed["retryable"]
    assert len(fallbacks(engine)) == 1
    assert_echo(engine, echo)  # with all threads again
    assert len(fallbacks(engine)) == 1


@pytest.mark.parametrize("run", [1, 2])
def test_a_defect_of_the_program_says_so_and_no_other_device_is_tried(
    page: Page, echo: dict[str, Any], run: int
) -> None:
    inject(page, {"fault": "defect", "input": "x" if run == 1 else "magnitude"})  # in the probe, or in the model
    engine = Engine(page)
    failed = engine.call("separate", echo, to_page(song(1)))
    assert fallbacks(engine) == []
    assert failed["code"] == "program/failed"
    assert failed["message"].startswith("TypeError: Cannot read properties of undefined")


#: Errors by JavaScript's classes -> the code that they get where a failure would be the runtime's.
CLASSES: Final = {
    "new TypeError('estimate is not a function')": "program/failed",
    "new ReferenceError('x is not defined')": "program/failed",
    "new RangeError('Invalid array length')": "program/failed",
    "new RangeError('Array buffer allocation failed')": "runtime/out-of-memory",
    "new RangeError('WebAssembly.Memory(): could not allocate memory')": "runtime/out-of-memory",
    "new Error('failed to call OrtRun(). ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc')": "runtime/out-of-memory",
    "new WebAssembly.RuntimeError('unreachable')": "runtime/failed",
    "new Error('failed to call OrtRun(). ERROR_CODE: 1')": "runtime/failed",
    "new DOMException('stop', 'AbortError')": "cancelled",
    "new DOMException('full', 'QuotaExceededError')": "storage/quota",
    "new DOMException('no file', 'NotFoundError')": "storage/cleared",
    "new DOMException('no permission', 'NotReadableError')": "storage/cleared",
    # Networks, as Chromium, Firefox and Safari say it, and as libraries quote them.
    "new TypeError('Failed to fetch')": "program/network",
    "new TypeError('network error')": "program/network",
    "new TypeError('Failed to fetch dynamically imported module: http://x/y.mjs')": "program/network",
    "new TypeError('NetworkError when attempting to fetch resource.')": "program/network",
    "new TypeError('error loading dynamically imported module: http://x/y.mjs')": "program/network",
    "new TypeError('Error in input stream')": "program/network",
    "new TypeError('Load failed')": "program/network",
    "new TypeError('Importing a module script failed.')": "program/network",
    "new TypeError('The network connection was lost.')": "program/network",
    "new Error('ERR: [wasm] RuntimeError: Aborted(NetworkError: Failed to load)')": "program/network",
}


def test_the_class_of_an_error_tells_what_has_failed(page: Page) -> None:
    open_empty(page)
    script = f"""async () => {{
      const {{ DemixError }} = await import("/src/base/errors.js");
      return [{", ".join(CLASSES)}].map((error) => DemixError.wrap(error, "runtime/failed").code);
    }}"""
    assert page.evaluate(script) == list(CLASSES.values())


@pytest.mark.parametrize(
    "lacking",
    [
        "delete StorageManager.prototype.estimate; delete AbortSignal.any",
        "Object.defineProperty(navigator, 'storage', { value: undefined })",
    ],
)
def test_a_model_runs_where_the_browser_lacks_a_feature(page: Page, echo: dict[str, Any], lacking: str) -> None:
    change(page, lacking)
    engine = Engine(page)
    assert_echo(engine, echo, seconds=1)
    assert fallbacks(engine) == []


def test_a_worker_that_dies(engine: Engine, hpss: dict[str, Any]) -> None:
    engine.call("start")
    engine.call("begin", hpss, 60)
    for end in ("self.close()", "void Promise.reject(new Error('unforeseen'))"):
        engine.call("seenSince", "engine.fallback", "job.progress separate")
        engine.worker().evaluate(f"() => {end}")
    failed = engine.call("ended")
    assert failed["code"] == "engine/crashed"
    assert "unforeseen" in failed["message"]
    assert failed["retryable"]
    assert [code for _, code, _ in fallbacks(engine)] == ["engine/crashed"]
    engine.separate(hpss, song(seconds=1))


@pytest.mark.slow
def test_a_gpu_that_is_lost_is_not_taken_again(gpu_page: Page, echo: dict[str, Any]) -> None:
    inject(gpu_page, {"fault": "lose", "device": "webgpu"})
    engine = Engine(gpu_page)
    info = engine.call("start", SOFTWARE)["value"]
    assert (info["device"], info["fp16"]) == ("webgpu", False)  # an emulated one has no float16
    assert "swiftshader" in info["adapter"].lower()

    assert_echo(engine, echo)
    assert fallbacks(engine) == [("webgpu", "runtime/device-lost", "wasm")]
    assert engine.call("start", SOFTWARE)["value"]["device"] == "wasm"

    engine.call("create", {})  # as at the next visit
    assert engine.call("start", SOFTWARE)["value"]["device"] == "wasm"
    assert fallbacks(engine) == []


@pytest.mark.slow
def test_runs_that_wait_for_a_lost_gpu_are_refused(gpu_page: Page, echo: dict[str, Any]) -> None:
    inject(gpu_page, {"fault": "lose", "device": "webgpu", "run": 2})
    engine = Engine(gpu_page)
    assert engine.call("start", SOFTWARE)["value"]["device"] == "webgpu"
    assert_echo(engine, echo, seconds=40)  # four segments: while the second one is computed, the third one waits
    assert fallbacks(engine) == [("webgpu", "runtime/device-lost", "wasm")]


@pytest.mark.slow
def test_a_song_is_completed_after_a_crash_of_the_browsers_gpu_process(
    browser_type_launch_args: dict[str, Any],
    browser_type: BrowserType,
    watch: Watch,
    base_url: str,
    echo: dict[str, Any],
) -> None:
    arguments = [*browser_type_launch_args["args"], *chromium.SWIFTSHADER]
    with browser_type.launch(**{**browser_type_launch_args, "args": arguments}) as browser:
        page = browser.new_page(base_url=base_url)
        watch.follow(page)
        engine = Engine(page)
        assert engine.call("start", SOFTWARE)["value"]["device"] == "webgpu"
        engine.call("begin", echo, 40)
        engine.call("seen", "job.chunk")
        browser.new_browser_cdp_session().send("Browser.crashGpuProcess")
        assert "value" in engine.call("ended")
        assert fallbacks(engine) == [("webgpu", "runtime/device-lost", "wasm")]


@pytest.mark.slow
def test_a_gpu_that_computes_wrong_numbers(gpu_page: Page, echo: dict[str, Any]) -> None:
    inject(gpu_page, {"fault": "wrong", "input": "x", "device": "webgpu"})
    engine = Engine(gpu_page)
    assert engine.call("start", SOFTWARE)["value"]["device"] == "wasm"
    assert [code for _, code, _ in fallbacks(engine)] == ["runtime/failed"]
    assert_echo(engine, echo)
    assert len(fallbacks(engine)) == 1


def test_silence_counts_by_what_the_worker_is_used_to(page: Page) -> None:
    page.clock.install()
    open_empty(page)
    page.evaluate("""async () => {
      const { Watchdog } = await import("/src/base/watchdog.js");
      window.stuck = 0;
      window.watchdog = new Watchdog(30_000, () => { stuck += 1; });
    }""")

    def stuck(after: int) -> Any:
        """Number of times that the worker was reported as stuck, after further seconds of silence."""
        page.clock.run_for(after * 1000)
        return page.evaluate("stuck")

    assert stuck(after=100) == 0  # nobody works
    page.evaluate("watchdog.start(0)")
    assert stuck(after=29) == 0
    assert stuck(after=3) == 1
    assert stuck(after=100) == 1

    page.evaluate("watchdog.start(20_000)")
    assert stuck(after=79) == 1  # four times what was expected
    assert stuck(after=3) == 2

    page.evaluate("watchdog.start(0)")
    assert stuck(after=25) == 2
    page.evaluate("watchdog.reset()")
    assert stuck(after=95) == 2  # four times the silence that ended well
    assert stuck(after=9) == 3

    page.evaluate("watchdog.start(0); watchdog.paused = true")
    assert stuck(after=1000) == 3  # a download tells by itself when it is stuck


@pytest.fixture
def page_with_song(page: Page, tmp_path: Path) -> tuple[Page, Path]:
    path = write_song(tmp_path / "Long Tide.wav", seconds=60)
    page.goto("/")
    choose(page, path)
    return page, path


@pytest.mark.slow
def test_the_page_reports_the_failed_device(page_with_song: tuple[Page, Path]) -> None:
    page, path = page_with_song
    separate(page)
    bar = page.get_by_role("progressbar", name=f"Separating {path.stem}")
    expect(bar).to_have_attribute("aria-valuetext", re.compile("left"), timeout=SOON)
    threads(page, "engine/worker")[0].evaluate("() => self.close()")
    told = re.compile(r"The engine stopped unexpectedly\. (Continuing with one thread|Trying once more)\.")
    expect(page.locator("job-view")).to_contain_text(told, timeout=SOON)
    expect(page.locator("engine-line")).to_contain_text(told)
    expect(page.locator("#status")).to_have_text(told)
    desk_of(page, path)
    expect(page.get_by_role("alert").filter(has_text=re.compile("."))).to_have_count(0)
