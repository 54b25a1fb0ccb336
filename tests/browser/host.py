"""A host of the site that can be stopped, watched and made to fail."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demixer_build.paths import WEB
from demixer_build.server import HOST, create_app

Fault = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """A request that reached the host."""

    method: str
    path: str
    body: int
    headers: dict[str, str]


class Host:
    """Serves a folder at one address, and can be stopped and started again.

    Parameters
    ----------
    dist : Path
        Folder to serve; another folder is another deployment.
    headers : bool
        False for a plain host, without the headers of the site.
    """

    def __init__(self, dist: Path, *, headers: bool = True) -> None:
        self.asked: list[Asked] = []
        self.sent = 0  # bytes of response bodies
        self.faults: dict[str, Fault] = {}
        self._headers = headers
        self.deploy(dist)
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def deploy(self, dist: Path) -> None:
        """Serve another folder from now on."""
        self.app: ASGIApp = create_app(dist, WEB) if self._headers else StaticFiles(directory=dist, html=True)

    def start(self) -> None:
        listening = socket.create_server((HOST, self._port))
        self._port = int(listening.getsockname()[1])
        self._server = uvicorn.Server(
            uvicorn.Config(self._answer, interface="asgi3", lifespan="off", log_level="error", ws="none")
        )
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()

    def stop(self) -> None:
        """Stop serving: connections are refused."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = int(headers.get("content-length", 0))
        self.asked.append(Asked(scope["method"], scope["path"], body, headers))
        fault = next((fault for path, fault in self.faults.items() if path in scope["path"]), self.app)

        async def count(message: Message) -> None:
            self.sent += len(message.get("body", b""))
            await send(message)

        await fault(scope, receive, count)


@contextmanager
def hosting(dist: Path, **options: Any) -> Iterator[Host]:
    host = Host(dist, **options)
    try:
        yield host
    finally:
        host.stop()
