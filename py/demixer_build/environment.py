"""Prepares `.venv` from a bare Python and continues the command inside it.

Standard library only: nothing is installed yet when this runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from demixer_build import console
from demixer_build.arguments import parse
from demixer_build.console import step
from demixer_build.errors import exit_with_one_line
from demixer_build.paths import ROOT, VENV
from demixer_build.process import run
from demixer_build.stamps import Stamp, digest

_BUILD: Final = ("build", "cli")
_ALL: Final = ("build", "cli", "dev")
STAGES: Final = {"run": 6, "site": 6, "test": 9, "check": 4, "evaluate": 6, "bench": 7, "clean": 1}
"""Stages of each command, the Python packages being the first."""
_EXTRAS: Final = {"test": _ALL, "check": _ALL, "evaluate": _ALL, "bench": _ALL}
"""Extras of pyproject.toml by command; every other command needs `_BUILD`."""


def enter(arguments: Sequence[str]) -> NoReturn:
    """Prepare the environment and continue in it with the same arguments; never returns."""
    command = parse(arguments).command
    console.stage(1, STAGES[command])
    with exit_with_one_line():
        ready(_EXTRAS.get(command, _BUILD))
    _hand_over([str(python()), "-m", "demixer_build", *arguments])


def ready(extras: Sequence[str]) -> None:
    """Make sure that the environment exists and has these extras.

    Raises
    ------
    BuildError
        When it cannot be made, or a package is unavailable.
    """
    required = [digest(ROOT / "pyproject.toml"), *extras]
    stamp = Stamp("installed", VENV)
    installed = stamp.read().split() if python().exists() else []
    if installed[:1] == required[:1] and set(required) <= set(installed):
        return
    stamp.drop()
    _make()
    names = ",".join(extras)
    with step(f"Installing Python packages ({names})", 60) as shown:
        run(
            shown,
            [python(), "-m", "pip", "install", "--disable-pip-version-check", "--editable", f"{ROOT}[{names}]"],
            advice="Check the network and free disk space, then run this again.",
        )
    stamp.set(" ".join(required))


def python() -> Path:
    """The interpreter of the environment."""
    return VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _make() -> None:
    """Make `.venv`, again if it is incomplete or its Python is gone."""
    if _works(python()):
        return
    with step("Making .venv", 10) as shown:
        run(
            shown,
            [sys.executable, "-m", "venv", "--clear", VENV],
            advice="On Debian and Ubuntu: apt-get install python3-venv. Then run this again.",
        )


def _works(interpreter: Path) -> bool:
    try:
        return subprocess.run([interpreter, "-m", "pip", "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def _hand_over(command: list[str]) -> NoReturn:
    if sys.platform == "win32":  # where exec starts a second process and returns to the shell at once
        sys.exit(subprocess.run(command).returncode)
    os.execv(command[0], command)
