"""Fixtures: the real server, a browser, and pages on which anything unexpected is a failure."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect

from demixer_build import browser as chromium
from demixer_build import paths
from demixer_build.server import HOST, create_app
from tests.browser import deployments
from tests.browser.engines import Engine, open_empty
from tests.browser.visits import Visit, visits
from tests.browser.watch import Watch

#: Immediate reactions of the page take seconds on a shared machine.
expect.set_options(timeout=30_000)

#: The browser tests of `build.py test --fast`: a whole journey, modules of the page, and what fails the other tests.
FAST: Final = {
    "test_first_visit.py",
    "test_mixer.py",
    "test_names.py",
    "test_page_modules.py",
    "test_privacy.py",
    "test_watch.py",
}

#: Tests of the measuring of devices, and of everything that is fetched at a first visit.
FIRST_VISITS: Final = {"test_devices.py", "test_first_visit.py", "test_offline.py", "test_privacy.py"}


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of all other files here as slow."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and item.path.name not in FAST:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """The address of the real server, which serves the built site."""
    if not (paths.DIST / "index.html").exists():
        pytest.fail("There is no site to test: run `python build.py site` first.", pytrace=False)
    with socket.create_server((HOST, 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(paths.DIST, paths.WEB), log_level="error", ws="none"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://{HOST}:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Pages without a service worker, which would bypass `page.route`; its own tests use other contexts."""
    return {**browser_context_args, "service_workers": "block"}


@pytest.fixture(scope="session")
def swiftshader(browser_type_launch_args: dict[str, Any], browser_type: BrowserType) -> Iterator[Browser]:
    """A browser with an emulated GPU, or the browser with a GPU that `DEMIXER_GPU` names."""
    options = {**browser_type_launch_args, "args": [*chromium.QUIET, *chromium.SWIFTSHADER]}
    if own := os.environ.get("DEMIXER_GPU"):
        options |= {"executable_path": own, "args": [*chromium.QUIET, *chromium.HARDWARE, *chromium.HALF]}
    browser = browser_type.launch(**options)
    yield browser
    browser.close()


@pytest.fixture
def watch(base_url: str) -> Iterator[Watch]:
    """Watches the pages of a test, and fails it on anything unexpected."""
    watch = Watch(base_url)
    yield watch
    assert not watch.problems


@pytest.fixture(scope="session")
def record_of_devices(browser: Browser, base_url: str) -> str:
    """What the page remembers once it has measured this machine, with all cores in one worker as the fastest."""
    packages = json.loads((paths.WEB / "package.json").read_text(encoding="utf-8"))["dependencies"]
    with browser.new_page(base_url=base_url) as page:
        open_empty(page)
        record: str = page.evaluate(_MEASURED, packages["onnxruntime-web"])
    return record


#: Records a benchmark by a runtime of some version.
_MEASURED: Final = """async (runtime) => {
  const { candidates } = await import("/src/engine/devices/candidates.js");
  const { KnownDevices } = await import("/src/engine/page/known-devices.js");
  const device = candidates().find(({ device }) => device === "wasm");
  new KnownDevices().keepBenchmark([{ ...device, adapter: null, seconds: 1 }], runtime);
  return localStorage["demixer.device-memory"];
}"""


@pytest.fixture
def returning(request: pytest.FixtureRequest, record_of_devices: str) -> str:
    """A script that makes a visitor one whose devices have been measured: that takes both cores for seconds."""
    if request.path.name in FIRST_VISITS:
        return ""
    return f'if (origin !== "null") localStorage["demixer.device-memory"] ??= {json.dumps(record_of_devices)}'


@pytest.fixture
def context(context: BrowserContext, returning: str) -> BrowserContext:
    context.add_init_script(returning)
    return context


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Page:
    """A watched page."""
    page = context.new_page()
    watch.follow(page)
    return page


@pytest.fixture
def visit(browser_type_launch_args: dict[str, Any], browser_type: BrowserType, tmp_path: Path, returning: str) -> Visit:
    """Starts a browser with the profile of the visit before."""
    return visits(browser_type, browser_type_launch_args, tmp_path / "profile", returning)


@pytest.fixture
def gpu_page(swiftshader: Browser, watch: Watch, base_url: str) -> Iterator[Page]:
    """A page with an emulated GPU."""
    with swiftshader.new_page(base_url=base_url) as page:
        watch.follow(page)
        yield page


@pytest.fixture
def engine(page: Page) -> Engine:
    return Engine(page)


@pytest.fixture(scope="session")
def hpss() -> dict[str, Any]:
    manifest = json.loads((paths.DIST / "models" / "manifest.json").read_text(encoding="utf-8"))
    return next(model for model in manifest["models"] if model["id"] == "hpss")


@pytest.fixture(scope="session")
def echo() -> dict[str, Any]:
    """A model in the form of Spleeter whose stems are the song, times `ECHO_GAINS`."""
    return deployments.echo()
