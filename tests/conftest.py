"""Settings of all tests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

from demixer_build import browser

# The same examples on every run and machine, and no time limits. `build.py test --fast` loads the second profile.
settings.register_profile("demixer", derandomize=True, deadline=None, database=None, max_examples=60)
settings.register_profile("fast", settings.get_profile("demixer"), max_examples=10)
settings.load_profile("demixer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers come last: Playwright's event loop runs on after them, and `asyncio.run` refuses to join it.

    Among them the journeys, one long file, come first, so that no core is left alone with them.
    """
    order = ("journeys", "browser")
    items.sort(key=lambda item: next((order.index(part) for part in item.path.parts if part in order), -1))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch options of every Chromium, found once: the search starts Playwright, which runs once in a process."""
    return {**browser_type_launch_args, "executable_path": browser.ensure(), "args": [*browser.QUIET]}
