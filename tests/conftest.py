"""Settings of all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

# The same examples on every run and machine, and no time limits. `build.py test --fast` loads the second profile.
settings.register_profile("demixer", derandomize=True, deadline=None, database=None, max_examples=60)
settings.register_profile("fast", settings.get_profile("demixer"), max_examples=10)
settings.load_profile("demixer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright's event loop runs on after them, and `asyncio.run` refuses to join it."""
    items.sort(key=lambda item: bool({"browser", "journeys"} & set(item.path.parts)))
