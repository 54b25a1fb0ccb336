"""Serves the site on this machine, with the headers that the page needs."""

from __future__ import annotations

import mimetypes
import os
import socket
import webbrowser
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demixer_build.compress import ENCODINGS
from demixer_build.console import say
from demixer_build.errors import BuildError
from demixer_build.headers import TYPES, headers_for

HOST: Final = "127.0.0.1"


def create_app(dist: Path, sources: Path | None = None) -> FastAPI:
    """Create the application that serves a built site.

    Parameters
    ----------
    dist : Path
        Folder of the site.
    sources : Path, optional
        The folder `web/`, to be served unbundled below `/src/`, since tests and benchmarks import single modules.
        Other paths below `/src/` lead to the site.
    """
    for suffix, kind in TYPES.items():
        mimetypes.add_type(kind, suffix)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    app.add_middleware(_Headers)
    if sources is not None:
        app.mount("/src", _Overlay(sources, dist))
    app.mount("/", _Compressed(directory=dist, html=True))
    return app


class _Overlay(StaticFiles):
    """Serves files of one folder, falling back to another."""

    def __init__(self, upper: Path, lower: Path) -> None:
        super().__init__(directory=lower)
        self.all_directories = [upper, lower]


class _Compressed(StaticFiles):
    """Sends the compressed form of a file when it exists and the browser accepts it."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        request = Headers(scope=scope)
        accepted = {coding.split(";")[0].strip() for coding in request.get("accept-encoding", "").split(",")}
        for coding, suffix in ENCODINGS.items():
            packed = Path(os.fspath(full_path) + suffix)
            if coding in accepted and "range" not in request and packed.exists():
                response = super().file_response(packed, packed.stat(), scope, status_code)
                response.headers["Content-Encoding"] = coding
                break
        else:
            response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Vary"] = "Accept-Encoding"
        return response


class _Headers:
    """Adds the headers of the table to all responses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers_for(scope["path"]))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def serve(dist: Path, port: int, *, open_page: bool) -> None:
    """Serve until Ctrl-C.

    Raises
    ------
    BuildError
        When the port is taken.
    """
    address = f"http://{HOST}:{port}"
    with _bound(port) as listening:
        server = uvicorn.Server(
            uvicorn.Config(create_app(dist), log_level="warning", ws="none", timeout_graceful_shutdown=1)
        )
        say(f"Demixer runs on {address} (Ctrl-C ends it)")
        if open_page:
            webbrowser.open(address)
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:  # uvicorn has shut down and raises the signal again
            say("")


def _bound(port: int) -> socket.socket:
    """Bind the port before its address is announced: the system queues early requests."""
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        raise BuildError(f"Port {port} cannot be used ({error}). Choose another one with --port.") from error
