"""The store of models: failing downloads, a cache that refuses, and tabs that need the same model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from demixer_build import paths
from tests.browser.deployments import ECHO, deployment, echo
from tests.browser.engines import running
from tests.browser.host import Host, hosting
from tests.browser.visits import Visit, installed, kept
from tests.browser.watch import Watch

GRAPH: Final = (paths.DIST / "models" / ECHO).read_bytes() if paths.DIST.exists() else b""

#: Milliseconds without a byte after which a connection is given up: long enough for a working one.
PATIENCE: Final = 2000

OBTAIN: Final = """async ([path, artifact, patience]) => {
  const { obtain } = await import("/src/library/model-store.js");
  const marks = [], problems = [];
  globalThis.stop = new AbortController();
  const report = (...mark) => marks.push(mark);
  const url = new URL(path, location.origin + "/models/");
  try {
    const warn = ({ code }) => problems.push(code);
    const { weights, cached } = await obtain(url, artifact, stop.signal, report, warn, patience);
    return { size: weights.length, cached, marks, problems };
  } catch ({ code }) {
    return { code, marks, problems };
  }
}"""


@pytest.fixture
def host() -> Iterator[Host]:
    with hosting(paths.DIST) as host:
        yield host


@pytest.fixture
def store(host: Host, context: BrowserContext) -> Page:
    """An empty page of the host's origin."""
    page = context.new_page()
    page.goto(f"{host.url}/assets.json")
    return page


def obtain(page: Page, patience: float = PATIENCE) -> dict[str, Any]:
    artifact = echo()["artifacts"]["default"][0]
    told: dict[str, Any] = page.evaluate(OBTAIN, [ECHO, artifact, patience])
    return told


def stream(*chunks: bytes, status: int = 200, headers: dict[str, str] | None = None, end: bool = True) -> Any:
    """A response in chunks, which may never end."""

    async def fault(_scope: Scope, _receive: Receive, send: Send) -> None:
        given = {"content-type": "application/octet-stream", "content-length": str(len(GRAPH)), **(headers or {})}
        pairs = [(name.encode(), value.encode()) for name, value in given.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if not end:
            await asyncio.sleep(60)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return fault


#: Cancels as soon as the first bytes are there.
CANCEL: Final = """() => {
  const { read } = ReadableStreamDefaultReader.prototype;
  ReadableStreamDefaultReader.prototype.read = async function () {
    ReadableStreamDefaultReader.prototype.read = read;
    const chunk = await read.call(this);
    setTimeout(() => globalThis.stop.abort({ code: "cancelled" }));
    return chunk;
  };
}"""

FLIPPED: Final = GRAPH[:500] + bytes([GRAPH[500] ^ 1]) + GRAPH[501:] if GRAPH else b""

FAULTS: Final = {
    "a flipped byte": (Response(FLIPPED), "model/integrity"),
    "a truncated file": (Response(GRAPH[:700]), "model/network"),
    "a longer file": (Response(GRAPH + b"!"), "model/network"),
    "404": (Response("no", status_code=404), "model/network"),
    "a page": (HTMLResponse("<!doctype html>"), "model/network"),
    "a stalled stream": (stream(GRAPH[:700], end=False), "model/network"),
    "no answer": (stream(end=False), "model/network"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_download_is_an_error_stores_nothing_and_can_be_repeated(host: Host, store: Page, fault: str) -> None:
    host.faults[ECHO], code = FAULTS[fault]
    assert obtain(store)["code"] == code
    assert kept(store) == []
    host.faults.clear()
    told = obtain(store)
    assert (told["size"], told["cached"], told["problems"]) == (len(GRAPH), True, [])
    assert len(kept(store)) == 1


def test_what_broke_off_goes_on_where_it_was(host: Host, store: Page) -> None:
    host.faults[ECHO] = stream(GRAPH[:400], end=False)
    assert obtain(store)["code"] == "model/network"
    host.asked.clear()
    host.faults.clear()
    assert obtain(store)["cached"]
    assert [asked.headers.get("range") for asked in host.asked] == ["bytes=400-"]


def test_without_ranges_the_whole_file_is_requested(host: Host, store: Page) -> None:
    host.faults[ECHO] = stream(GRAPH[:400], end=False)
    assert obtain(store)["code"] == "model/network"
    host.faults[ECHO] = stream(GRAPH)
    assert obtain(store)["size"] == len(GRAPH)


def test_an_abort_answers_at_once_and_loses_nothing(host: Host, store: Page) -> None:
    host.faults[ECHO] = stream(GRAPH[:400], end=False)
    store.evaluate(CANCEL)
    assert obtain(store, patience=60_000)["code"] == "cancelled"
    assert kept(store) == []
    host.faults.clear()
    host.asked.clear()
    assert obtain(store)["cached"]
    assert host.asked[-1].headers["range"] == "bytes=400-"


def test_progress_is_reported(store: Page) -> None:
    size = len(GRAPH)
    marks = obtain(store)["marks"]
    assert marks == [["download", 0, size], ["download", size, size], ["verify", 0, 1], ["verify", 1, 1]]


REFUSALS: Final = {
    "no room": ("navigator.storage.estimate = async () => ({ usage: 900, quota: 1000 })", "storage/quota"),
    "a full disk": (
        "Cache.prototype.put = async () => { throw new DOMException('', 'QuotaExceededError') }",
        "storage/quota",
    ),
    "a private window": (
        "CacheStorage.prototype.open = async () => { throw new DOMException('', 'SecurityError') }",
        "storage/unavailable",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_model_that_cannot_be_kept_works_from_memory_and_is_reported(store: Page, refusal: str) -> None:
    script, code = REFUSALS[refusal]
    store.evaluate(f"() => {{ {script} }}")
    told = obtain(store)
    assert (told["size"], told["cached"], told["problems"]) == (len(GRAPH), False, [code])


def test_damage_on_the_disk_is_found_and_mended(host: Host, store: Page) -> None:
    obtain(store)
    damage = """async (bytes) => {
      const cache = await caches.open("demixer-models");
      const [request] = await cache.keys();
      await cache.put(request, new Response(new Uint8Array(bytes)));
    }"""
    store.evaluate(damage, list(FLIPPED))
    host.asked.clear()
    assert obtain(store)["cached"]
    assert len(host.asked) == 1


def test_two_tabs_download_once(host: Host, store: Page, context: BrowserContext) -> None:
    go = asyncio.Event()
    asked = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        while not go.is_set():
            await asyncio.sleep(0.02)
        await Response(GRAPH)(scope, receive, send)

    host.faults[ECHO] = slow
    other = context.new_page()
    other.goto(f"{host.url}/assets.json")
    artifact = echo()["artifacts"]["default"][0]
    for page in (store, other):
        page.evaluate(f"(given) => {{ globalThis.result = ({OBTAIN})(given) }}", [ECHO, artifact, 60_000])
    go.set()
    assert [page.evaluate("result")["cached"] for page in (store, other)] == [True, True]
    assert len(asked) == 1


@pytest.fixture
def home(visit: Visit, tmp_path: Path) -> Iterator[tuple[Host, Page]]:
    """The page itself, with its service worker and the model Echo; it counts how often it asks to be kept."""
    with hosting(deployment(tmp_path)) as host, visit() as context, context.new_page() as page:
        watch = Watch(host.url)
        watch.follow(page)
        count = "localStorage.persist = 1 + Number(localStorage.persist ?? 0)"
        page.add_init_script(f"StorageManager.prototype.persist = async () => {{ {count}; return true }}")
        page.goto(host.url)
        installed(page)
        yield host, page
        assert not watch.problems


def row(page: Page, name: str) -> Any:
    return page.get_by_role("dialog", name="Storage").get_by_role("listitem").filter(has_text=name)


def test_storage_lists_what_is_kept_and_removes_any_or_all_of_it(home: tuple[Host, Page]) -> None:
    host, page = home
    page.get_by_role("button", name="Storage").click()
    page.get_by_role("button", name="Download Echo").click()
    expect(page.get_by_role("button", name="Remove Echo")).to_be_visible(timeout=60_000)
    expect(row(page, "Engine")).to_contain_text(" MB")
    expect(row(page, "Page")).to_contain_text(" MB")
    assert page.evaluate("localStorage.persist") == "1"

    host.asked.clear()
    page.get_by_role("button", name="Remove Echo").click()
    expect(page.get_by_role("button", name="Download Echo")).to_be_visible()
    page.get_by_role("button", name="Download Echo").click()
    expect(page.get_by_role("button", name="Remove Echo")).to_be_visible(timeout=60_000)
    assert [path for path in host.paths if path != "/sw.js"] == [f"/models/{ECHO}"]
    assert page.evaluate("localStorage.persist") == "1"

    page.get_by_role("button", name="Remove Engine").click()
    expect(row(page, "Engine")).to_contain_text("Not stored")
    assert not [url for url in kept(page) if "/vendor/pyodide" in url]
    assert running(page) == []  # they would fetch the engine's files again
    page.get_by_role("button", name="Remove all").click()
    expect(row(page, "Page")).to_contain_text("Not stored")
    assert kept(page) == []
    assert page.evaluate("async () => (await navigator.serviceWorker.getRegistrations()).length") == 0

    page.reload()
    installed(page)
    page.get_by_role("button", name="Storage").click()
    expect(row(page, "Engine")).to_contain_text("Not stored")


def test_the_page_reports_a_model_that_cannot_be_kept(home: tuple[Host, Page]) -> None:
    _, page = home
    page.evaluate("() => { navigator.storage.estimate = async () => ({ usage: 900, quota: 1000 }) }")
    page.get_by_role("button", name="Storage").click()
    page.get_by_role("button", name="Download Echo").click()
    expect(page.get_by_role("alert").filter(has_text="storage/quota")).to_be_attached(timeout=60_000)
    expect(page.get_by_role("button", name="Download Echo")).to_be_enabled()
