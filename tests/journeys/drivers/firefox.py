"""Debian's Firefox over WebDriver BiDi, which it serves itself."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

from tests.journeys.drivers.driver import Driver, Part, script
from tests.journeys.drivers.process import running

_EVENTS: Final = ("log.entryAdded", "network.beforeRequestSent")
_OWN_SCHEMES: Final = {"about", "blob", "data", "moz-extension", "resource"}

#: Preferences against the browser's own requests and questions.
_PREFERENCES: Final = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.download.alwaysOpenPanel": False,
    "browser.download.always_ask_before_handling_new_types": False,
    "browser.download.folderList": 2,
    "browser.download.useDownloadDir": True,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "nimbus.rollouts.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "",
}


class Firefox(Driver):
    """A window of Firefox without a screen.

    BiDi reports the console of the page alone: an error in a worker is seen only where it reaches the page.

    Parameters
    ----------
    folder : Path
        For the profile and the downloads; a second browser in the same folder has the storage of the first.
    env : mapping
        Environment of the browser.
    private : bool
        True for private windows.
    """

    engine = "firefox"

    def __init__(self, folder: Path, env: Mapping[str, str], *, private: bool = False) -> None:
        super().__init__(folder / "downloads")
        self._ids = count(1)
        self._problems: list[str] = []
        self._origin = ""
        profile = folder / "profile"
        profile.mkdir(exist_ok=True)
        preferences = {
            **_PREFERENCES,
            "browser.download.dir": str(self.downloads),
            "browser.privatebrowsing.autostart": private,
        }
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
        (profile / "user.js").write_text("".join(lines), encoding="utf-8")
        command = [
            "firefox-esr",
            "--headless",
            "--no-remote",
            "--profile",
            str(profile),
            "--remote-debugging-port",
            "0",
        ]
        with ExitStack() as opened:
            output = opened.enter_context((folder / "browser.log").open("w", encoding="utf-8"))
            log = opened.enter_context((folder / "browser.log").open(encoding="utf-8", errors="replace"))
            browser = opened.enter_context(running(command, env=env, stdout=output, stderr=output))
            connecting = connect(f"{_address(log, browser)}/session", max_size=None, ping_interval=None)
            self._socket: ClientConnection = opened.enter_context(connecting)
            session = self._command("session.new", capabilities={})
            self._command("session.subscribe", events=_EVENTS)
            self._opened = opened.pop_all()
        self.version = f"Firefox {session['capabilities']['browserVersion']}"
        (tree,) = self._command("browsingContext.getTree")["contexts"]
        self._window = tree["context"]
        self._command("browsingContext.setViewport", context=self._window, viewport={"width": 1280, "height": 900})

    def open(self, url: str) -> None:
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._command("browsingContext.navigate", context=self._window, url=url, wait="complete")

    def evaluate(self, function: str, *arguments: Any) -> Any:
        # Values cross as text: BiDi's own form of them names each one's type.
        text = f"async (given) => JSON.stringify(await ({script(function)})(...JSON.parse(given)) ?? null)"
        return json.loads(self._call(text, json.dumps(arguments))["value"])

    def _press(self, path: list[Part]) -> bool:
        text = f"async (given) => ({script('(path) => target(path)')})(JSON.parse(given))"
        element = self._call(text, json.dumps(path))
        if element["type"] != "node":
            return False
        origin = {"type": "element", "element": {"sharedId": element["sharedId"]}}
        actions = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self._command("input.performActions", context=self._window, actions=[pointer])
        return True

    def _give(self, *files: Path) -> None:
        element = self._call("() => document.querySelector('input[type=file]')")
        shared = {"sharedId": element["sharedId"]}
        self._command("input.setFiles", context=self._window, element=shared, files=[str(file) for file in files])

    def screenshot(self, path: Path) -> None:
        data = self._command("browsingContext.captureScreenshot", context=self._window)["data"]
        path.write_bytes(base64.b64decode(data))

    def take_problems(self) -> list[str]:
        self.evaluate("() => null")  # what has been reported arrives first
        problems, self._problems = self._problems, []
        return problems

    def _call(self, function: str, *texts: str) -> Any:
        """Call a JavaScript function with texts; returns BiDi's form of its value."""
        outcome = self._command(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[{"type": "string", "value": text} for text in texts],
            target={"context": self._window},
            awaitPromise=True,
        )
        if outcome["type"] == "exception":
            raise RuntimeError(outcome["exceptionDetails"]["text"])
        return outcome["result"]

    def _command(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its result, heeding the events that come first."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message["type"] == "event":
                self._heed(message["method"], message["params"])
            elif message["id"] == number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['error']}: {message['message']}")
                return message["result"]

    def _heed(self, event: str, told: Any) -> None:
        if event == "log.entryAdded" and told["level"] in {"error", "warn"}:
            self._problems.append(f"{told['level']}: {told['text']}")
        elif event == "network.beforeRequestSent":
            url = told["request"]["url"]
            if urlsplit(url).scheme not in _OWN_SCHEMES and not url.startswith(f"{self._origin}/"):
                self._problems.append(f"foreign request: {url}")


def _address(log: IO[str], browser: subprocess.Popen[str]) -> str:
    """The address of the browser's server, from the line of its log that announces it."""
    while browser.poll() is None:
        if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", log.readline()):
            return found[1]
        time.sleep(0.02)
    raise RuntimeError("Firefox did not start.")
