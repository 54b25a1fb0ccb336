"""The server, over a socket as a browser uses it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest
import uvicorn

from demixer_build.errors import BuildError
from demixer_build.server import HOST, create_app, serve

MODEL = bytes(range(256)) * 64
SITE = {
    "index.html": b"<!doctype html><title>Demixer</title>",
    "assets/engine-worker-0123ABCD.js": b"export {};",
    "assets/main-0123ABCD.js": b"export {};",
    "vendor/onnxruntime-web/ort-wasm-simd-threaded.mjs": b"export {};",
    "vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm": b"\0asm",
    "models/htdemucs/default.0123abcd.onnx": MODEL,
    "models/testing/probe.onnx": MODEL,
    "wheels/demixer-0.1.0-py3-none-any.whl": b"PK",
    "app.webmanifest": b"{}",
    "assets.json": b"{}",
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    dist = tmp_path_factory.mktemp("dist")
    for name, content in SITE.items():
        (dist / name).parent.mkdir(parents=True, exist_ok=True)
        (dist / name).write_bytes(content)
    with socket.create_server((HOST, 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(dist), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield int(listening.getsockname()[1])
        server.should_exit = True
        thread.join()


class Answer:
    def __init__(self, port: int, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> None:
        connection = HTTPConnection(HOST, port, timeout=10)
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        self.status, self.headers, self.body = response.status, response.headers, response.read()
        connection.close()

    @property
    def scripts(self) -> set[str]:
        """The sources that the policy allows scripts from."""
        directives = (directive.split() for directive in self.headers["Content-Security-Policy"].split(";"))
        return set(next(sources for name, *sources in directives if name == "script-src"))


#: Directives that every engine knows; WebKitGTK logs an error for `manifest-src`.
KNOWN: Final = {
    *("default-src", "base-uri", "connect-src", "font-src", "form-action", "frame-ancestors", "frame-src", "img-src"),
    *("media-src", "object-src", "script-src", "style-src", "worker-src"),
}
CLOSED: Final = {"base-uri", "font-src", "form-action", "frame-ancestors", "frame-src", "object-src"}


@pytest.mark.parametrize(
    "path", ["/", "/assets/engine-worker-0123ABCD.js", "/vendor/onnxruntime-web/ort-wasm-simd-threaded.mjs", "/no"]
)
def test_everything_is_isolated_and_closed(port: int, path: str) -> None:
    headers = Answer(port, path).headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    sources = {name: set(allowed) for name, *allowed in map(str.split, policy.split(";"))}
    assert sources.keys() <= KNOWN
    assert {name for name, allowed in sources.items() if allowed == {"'none'"}} >= CLOSED
    assert not any("*" in source or "//" in source for allowed in sources.values() for source in allowed)
    assert sources["default-src"] == {"'self'"}
    assert "unsafe-inline" not in policy
    assert len(headers.get_all("Content-Security-Policy") or []) == 1


def test_only_the_engine_worker_may_build_code_from_text(port: int) -> None:
    assert Answer(port, "/").scripts == {"'self'"}
    assert Answer(port, "/assets/main-0123ABCD.js").scripts == {"'self'"}
    assert Answer(port, "/assets/engine-worker-0123ABCD.js").scripts == {
        "'self'",
        "'wasm-unsafe-eval'",
        "'unsafe-eval'",
    }
    threads = Answer(port, "/vendor/onnxruntime-web/ort-wasm-simd-threaded.mjs")
    assert threads.scripts == {"'self'", "'wasm-unsafe-eval'"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/assets/engine-worker-0123ABCD.js", "text/javascript"),
        ("/vendor/onnxruntime-web/ort-wasm-simd-threaded.mjs", "text/javascript"),
        ("/vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm", "application/wasm"),
        ("/models/htdemucs/default.0123abcd.onnx", "application/octet-stream"),
        ("/wheels/demixer-0.1.0-py3-none-any.whl", "application/zip"),
        ("/app.webmanifest", "application/manifest+json"),
        ("/assets.json", "application/json"),
    ],
)
def test_content_types(port: int, path: str, kind: str) -> None:
    answer = Answer(port, path, method="HEAD")
    assert answer.status == 200
    assert answer.headers.get_content_type() == kind


def test_only_files_named_by_their_hash_are_kept_without_asking(port: int) -> None:
    for path in ("/models/htdemucs/default.0123abcd.onnx", "/assets/engine-worker-0123ABCD.js"):
        assert "immutable" in Answer(port, path).headers["Cache-Control"]
    for path in ("/", "/models/testing/probe.onnx", "/assets.json"):
        assert Answer(port, path).headers["Cache-Control"] == "no-cache"


def test_asking_again_costs_no_transfer(port: int) -> None:
    known = Answer(port, "/assets.json").headers["ETag"]
    again = Answer(port, "/assets.json", headers={"If-None-Match": known})
    assert (again.status, again.body) == (304, b"")


def test_a_part_of_a_model(port: int) -> None:
    part = Answer(port, "/models/htdemucs/default.0123abcd.onnx", headers={"Range": "bytes=100-199"})
    assert part.status == 206
    assert part.body == MODEL[100:200]
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(MODEL)}"


@pytest.mark.parametrize("path", ["/no", "/docs", "/openapi.json", "/assets", "/../pyproject.toml", "/%2e%2e/x"])
def test_an_unknown_path_is_not_found(port: int, path: str) -> None:
    answer = Answer(port, path)
    assert answer.status == 404
    assert b"<" not in answer.body


def test_a_port_in_use_is_one_clear_line(port: int, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=rf"Port {port} .* --port"):
        serve(tmp_path, port, open_page=False)
