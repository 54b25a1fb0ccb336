"""Watches a page and its workers for unexpected messages, violations and requests."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Worker

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
        self._expected = ["Service Worker registration blocked by Playwright"]

    def expect(self, pattern: str) -> None:
        """Allow the problems in which the regular expression is found."""
        self._expected.append(pattern)

    @property
    def problems(self) -> list[str]:
        """The unexpected events so far."""
        return [
            problem for problem in self._problems if not any(re.search(pattern, problem) for pattern in self._expected)
        ]

    def forget(self) -> None:
        """Forget the problems so far."""
        self._problems.clear()

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
        with suppress(Error):  # it is over already
            worker.evaluate(_REPORT_VIOLATIONS)
