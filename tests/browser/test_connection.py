"""A connection that is lost while parts of the program load: one error that says so, and one *Try again* that works."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.types import Message, Receive, Scope, Send

from demixer_build import paths
from tests.browser.engines import Engine, change, hold
from tests.browser.host import Fault, Host, hosting
from tests.browser.test_page import SOON
from tests.browser.visits import begin, choose, download, model, write_song
from tests.browser.watch import Watch

#: Parts of an engine's start: scripts of workers, imports, and what libraries fetch and import by themselves.
PARTS: Final = (
    "engine/worker/main.js",
    "engine/compute/runtime.js",
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
    "numpy-*",
    "micropip-*",
    "assets.json",
    "*.whl",
    "models/testing/probe.onnx",
)

#: What a person is told.
TOLD: Final = re.compile("A part of Demixer could not be downloaded.*Check the connection", re.DOTALL)

#: Makes the patience of a worker two seconds.
IMPATIENT: Final = """if (typeof document === "undefined") {
  const wait = setTimeout;
  self.setTimeout = (act, ms) => wait(act, Math.min(ms, 2000));
}"""


def test_whatever_part_of_the_engine_is_lost_is_told_as_that(page: Page, watch: Watch) -> None:
    watch.expect(".*")  # libraries say it in their own words
    engine = Engine(page)
    seen = {}
    for part in PARTS:
        page.route(f"**/{part}", lambda route: route.abort())
        seen[part] = engine.call("start")["code"]
        page.unroute(f"**/{part}")
    assert seen == dict.fromkeys(PARTS, "program/network")
    assert engine.call("fallbackEvents") == []  # no device is at fault
    assert "value" in engine.call("start")


def test_a_server_that_does_not_answer_is_no_slow_device(page: Page) -> None:
    change(page, IMPATIENT)
    page.route("**/assets.json", hold)
    engine = Engine(page)
    failed = engine.call("start")
    assert (failed["code"], failed["message"]) == ("program/network", "The server does not answer.")
    page.unroute_all(behavior="ignoreErrors")


@pytest.fixture
def host() -> Iterator[Host]:
    with hosting(paths.DIST) as host:
        yield host


@pytest.fixture
def visitor(host: Host, browser: Browser) -> Iterator[Page]:
    """A page of the host, without a service worker that could answer in its place."""
    with browser.new_context(service_workers="block", base_url=host.url) as context:
        page = context.new_page()
        page.goto("/")
        model(page, "Harmonic")
        yield page


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "A song.wav")


def cut(host: Host) -> Fault:
    """End the connection in the middle of an answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def half(message: Message) -> None:
            if message["type"] == "http.response.body":
                body = message["body"]
                await send({**message, "body": body[: len(body) // 2], "more_body": True})
                await asyncio.sleep(0.1)
                raise ConnectionError
            await send(message)

        await host.app(scope, receive, half)

    return answer


@pytest.mark.parametrize("part", ["engine-worker", "ort-wasm-simd-threaded.wasm"])  # a script, and what one fetches
def test_a_queue_goes_on_with_one_button(host: Host, visitor: Page, song: Path, tmp_path: Path, part: str) -> None:
    host.faults[part] = cut(host)
    other = write_song(tmp_path / "Another.wav")
    visitor.locator("input[type=file]").set_input_files([song, other])
    begin(visitor)
    again = visitor.get_by_role("button", name="Try again", exact=True)
    songs = visitor.get_by_role("list", name="Songs").get_by_role("listitem")
    expect(songs.filter(has_text="Failed")).to_have_count(2, timeout=SOON)
    expect(again).to_have_count(1)
    expect(visitor.get_by_role("alert").filter(has_text=TOLD)).to_have_count(1)

    # No model is to blame.
    assert visitor.evaluate("localStorage.getItem('demixer.crashes')") is None

    host.faults.clear()
    again.click()
    expect(songs.filter(has_text="Done")).to_have_count(2, timeout=SOON)
    expect(visitor.get_by_role("alert").filter(has_text=re.compile("."))).to_have_count(0)


def test_the_parts_that_read_and_write_files_are_tried_again_as_well(
    host: Host, visitor: Page, song: Path, tmp_path: Path
) -> None:
    host.faults["decode-worker"] = cut(host)
    choose(visitor, song)
    expect(visitor.get_by_role("alert").filter(has_text=TOLD)).to_have_count(1)
    host.faults.clear()
    visitor.get_by_role("button", name="Try again", exact=True).click()
    begin(visitor)
    download(visitor, "Harmonic", tmp_path)

    host.faults["export-worker"] = cut(host)
    visitor.get_by_role("button", name="Export mix").click()
    dialog = visitor.get_by_role("dialog", name="Export")
    dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog.get_by_role("alert").filter(has_text="Check the connection")).to_have_count(1, timeout=SOON)
    host.faults.clear()
    with visitor.expect_download(timeout=SOON):
        dialog.get_by_role("button", name="Export", exact=True).click()
