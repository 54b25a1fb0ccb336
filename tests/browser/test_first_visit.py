"""A first visit, before a song is chosen, as the server sees it."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import expect

from demixer_build import paths
from tests.browser.host import hosting
from tests.browser.visits import Visit, installed

MOST_REQUESTS: Final = 40
MOST_BYTES: Final = 250_000


def test_the_first_page_is_few_and_small_files(visit: Visit) -> None:
    with hosting(paths.DIST) as host, visit() as context, context.new_page() as page:
        page.goto(host.url)
        expect(page.get_by_role("radio").first).to_be_attached()  # the models are there
        installed(page)
        locales = [path for path in host.paths if path.startswith("/locales/")]
        assert locales[0] == "/locales/en.json"
        assert len(host.asked) <= MOST_REQUESTS, host.paths
        assert host.sent <= MOST_BYTES
