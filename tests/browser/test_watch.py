"""Browser tests fail on each kind of misbehaviour, on the page and in a worker."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page

from demixer_build.headers import headers_for
from tests.browser.watch import Watch

#: An address that never answers, with or without a network.
FOREIGN = "https://foreign.invalid/"

MISBEHAVIOUR = {
    "console.error('broken')": "console.error: broken",
    "console.warn('doubtful')": "console.warning: doubtful",
    "setTimeout(() => { throw new Error('thrown') })": "uncaught: .*thrown",
    "Promise.reject(new Error('rejected'))": "uncaught: .*rejected",
    "new Function('')": "CSP: script-src blocked eval",
}


@pytest.fixture
def watched(context: BrowserContext, base_url: str) -> tuple[Page, Watch]:
    """A page whose problems are the test's own."""
    page, watch = context.new_page(), Watch(base_url)
    watch.follow(page)
    page.route("**/empty", lambda route: route.fulfill(body="", content_type="text/html", headers=headers_for("/")))
    page.goto("/empty")
    return page, watch


@pytest.mark.parametrize(("script", "problem"), MISBEHAVIOUR.items())
def test_on_the_page(watched: tuple[Page, Watch], script: str, problem: str) -> None:
    page, watch = watched
    # From a file, as the policy wants it.
    page.route("**/misbehaves.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page.evaluate("() => { import('/misbehaves.js').catch(() => {}) }")
    assert_noticed(page, watch, problem)


@pytest.mark.parametrize(("script", "problem"), MISBEHAVIOUR.items())
def test_in_a_worker(watched: tuple[Page, Watch], script: str, problem: str) -> None:
    page, watch = watched
    # Later, as the engine does: the first instants of a worker are not watched yet.
    body, headers = f"onmessage = () => {{ {script} }}", headers_for("/")
    page.route("**/worker.js", lambda r: r.fulfill(body=body, content_type="text/javascript", headers=headers))
    with page.expect_worker():
        page.evaluate("() => { globalThis.worker = new Worker('/worker.js') }")
    page.workers[0].evaluate("0")
    page.evaluate("() => worker.postMessage(null)")
    assert_noticed(page, watch, problem)


def test_foreign_requests(watched: tuple[Page, Watch]) -> None:
    page, watch = watched
    lax = {name: value for name, value in headers_for("/").items() if name != "Content-Security-Policy"}
    body = f"fetch('{FOREIGN}').catch(() => {{}})"
    page.route("**/worker.js", lambda r: r.fulfill(body=body, content_type="text/javascript", headers=lax))
    page.evaluate("() => { new Worker('/worker.js') }")
    assert_noticed(page, watch, f"foreign request: GET {FOREIGN}")
    page.evaluate(f"() => fetch('{FOREIGN}').catch(() => {{}})")
    assert_noticed(page, watch, f"CSP: connect-src blocked {FOREIGN}")


def test_what_is_expected_is_no_problem(watched: tuple[Page, Watch]) -> None:
    page, watch = watched
    watch.expect("as planned")
    page.evaluate("() => { console.error('as planned'); console.error('as not planned at all') }")
    assert_noticed(page, watch, "at all")
    watch.expect("not planned")
    assert watch.problems == []


def assert_noticed(page: Page, watch: Watch, pattern: str) -> None:
    """The problem is told within seconds."""
    for _ in range(100):
        if any(re.search(pattern, problem) for problem in watch.problems):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"not noticed: {pattern}; only {watch.problems}")
