"""A Chromium that Playwright can drive: Playwright's own, else the system's, else Debian's package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from demixer_build.console import step
from demixer_build.errors import BuildError
from demixer_build.process import run
from demixer_build.stamps import Stamp

QUIET: Final = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)
"""Options against Chromium's own requests and background work."""

_SYSTEM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CONNECT_MS: Final = 5_000
_ADVICE: Final = "Install Chromium or Google Chrome, then run this again."


def find() -> Path | None:
    """The installed Chromium to test with, Playwright's before the system's; None when there is none."""
    return _playwrights_own() or _systems()


def ensure() -> Path:
    """Find a Chromium, or install one.

    Raises
    ------
    BuildError
        When there is none and none can be installed.
    """
    if own := _playwrights_own() or _download():
        return own
    if found := _systems() or _install_debian_package():
        return found
    raise BuildError(f"There is no browser for the tests. {_ADVICE}")


def _playwrights_own() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        executable = Path(playwright.chromium.executable_path)
    return executable if _starts(executable) else None


def _systems() -> Path | None:
    found = (Path(path) for name in _SYSTEM_NAMES if (path := shutil.which(name)))
    return next((path for path in found if _starts(path)), None)


def _starts(executable: Path) -> bool:
    """True when the browser runs: it may lack system libraries."""
    try:
        return subprocess.run([executable, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _download() -> Path | None:
    """Download Playwright's build. Its server is often blocked, so the attempt is short and made once."""
    refused = Stamp("playwright-download-refused")
    if refused.holds(version("playwright")):
        return None
    command = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
    if _succeeds("Downloading Chromium", command, {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": str(_CONNECT_MS)}):
        return _playwrights_own()
    refused.set(version("playwright"))
    return None


def _install_debian_package() -> Path | None:
    """Install Debian's Chromium, as root on Debian; None elsewhere."""
    if not Path("/etc/debian_version").exists() or os.geteuid() != 0:
        return None
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    installed = _succeeds("Updating Debian's package list", ["apt-get", "update"], quiet) and _succeeds(
        "Installing Debian's Chromium", ["apt-get", "install", "-y", "--no-install-recommends", "chromium"], quiet
    )
    return _systems() if installed else None


def _succeeds(title: str, command: Sequence[str | Path], env: Mapping[str, str]) -> bool:
    try:
        with step(title) as shown:
            run(shown, command, advice=_ADVICE, env=env)
    except BuildError:
        return False
    return True
