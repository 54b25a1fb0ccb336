"""Serves the built site, the sources and the kit's pages with the site's own headers; the standard library alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from demixer_build.headers import TYPES, headers_for

#: Their inline modules and their workers are the kit's own.
UNRESTRICTED = ("/gpu/", "/bench/", "/harness.js")


@contextmanager
def served(places: Mapping[str, Path], received: Path) -> Iterator[str]:
    """Serve folders and files, each below the start of a path; yields the address.

    Parameters
    ----------
    places : mapping of str to Path
        Start of a path -> folder or file; the first that has the file answers.
    received : Path
        Folder of what pages send (PUT), made here.
    """
    received.mkdir(parents=True, exist_ok=True)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            file = find(places, path)
            self.send_response(200 if file else 404)
            headers = headers_for(path)
            if path.startswith(UNRESTRICTED):
                headers.pop("Content-Security-Policy")
            size = file.stat().st_size if file else 0
            kind = TYPES.get(file.suffix, "text/html") if file else "text/plain"
            for name, value in {**headers, "Content-Type": kind, "Content-Length": str(size)}.items():
                self.send_header(name, value)
            self.end_headers()
            if file:
                with file.open("rb") as source:
                    while data := source.read(1 << 20):
                        self.wfile.write(data)

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            (received / PurePosixPath(self.path).name).write_bytes(data)
            self.send_response(204)
            self.end_headers()

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exception(), ConnectionError):  # a browser that is closed leaves its requests
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def find(places: Mapping[str, Path], path: str) -> Path | None:
    """The file for the path of a request; None when there is none."""
    if ".." in path.split("/"):
        return None
    for start, place in places.items():
        if path.startswith(start):
            file = place / path.removeprefix(start).lstrip("/") if place.is_dir() else place
            if file.is_file():
                return file
    return None
