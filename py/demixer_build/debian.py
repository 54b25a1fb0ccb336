"""Installs packages of Debian, where that is possible."""

from __future__ import annotations

import os
from pathlib import Path

from demixer_build.console import step
from demixer_build.errors import BuildError
from demixer_build.process import run


def can_install() -> bool:
    """True as root on Debian."""
    return Path("/etc/debian_version").exists() and os.geteuid() == 0


def install(title: str, *packages: str) -> None:
    """Install packages without the ones that they recommend.

    Raises
    ------
    BuildError
        When this is not Debian, or not root, or the packages cannot be had.
    """
    names = " ".join(packages)
    if not can_install():
        raise BuildError(f"{title} needs root on Debian. Install {names} or what your system has instead.")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    advice = f"Install {names} by hand, then run this again."
    with step(title) as shown:
        run(shown, ["apt-get", "update"], advice=advice, env=quiet)
        run(shown, ["apt-get", "install", "-y", "--no-install-recommends", *packages], advice=advice, env=quiet)
