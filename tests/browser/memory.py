"""Finds the processes of a browser under test."""

from __future__ import annotations

import psutil
from playwright.sync_api import BrowserContext


def processes(context: BrowserContext, kind: str) -> list[psutil.Process]:
    """The browser's processes of a kind: "browser" is the main one, a "renderer" runs pages and their workers."""
    browser = context.browser
    session = browser.new_browser_cdp_session() if browser else context.new_cdp_session(context.pages[0])
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return [psutil.Process(process["id"]) for process in found if process["type"] == kind]
