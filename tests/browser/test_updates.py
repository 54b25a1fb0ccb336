"""New versions of the site: offered, never forced."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from starlette.responses import HTMLResponse, Response

from demixer_build import paths
from tests.browser.deployments import deployment
from tests.browser.host import Host, hosting
from tests.browser.visits import Visit, begin, choose, download, installed, kept, model, prepare, ready, write_song

NEW: Final = "How to check version two"
DECODER: Final = "decode/worker/main.js"
PAGE: Final = "main.js"
TEXTS: Final = "locales/en.json"


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two versions, which differ in the shell and in the runtime."""
    texts = json.loads((paths.DIST / TEXTS).read_text(encoding="utf-8"))
    changes = {TEXTS: json.dumps({**texts, "promise.proof": NEW}).encode()}
    sources = dict.fromkeys((DECODER, PAGE), "globalThis.version = 2;")
    folders = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    return deployment(folders[0]), deployment(folders[1], changes, sources=sources)


@pytest.fixture
def host(versions: tuple[Path, Path]) -> Iterator[Host]:
    with hosting(versions[0]) as host:
        yield host


@pytest.fixture
def context(visit: Visit) -> Iterator[BrowserContext]:
    with visit() as context:
        yield context


def opened(context: BrowserContext, host: Host) -> Page:
    page = context.new_page()
    page.goto(host.url)
    installed(page)
    page.evaluate("() => { globalThis.loaded = true }")  # gone when the page has been reloaded
    return page


def stayed(page: Page) -> bool:
    """True when the page was not reloaded."""
    return bool(page.evaluate("globalThis.loaded === true"))


def look(page: Page) -> None:
    """Have the browser look for a new version now, as it does at every visit."""
    page.evaluate("async () => { (await navigator.serviceWorker.ready).update().catch(() => {}) }")


def offered(page: Page) -> Any:
    """The button of the banner, once a new version waits."""
    button = page.get_by_role("button", name="Update", exact=True)
    expect(button).to_be_visible(timeout=30_000)
    return button


def is_new(page: Page) -> None:
    expect(page.get_by_text(NEW)).to_be_visible(timeout=30_000)


def test_a_new_version_waits_until_it_is_asked_for(
    context: BrowserContext, host: Host, versions: tuple[Path, Path]
) -> None:
    page = opened(context, host)
    model(page, "Echo")
    prepare(page)
    before = set(kept(page))
    host.deploy(versions[1])
    page.reload()
    page.evaluate("() => { globalThis.loaded = true }")
    button = offered(page)
    assert stayed(page)
    expect(page.get_by_text("How to check that")).to_be_visible()

    host.asked.clear()
    button.click()
    is_new(page)
    expect(ready(page)).to_be_visible(timeout=30_000)
    changed = {re.sub(r"(-\w{8}\.js)?\?.*", "", url).removeprefix(host.url) for url in set(kept(page)) ^ before}
    # The page names its script, that and `client` name the chunk which starts the decoder.
    scripts = {f"/assets/{name}" for name in ("main", "client", "chunk", "decode-worker")}
    assert changed == {"/index.html", *scripts, f"/{TEXTS}"}
    assert len(kept(page)) == len(before)  # the old entries are gone, the model is not
    assert not [path for path in host.paths if path.endswith(".onnx") or "pyodide" in path]


def test_a_running_separation_is_not_interrupted(
    context: BrowserContext, host: Host, versions: tuple[Path, Path], tmp_path: Path
) -> None:
    page = opened(context, host)
    model(page, "Harmonic")
    choose(page, write_song(tmp_path / "Long.wav", 300))
    begin(page)
    expect(page.get_by_role("region", name="Stems of Long")).to_be_visible(timeout=60_000)
    host.deploy(versions[1])
    look(page)
    expect(offered(page)).to_be_disabled()
    download(page, "Percussive", tmp_path, timeout=120_000)
    assert stayed(page)
    expect(offered(page)).to_be_enabled()
    expect(page.get_by_text("reloading closes the songs")).to_have_count(0)  # they are kept
    offered(page).click()
    is_new(page)


def test_two_tabs_end_on_the_new_version(
    context: BrowserContext, host: Host, versions: tuple[Path, Path], tmp_path: Path
) -> None:
    asking, idle, busy = (opened(context, host) for _ in range(3))
    model(busy, "Harmonic")
    choose(busy, write_song(tmp_path / "Long.wav", 120))
    begin(busy)
    expect(busy.get_by_role("region", name="Stems of Long")).to_be_visible(timeout=60_000)
    host.deploy(versions[1])
    look(asking)
    offered(asking).click()
    expect(asking.get_by_text("when the other tab has finished")).to_be_visible()
    assert stayed(asking)
    download(busy, "Harmonic", tmp_path, timeout=120_000)  # not interrupted

    is_new(asking)
    is_new(idle)
    assert stayed(busy)
    expect(busy.get_by_text("Another tab has started a new version")).to_be_visible()
    busy.get_by_role("button", name="Reload", exact=True).click()
    is_new(busy)


#: Looks for a new version, and tells what became of it.
UPDATE: Final = """async () => {
  const registration = await navigator.serviceWorker.ready;
  try {
    const { installing } = await registration.update();
    if (!installing) return "none";
    return await new Promise((resolve) => {
      installing.addEventListener("statechange", () => resolve(installing.state));
    });
  } catch {
    return "refused";
  }
}"""

#: Fault of a deployment: the source that has changed, the path that fails, and the response to it.
BROKEN: Final = {
    "a part of the page is missing": (PAGE, "/assets/main-", Response(status_code=404)),
    "a part of the page is another page": (PAGE, "/assets/main-", HTMLResponse("<!doctype html>")),
    "a part of the page is of the version before": (TEXTS, f"/{TEXTS}", Response("{}", media_type="application/json")),
    "a part of the engine is missing": (DECODER, "/assets/decode-worker-", Response(status_code=404)),
    "the service worker is a page": (PAGE, "/sw.js", HTMLResponse("<!doctype html>")),
}


def test_a_half_broken_deployment_leaves_the_old_version_working(
    context: BrowserContext, host: Host, versions: tuple[Path, Path], tmp_path: Path
) -> None:
    page = opened(context, host)
    model(page, "Harmonic")
    prepare(page)
    for number, (wrong, (source, path, fault)) in enumerate(BROKEN.items(), 1):
        folder = tmp_path / str(number)
        if source == TEXTS:
            version = deployment(folder, {TEXTS: (paths.DIST / TEXTS).read_bytes() + b"\n"})
        else:
            version = deployment(folder, sources={source: f"globalThis.broken = {number};"})  # not kept before
        host.deploy(version)
        host.faults = {path: fault}
        assert page.evaluate(UPDATE) in {"redundant", "refused"}, wrong
        page.reload()
        expect(page.get_by_text("How to check that")).to_be_visible()
        expect(ready(page)).to_be_visible()
    choose(page, write_song(tmp_path / "Song.wav"))
    begin(page)
    download(page, "Harmonic", tmp_path)

    host.faults = {}
    host.deploy(versions[1])
    look(page)
    offered(page).click()
    is_new(page)
