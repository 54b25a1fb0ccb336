"""Network traffic: the page downloads its own program, and sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Request, expect

from demixer_build import paths
from tests.browser.engines import threads
from tests.browser.host import Host, hosting
from tests.browser.visits import Visit, begin, choose, download, installed, model, ready, write_song
from tests.browser.watch import Watch


@pytest.fixture
def host() -> Iterator[Host]:
    with hosting(paths.DIST) as host:
        yield host


@pytest.fixture
def context(visit: Visit) -> Iterator[BrowserContext]:
    with visit() as context:
        yield context


@pytest.fixture
def requests(context: BrowserContext) -> list[Request]:
    """All requests of pages, workers and the service worker."""
    seen: list[Request] = []
    context.on("request", lambda request: seen.append(request))
    return seen


@pytest.fixture
def watch(host: Host) -> Iterator[Watch]:
    """Fails on foreign requests and on violations of the policy in the page and in its workers."""
    watch = Watch(host.url)
    yield watch
    assert not watch.problems


@pytest.fixture
def home(context: BrowserContext, host: Host, watch: Watch) -> Page:
    page = context.new_page()
    watch.follow(page)
    page.goto(host.url)
    installed(page)
    model(page, "Harmonic")
    return page


def separated(page: Page, song: Path, folder: Path) -> None:
    choose(page, song)
    begin(page)
    download(page, "Harmonic", folder)
    with page.expect_download():
        page.get_by_role("button", name="Download all").click()


def count(page: Page) -> str:
    page.get_by_role("button", name="Privacy").click()
    text = page.get_by_role("dialog", name="Privacy").locator(".request-count").inner_text()
    page.keyboard.press("Escape")
    return text


def test_nothing_goes_and_once_all_is_here_nothing_comes(
    requests: list[Request], home: Page, host: Host, tmp_path: Path
) -> None:
    song = write_song(tmp_path / "Geheimes Lied.wav")
    separated(home, song, tmp_path)
    assert {asked.method for asked in host.asked} == {"GET"}
    assert not [asked for asked in host.asked if asked.body]
    assert not [asked for asked in host.asked if "Geheim" in str(asked)]  # neither in paths nor in headers
    assert any(request.service_worker for request in requests)  # its requests are among them
    own = (host.url, "blob:", "data:")
    assert not [request.url for request in requests if not request.url.startswith(own)]
    assert not [request.url for request in requests if request.post_data]
    assert not count(home).startswith("0 ")  # the engine came after the song did: the count is no constant

    expect(ready(home)).to_be_visible()
    host.asked.clear()
    home.reload()
    expect(ready(home)).to_be_visible()
    separated(home, song, tmp_path)
    assert count(home) == "0 requests since the song was chosen"
    assert set(host.paths) <= {"/sw.js"}  # the browser itself looks for a new version


def test_a_request_elsewhere_is_blocked_in_page_and_worker(home: Page, watch: Watch, tmp_path: Path) -> None:
    watch.expect("CSP: connect-src blocked|violates the following Content Security Policy|Fetch API cannot load")
    with hosting(tmp_path) as elsewhere:
        choose(home, write_song(tmp_path / "Song.wav"))  # starts the worker
        expect(home.locator("engine-line")).to_contain_text("WASM", timeout=60_000)
        worker = threads(home, "engine/worker")[0]
        script = "async (url) => { await fetch(url, { mode: 'no-cors' }) }"
        for place in (home, worker):
            blocked = home.expect_console_message(lambda message: message.text.startswith("CSP: connect-src blocked"))
            with blocked, pytest.raises(Error, match="Failed to fetch"):
                place.evaluate(script, f"{elsewhere.url}/?song")
        assert elsewhere.asked == []
