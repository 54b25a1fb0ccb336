"""Runs the engine in a real browser without the page, and makes songs for it."""

from __future__ import annotations

import base64
import json
import re
import runpy
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from playwright.sync_api import Page, Route, Worker

from demixer.audio import Clip, Samples
from demixer_build import paths
from demixer_build.headers import headers_for

RATE: Final = 44_100
ISOLATION: Final = ("Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy")


def open_empty(page: Page, *, isolated: bool = True) -> None:
    """Open an empty page of the real origin."""
    headers = headers_for("/")
    if not isolated:
        headers = {name: value for name, value in headers.items() if name not in ISOLATION}
    page.route("**/empty", lambda route: route.fulfill(body="", content_type="text/html", headers=headers))
    page.goto("/empty")


def is_thread(worker: Worker, name: str) -> bool:
    """True for a worker whose entry is `web/<name>/main.js`: bundled, or served from the sources below `/src/`."""
    bundle = re.compile(rf"/(assets/{name.replace('/', '-')}-\w{{8}}|src/{name}/main)\.js$")
    return bundle.search(worker.url) is not None


def threads(page: Page, name: str) -> list[Worker]:
    """The workers of a page with this entry, the newest last; see `running` for ended ones."""
    return [worker for worker in page.workers if is_thread(worker, name)]


def running(page: Page, workers: Iterable[Worker] | None = None, *, at_most: int = 0) -> list[Worker]:
    """Those of the workers, by default all of the page, that run on; waits ten seconds for the others to have ended.

    The browser tells of a worker's end a little later.
    """
    for _ in range(100):
        left = [worker for worker in (page.workers if workers is None else workers) if worker in page.workers]
        if len(left) <= at_most:
            break
        page.wait_for_timeout(100)
    return left


def change(page: Page, statement: str) -> None:
    """Run a statement before the scripts of a page, and in each of its workers before a request is handled.

    It makes the browser another one: without some feature, or with a fault.
    """
    page.add_init_script(statement)

    def serve(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=f"{statement};\n{response.text()}")

    page.route(re.compile(r"/(assets/\w+-(worker|compute)-\w{8}|src/\w+/(worker|compute)/main)\.js$"), serve)


class Engine:
    """Drives `harness.js` on an empty page of the real origin."""

    def __init__(self, page: Page, *, isolated: bool = True, **options: Any) -> None:
        harness = Path(__file__).with_name("harness.js").read_text(encoding="utf-8")
        page.route("**/harness.js", lambda route: route.fulfill(body=harness, content_type="text/javascript"))
        open_empty(page, isolated=isolated)
        self.page = page
        self.call("create", options)

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of the harness."""
        script = "async ([name, given]) => (await import('/harness.js'))[name](...given)"
        return self.page.evaluate(script, [name, arguments])

    def worker(self) -> Worker:
        """The newest engine worker."""
        return threads(self.page, "engine/worker")[-1]

    def compute_workers(self) -> list[Worker]:
        """The workers that compute on the processor, the newest last."""
        return threads(self.page, "engine/compute")

    def separate(self, model: dict[str, Any], clip: Clip, **settings: Any) -> tuple[Samples, dict[str, Any]]:
        """Separate a song: its stems, and everything that the harness returns."""
        result = self.call("separate", model, to_page(clip), settings)
        assert "code" not in result, (result["code"], result["message"])
        found = [[from_page(channel) for channel in stem["channels"]] for stem in result["stems"]]
        return np.array(found, np.float32), result


def inject(page: Page, *plans: dict[str, Any]) -> None:
    """Give the first workers of a page faulty runtimes, one plan each; later workers are sound."""
    source = Path(__file__).with_name("faulty-runtime.js").read_text(encoding="utf-8")
    remaining = list(plans)

    def serve(route: Route) -> None:
        plan = remaining.pop(0) if remaining else {}
        route.fulfill(body=source.replace("PLAN", json.dumps(plan)), content_type="text/javascript")

    page.route(re.compile(r"/engine/compute/runtime\.js$"), serve)


def song(seconds: float, channels: int = 2) -> Clip:
    """Sustained tones, hits and some noise, different on each channel."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(7).normal(0, 0.01, (channels, time.size))
    tones = np.array([np.sin(2 * np.pi * (220 + 110 * channel) * time) for channel in range(channels)])
    hits = np.where(time % 0.25 < 0.002, 0.5, 0.0)
    return Clip((0.3 * tones + hits + noise).astype(np.float32), RATE)


def tiny_graphs(name: str) -> Any:
    """A name from `models/testing/make.py`, which is not in a package."""
    return runpy.run_path(str(paths.MODELS / "testing" / "make.py"))[name]


def to_page(clip: Clip) -> dict[str, Any]:
    return {"rate": clip.rate, "channels": [base64.b64encode(channel).decode() for channel in clip.samples]}


def from_page(text: str) -> Samples:
    return np.frombuffer(base64.b64decode(text), np.float32)


def hold(route: Route) -> None:
    """Leave a request unanswered."""
