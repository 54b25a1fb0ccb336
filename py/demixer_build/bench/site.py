"""Serves the built site and the benchmark's pages on this machine, and counts requests and bytes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, Final

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demixer_build import files
from demixer_build.paths import DIST, STATE, WEB
from demixer_build.server import HOST, create_app

FOLDER: Final = STATE / "bench" / "site"
_PAGES: Final = Path(__file__).with_name("pages")


class Served:
    """A running server.

    Parameters
    ----------
    url : str
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests = 0
        """Requests so far."""
        self.sent = 0
        """Bytes of response bodies so far."""


@contextmanager
def served(extra: Mapping[str, Path]) -> Iterator[Served]:
    """Serve dist/ and, below `/bench/`, the benchmark's pages and `extra` files."""
    built = {path.relative_to(DIST).as_posix(): path for path in DIST.rglob("*") if path.is_file()}
    ours = {path.name: path for path in _PAGES.iterdir()}
    files.mirror({**built, **{f"bench/{name}": path for name, path in {**ours, **extra}.items()}}, FOLDER)
    with socket.create_server((HOST, 0)) as listening:
        served = Served(f"http://{HOST}:{listening.getsockname()[1]}")
        app = create_app(FOLDER, WEB)
        app.add_middleware(_Bench, served=served)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield served
        finally:
            server.should_exit = True
            thread.join()


def manifest() -> list[dict[str, Any]]:
    """The models of the site's manifest."""
    found: list[dict[str, Any]] = json.loads((DIST / "models" / "manifest.json").read_text(encoding="utf-8"))["models"]
    return found


class _Bench:
    """Counts requests and bytes, and lifts the policy of the benchmark's pages, which run inline scripts and wasm."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self._app = app
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._served.requests += scope["type"] == "http"

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["path"].startswith("/bench/"):
                del MutableHeaders(scope=message)["Content-Security-Policy"]
            self._served.sent += len(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, watched)
