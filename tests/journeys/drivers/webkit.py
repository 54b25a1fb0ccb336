"""WebKitGTK through WebDriver, on a screen of its own."""

from __future__ import annotations

import base64
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from demixer_build.browser import SYSTEM_PYTHON
from tests.journeys.drivers.driver import Driver, Part, script
from tests.journeys.drivers.process import running

_ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which WebDriver names an element."""

_LONGEST: Final = 300.0
"""Seconds for a script."""

#: Lines of the console that report a fault, in pages and workers alike.
_FAULT: Final = re.compile(r"CONSOLE (?:\w+ )?(?:ERROR|WARN)")


class WebKit(Driver):
    """A window of WebKitGTK.

    The console of pages and workers is read from the browser's output. Foreign requests end at a proxy, but those to
    other ports of this machine go past it.

    Parameters
    ----------
    folder : Path
        For the storage, the downloads and the console; a second browser in the same folder has the first one's storage.
    env : mapping
        Environment of the browser, such as `JSC_useSharedArrayBuffer=1`.
    private : bool
        True for a private window.
    features : mapping, optional
        WebKit's features to switch on or off.
    """

    engine = "webkit"

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str],
        *,
        private: bool = False,
        features: Mapping[str, bool] | None = None,
    ) -> None:
        super().__init__(folder / "downloads")
        with ExitStack() as opened:
            self._trapped: list[str] = []
            settings = {
                "data": None if private else str(folder / "data"),
                "downloads": str(self.downloads),
                "proxy": opened.enter_context(_trap(self._trapped)),
                "features": dict(features or {}),
            }
            launcher = folder / "window"
            program = Path(__file__).with_name("webkit_window.py")
            launcher.write_text(f'#!/bin/sh\nexec "{SYSTEM_PYTHON}" "{program}"\n')
            launcher.chmod(0o755)
            self._console = opened.enter_context((folder / "console.log").open("w+", errors="replace"))
            environment = {
                **env,
                "DISPLAY": opened.enter_context(_screen()),
                "GDK_BACKEND": "x11",
                "DEMIXER_WEBKIT": json.dumps(settings),
            }
            self._url = opened.enter_context(_webdriver(environment, folder / "console.log"))
            options = {"webkitgtk:browserOptions": {"binary": str(launcher), "args": []}}
            session = self._send("POST", "/session", {"capabilities": {"alwaysMatch": options}})
            self._url += f"/session/{session['sessionId']}"
            opened.callback(self._end_session)
            self.version = f"WebKitGTK {session['capabilities']['browserVersion']}"
            self._send("POST", "/timeouts", {"script": round(1000 * _LONGEST), "pageLoad": round(1000 * _LONGEST)})
            self._opened = opened.pop_all()

    def open(self, url: str) -> None:
        self._send("POST", "/url", {"url": url})

    def evaluate(self, function: str, *arguments: Any) -> Any:
        outcome = self._call(f"JSON.stringify(await ({script(function)})(...JSON.parse(given)) ?? null)", arguments)
        return json.loads(outcome)

    def _press(self, path: list[Part]) -> bool:
        element = self._call(f"({script('(path) => target(path)')})(...JSON.parse(given))", [path])
        if element is None:
            return False
        self._send("POST", f"/element/{element[_ELEMENT]}/click", {})
        return True

    def _give(self, *files: Path) -> None:
        element = self._call("document.querySelector('input[type=file]')", [])
        text = "\n".join(map(str, files))
        self._send("POST", f"/element/{element[_ELEMENT]}/value", {"text": text})

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._send("GET", "/screenshot")))

    def take_problems(self) -> list[str]:
        told = [line.strip() for line in self._console if _FAULT.search(line)]
        foreign = [f"foreign request: {line}" for line in self._trapped]
        self._trapped.clear()
        return told + foreign

    def _end_session(self) -> None:
        with suppress(RuntimeError):  # a page in the middle of a job objects to its end
            self._send("DELETE", "")

    def _call(self, expression: str, arguments: Any) -> Any:
        """Evaluate an expression, in which `given` is the arguments as JSON."""
        source = f"""const [given, done] = arguments;
        (async () => {expression})().then((value) => done([value]), (error) => done([null, String(error)]))"""
        value, *error = self._send("POST", "/execute/async", {"script": source, "args": [json.dumps(arguments)]})
        if error:
            raise RuntimeError(error[0])
        return value

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a command of WebDriver, and return its value."""
        return _ask(method, f"{self._url}{path}", body)


def _ask(method: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(url, data, method=method), timeout=_LONGEST + 30) as response:
            return json.load(response)["value"]
    except HTTPError as error:
        told = json.load(error)["value"]
        raise RuntimeError(f"{told['error']}: {told['message']}") from error


@contextmanager
def _screen() -> Iterator[str]:
    """A screen without a monitor; yields its name."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x1000x24", "-nolisten", "tcp"]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8") as screen:
        yield f":{screen.stdout.readline().strip()}"


@contextmanager
def _webdriver(env: Mapping[str, str], log: Path) -> Iterator[str]:
    """WebKit's driver, whose output and that of its browser go to a file; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with log.open("a") as file, running(["WebKitWebDriver", f"--port={port}"], env=env, stdout=file, stderr=file):
        for _ in range(100):
            try:
                if _ask("GET", f"{url}/status")["ready"]:
                    break
            except URLError:
                time.sleep(0.1)
        yield url


@contextmanager
def _trap(caught: list[str]) -> Iterator[str]:
    """A proxy that refuses all requests, and notes their first lines; yields its address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # closed
                return
            with connection:
                caught.append(connection.recv(4096).decode(errors="replace").split("\r\n")[0])
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    Thread(target=refuse, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
