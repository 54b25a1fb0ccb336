"""The real server, the real browser, and a page on which anything unexpected is a failure."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import uvicorn
from demixer_build import browser as chromium
from demixer_build import paths
from demixer_build.server import HOST, create_app
from playwright.sync_api import Browser, BrowserContext, BrowserType, ConsoleMessage, Page, Request, Worker

#: What Chromium does on its own account would count as foreign requests, and cost the machine's time.
QUIET: Final = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]

#: A GPU on the CPU: right, and slow.
SWIFTSHADER: Final = [
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan,WebGPU",
]

#: Policy violations in a worker reach nobody by themselves.
_REPORT_VIOLATIONS: Final = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error(`CSP: ${violatedDirective} blocked ${blockedURI}`))
"""


class Watch:
    """Collects whatever should not happen on a page or in its workers."""

    def __init__(self, origin: str) -> None:
        self.requests: list[Request] = []
        self._origin = origin
        self._problems: list[str] = []
        self._expected: list[str] = []

    def expect(self, pattern: str) -> None:
        """Allow the problems in which the regular expression is found."""
        self._expected.append(pattern)

    @property
    def problems(self) -> list[str]:
        """What was not expected, so far."""
        return [
            problem
            for problem in self._problems
            if not any(re.search(pattern, problem) for pattern in self._expected)
        ]

    def follow(self, page: Page) -> None:
        """Watch a page, and every worker that it starts."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._problems.append(f"uncaught: {error}"))
        page.on("crash", lambda _: self._problems.append("the page crashed"))
        page.on("request", self._request)
        page.on("worker", self._worker)
        page.add_init_script(_REPORT_VIOLATIONS)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            self._problems.append(f"console.{message.type}: {message.text} ({message.location['url']})")

    def _request(self, request: Request) -> None:
        self.requests.append(request)
        scheme, host, *_ = urlsplit(request.url)
        if scheme not in {"blob", "data"} and f"{scheme}://{host}" != self._origin:
            self._problems.append(f"foreign request: {request.method} {request.url}")

    def _worker(self, worker: Worker) -> None:
        worker.evaluate(_REPORT_VIOLATIONS)


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """The address of the real server, which serves the built site."""
    if not (paths.DIST / "index.html").exists():
        pytest.fail("There is no site to test: run `python build.py site` first.", pytrace=False)
    with socket.create_server((HOST, 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(paths.DIST), log_level="error", ws="none"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://{HOST}:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """How every browser of the tests is started."""
    return {**browser_type_launch_args, "executable_path": chromium.ensure(), "args": QUIET}


@pytest.fixture(scope="session")
def swiftshader(browser_type_launch_args: dict[str, Any], browser_type: BrowserType) -> Iterator[Browser]:
    """A browser with an emulated GPU."""
    browser = browser_type.launch(**{**browser_type_launch_args, "args": [*QUIET, *SWIFTSHADER]})
    yield browser
    browser.close()


@pytest.fixture
def watch(base_url: str) -> Iterator[Watch]:
    """What happens on the pages of a test; anything unexpected fails it."""
    watch = Watch(base_url)
    yield watch
    assert not watch.problems


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Page:
    """A watched page."""
    page = context.new_page()
    watch.follow(page)
    return page
