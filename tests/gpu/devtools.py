"""Chromium by its debugging pipe, with the standard library alone: the machine with the GPU has no Playwright."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

LONG: Final = 600.0
"""Seconds to wait for an answer: a page may compile shaders meanwhile."""


class Gone(Exception):
    """The browser has failed, or does not answer."""


class Browser:
    """A Chromium without a window.

    Parameters
    ----------
    command : sequence of str or Path
        The program and its options.
    env : dict of str to str
    log : writable binary file
        Takes the browser's own output.
    """

    def __init__(self, command: Sequence[str | Path], env: dict[str, str], log: IO[bytes]) -> None:
        ours, self._write = os.pipe()
        self._read, theirs = os.pipe()

        def connect() -> None:  # the browser reads descriptor 3 and writes 4
            high = os.dup(ours), os.dup(theirs)
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [*map(str, command), "--remote-debugging-pipe"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            close_fds=False,
            start_new_session=True,
            preexec_fn=connect,
        )
        os.close(ours)
        os.close(theirs)
        self._last = 0
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self.console: list[str] = []
        """What pages have said on their consoles."""
        threading.Thread(target=self._listen, daemon=True).start()

    def call(self, method: str, parameters: dict[str, Any] | None = None, *, session: str = "") -> dict[str, Any]:
        """Send a command and wait for its result.

        Raises
        ------
        Gone
        """
        answer: queue.Queue[dict[str, Any]] = queue.Queue()
        with self._lock:
            self._last += 1
            self._answers[self._last] = answer
            message = {"id": self._last, "method": method, "params": parameters or {}}
            data = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
            while data:
                data = data[os.write(self._write, data) :]
        try:
            found = answer.get(timeout=LONG)
        except queue.Empty:
            raise Gone(f"{method}: no answer in {LONG:.0f} s") from None
        if "error" in found:
            raise Gone(f"{method}: {found['error']['message']}")
        result: dict[str, Any] = found["result"]
        return result

    def open(self, url: str) -> Page:
        """Open a page and wait until it has loaded."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable", session=session)
        self.call("Page.navigate", {"url": url}, session=session)
        while not page.evaluate(f"document.readyState === 'complete' && location.href === {json.dumps(url)}"):
            time.sleep(0.05)
        return page

    def end_gpu_process(self) -> int:
        """Kill the process that talks to the GPU, as a crash of its driver would; returns the number killed."""
        killed = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                ours = os.getsid(int(folder.name)) == self.process.pid
                if ours and b"--type=gpu-process" in (folder / "cmdline").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)
                    killed += 1
            except OSError:  # it has ended by itself
                continue
        return killed

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._write)

    def _listen(self) -> None:
        rest = b""
        with os.fdopen(self._read, "rb", buffering=0) as pipe:
            while data := pipe.read(1 << 20):
                *messages, rest = (rest + data).split(b"\0")
                for message in map(json.loads, messages):
                    if answer := self._answers.pop(message.get("id", 0), None):
                        answer.put(message)
                    elif message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                        self.console.append(json.dumps(message["params"])[:500])
        for answer in list(self._answers.values()):
            answer.put({"error": {"message": "the browser is gone"}})


class Page:
    """A page of a browser."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser = browser
        self._session = session

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited.

        Raises
        ------
        Gone
            Also when the expression throws.
        """
        given = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        found = self.browser.call("Runtime.evaluate", given, session=self._session)
        if problem := found.get("exceptionDetails"):
            raise Gone(problem.get("exception", {}).get("description") or problem["text"])
        return found["result"].get("value")

    def apply(self, module: str, function: str, *arguments: Any) -> Any:
        """Call a function that a module of the site exports."""
        given = json.dumps(arguments)
        return self.evaluate(f"import({json.dumps(module)}).then((module) => module.{function}(...{given}))")
