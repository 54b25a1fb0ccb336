"""The browsers of the tests.

Chromium is Playwright's own, else the system's, else Debian's package; Firefox and WebKitGTK are Debian's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from demixer_build import debian
from demixer_build.console import say, step
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

SWIFTSHADER: Final = (
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan,WebGPU",
)
"""Options for an emulated GPU: correct and slow."""

HARDWARE: Final = (
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan",
    "--disable-vulkan-surface",
    "--ignore-gpu-blocklist",
    "--use-angle=vulkan",
)
"""Options for the machine's own GPU, without a window."""

HALF: Final = ("--enable-dawn-features=vulkan_enable_f16_on_nvidia",)
"""Option for float16 on NVIDIA's GPUs, which Chromium hides on Linux."""

SYSTEM_PYTHON: Final = "/usr/bin/python3"
"""The interpreter that the system's bindings are for."""


@dataclass(frozen=True)
class Engine:
    """A browser engine that Debian packages, with what its tests need besides.

    Parameters
    ----------
    label : str
    packages : tuple of str
        Debian's names.
    programs : tuple of str
        Commands that they bring.
    bindings : tuple of str
        Namespaces of GObject introspection with their versions, for the system's own Python.
    """

    label: str
    packages: tuple[str, ...]
    programs: tuple[str, ...]
    bindings: tuple[tuple[str, str], ...] = ()

    @property
    def present(self) -> bool:
        """True when its tests can run."""
        return all(map(shutil.which, self.programs)) and (not self.bindings or self._bound())

    def _bound(self) -> bool:
        required = (f"gi.require_version({name!r}, {version!r})" for name, version in self.bindings)
        command = [SYSTEM_PYTHON, "-c", "; ".join(["import gi", *required])]
        try:
            return subprocess.run(command, capture_output=True, timeout=30).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


FIREFOX: Final = Engine("Firefox", ("firefox-esr", "pulseaudio"), ("firefox-esr", "pulseaudio"))
WEBKIT: Final = Engine(
    "WebKitGTK",
    (
        "webkit2gtk-driver",
        "xvfb",
        "pulseaudio",
        "python3-gi",
        "gir1.2-webkit2-4.1",
        *(f"gstreamer1.0-{part}" for part in ("plugins-base", "plugins-good", "plugins-bad", "libav")),
    ),
    ("WebKitWebDriver", "Xvfb", "pulseaudio"),
    (("Gtk", "3.0"), ("WebKit2", "4.1")),
)

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


def ensure_engines() -> None:
    """Install Firefox and WebKitGTK, as root on Debian; elsewhere report whose tests are skipped.

    Raises
    ------
    BuildError
        When an engine is still missing as root on Debian, which can have all of them.
    """
    for engine in (FIREFOX, WEBKIT):
        if engine.present:
            continue
        if debian.can_install():
            debian.install(f"Installing {engine.label} from Debian", *engine.packages)
        if not engine.present:
            problem = f"{engine.label} is missing: its tests need Debian's {', '.join(engine.packages)}."
            if debian.can_install():
                raise BuildError(problem)
            say(f"{problem} They are skipped.")


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
    """Install Debian's Chromium; None where that is impossible."""
    try:
        debian.install("Installing Debian's Chromium", "chromium")
    except BuildError:
        return None
    return _systems()


def _succeeds(title: str, command: Sequence[str | Path], env: Mapping[str, str]) -> bool:
    try:
        with step(title) as shown:
            run(shown, command, advice=_ADVICE, env=env)
    except BuildError:
        return False
    return True
