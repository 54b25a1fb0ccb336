"""A Chromium that Playwright can drive: Playwright's own, else the system's, else Debian's package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from demixer_build.errors import BuildError

_SYSTEM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CONNECT_MS: Final = 5_000
_DOWNLOAD_SECONDS: Final = 600


def find() -> Path | None:
    """The Chromium to test with, if there is one: Playwright's own before the system's."""
    candidates = [_playwrights_own(), *(shutil.which(name) for name in _SYSTEM_NAMES)]
    return next((Path(path) for path in candidates if path and _starts(Path(path))), None)


def ensure() -> Path:
    """Find a Chromium, or install one.

    Raises
    ------
    BuildError
        When none is there and none can be installed.
    """
    found = find()
    if found is None and (_download() or _install_debian_package()):
        found = find()
    if found is None:
        raise BuildError("No Chromium for the browser tests: install Chromium or Google Chrome, then run this again.")
    return found


def _playwrights_own() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _starts(executable: Path) -> bool:
    """A browser without its system libraries is there, but does not start."""
    try:
        return subprocess.run([executable, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _download() -> bool:
    """Whether Playwright could fetch its own build; its host is often blocked, so the connection gets seconds."""
    print("Browser: asking Playwright for its Chromium", flush=True)
    return _succeeds(
        [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"],
        {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": str(_CONNECT_MS)},
        _DOWNLOAD_SECONDS,
    )


def _install_debian_package() -> bool:
    """Whether `apt-get` could install Chromium: on Debian, as root."""
    if not Path("/etc/debian_version").exists() or os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("Browser: installing Debian's Chromium", flush=True)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    return _succeeds(["apt-get", "update", "-q"], quiet, _DOWNLOAD_SECONDS) and _succeeds(
        ["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"], quiet, _DOWNLOAD_SECONDS
    )


def _succeeds(command: list[str], environment: dict[str, str], seconds: float) -> bool:
    try:
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
