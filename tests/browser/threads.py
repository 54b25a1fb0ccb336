"""Runs functions of tests in a worker of the real origin, where storage has synchronous handles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from demixer_build.headers import headers_for

InWorker = Callable[[str, Any], Any]

_SCRIPT = Path(__file__).with_name("thread.js")


def worker_of(page: Page) -> InWorker:
    """Open an empty page, and return what runs a JavaScript function with one argument in a worker of it."""
    headers = headers_for("/")
    empty = {"body": "", "content_type": "text/html", "headers": headers}
    page.route("**/empty", lambda route: route.fulfill(**empty))
    # A worker's policy comes with its own response: this one may evaluate text.
    open_headers = {name: value for name, value in headers.items() if name.lower() != "content-security-policy"}
    script = {"body": _SCRIPT.read_text(encoding="utf-8"), "content_type": "text/javascript", "headers": open_headers}
    page.context.route("**/thread.js", lambda route: route.fulfill(**script))
    page.goto("/empty")

    def run(function: str, argument: Any = None) -> Any:
        return page.evaluate(
            "async ([source, argument]) => (await import('/thread.js')).inWorker(source, argument)",
            [function, argument],
        )

    return run
