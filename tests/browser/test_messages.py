"""Messages between threads: aborts, events and endings, with a stand-in for the other thread."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.sync_api import Page

from tests.browser.engines import open_empty

#: A port whose other end is the test: `posted` holds what was sent, `receive` delivers a message.
SETUP: Final = """async () => {
  Object.assign(globalThis, await import("/src/base/messages.js"), await import("/src/base/shapes.js"));
  const requests = { add: object({ one: count }) };
  globalThis.contract = { version: 3, requests, events: { mark: object({ done: count }) } };
  globalThis.posted = [];
  const listeners = [];
  globalThis.port = {
    postMessage: (message) => posted.push(message),
    addEventListener: (type, listener) => type === "message" && listeners.push(listener),
    terminate: () => { globalThis.isTerminated = true; },
  };
  globalThis.receive = (data) => Promise.all(listeners.map((listener) => listener({ data })));
  globalThis.outcome = (promise) => promise.then((value) => ({ value }), (error) => error.code ?? error.message);
}"""


@pytest.fixture
def port(page: Page) -> Page:
    open_empty(page)
    page.evaluate(SETUP)
    return page


def run(page: Page, script: str) -> Any:
    return page.evaluate(f"async () => {{ {script} }}")


def test_an_abort_concerns_one_call(port: Page) -> None:
    found = run(
        port,
        """
        const caller = new Caller(port, contract);
        const controller = new AbortController();
        const aborted = caller.call("add", { one: 1 }, { signal: controller.signal });
        const other = caller.call("add", { one: 2 });
        let isStopped = false;
        controller.abort(new Error("enough"));
        const stopped = caller.stopped().then(() => { isStopped = true; });
        const first = await outcome(aborted);
        const before = [caller.pending, isStopped];
        await receive({ id: 1, ok: false, error: { code: "cancelled", message: "" } });
        await stopped;
        await receive({ id: 2, ok: true, value: 7 });
        return [posted.map(({ type, id }) => `${type} ${id}`), first, before, await other, caller.pending];
        """,
    )
    assert found == [["add 1", "add 2", "abort 1"], "enough", [2, False], 7, 0]


def test_a_call_that_is_aborted_already_is_not_made(port: Page) -> None:
    script = """
      const signal = AbortSignal.abort(new Error("enough"));
      return [await outcome(new Caller(port, contract).call("add", { one: 1 }, { signal })), posted.length];
    """
    assert run(port, script) == ["enough", 0]


def test_an_ended_worker_fails_its_calls_and_takes_no_more(port: Page) -> None:
    script = """
      const client = new WorkerClient(port, contract);
      const pending = outcome(client.call("add", { one: 1 }));
      client.end();
      return [isTerminated, await pending, await outcome(client.call("add", { one: 1 })), posted.length];
    """
    assert run(port, script) == [True, "cancelled", "cancelled", 1]


def test_events_are_checked_against_their_contract(port: Page) -> None:
    script = """
      const events = [];
      new Caller(port, contract, (type, data) => events.push(type));
      const told = async (type, data) => outcome((async () => receive({ type, data }))());
      await told("mark", { done: 0.5 });
      checkEvents();
      await told("mark", { done: 1 });
      return [await told("mark", { done: 0.5 }), await told("other", {}), events];
    """
    wrong, unknown, events = run(port, script)
    assert "mark" in wrong
    assert "other" in unknown
    assert events == ["mark", "mark"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ('{ v: 3, id: 1, type: "add", data: { one: 1 } }', None),
        ('{ v: 3, id: 1, type: "add", data: { one: -1 } }', "protocol/version"),
        ('{ v: 2, id: 1, type: "add", data: { one: 1 } }', "protocol/version"),
        ('{ v: 3, id: 1, type: "toString", data: {} }', "protocol/version"),
    ],
)
def test_requests_are_checked_against_their_contract(port: Page, request_: str, code: str | None) -> None:
    script = f"""
      serve(port, contract, () => ({{ add: async ({{ one }}) => one + 1 }}));
      await receive({request_});
      const [{{ id, ok, value, error }}] = posted;
      return [id, ok ? value : error.code];
    """
    assert run(port, script) == [1, code or 2]
