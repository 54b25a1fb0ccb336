"""Checks formatting, lint and types of Python and JavaScript, with one readable summary."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from demixer_build import node
from demixer_build.console import say, step
from demixer_build.paths import NODE_MODULES, ROOT, WEB

_TOOLS: Final = ("ruff format", "ruff check", "mypy", "biome", "tsc", "tsc for the service worker")


def check() -> bool:
    """Run every tool and show the output of those that fail; True when all passed."""
    with ThreadPoolExecutor(2) as pool:  # mypy takes as long as all others
        runs = {name: pool.submit(_run, name) for name in sorted(_TOOLS, key="mypy".__ne__)}
        failed = [name for name in _TOOLS if not _passes(name, runs[name])]
    say(f"Checks failed: {', '.join(failed)}" if failed else f"Checks passed: {', '.join(_TOOLS)}")
    return not failed


def _run(name: str) -> subprocess.CompletedProcess[str]:
    folder = WEB if name in ("biome", "tsc", "tsc for the service worker") else ROOT
    return subprocess.run(_command(name), cwd=folder, capture_output=True, encoding="utf-8", errors="replace")


def _passes(name: str, run: Future[subprocess.CompletedProcess[str]]) -> bool:
    with step(f"Checking with {name}"):
        done = run.result()
    if done.returncode != 0:
        say((done.stdout + done.stderr).rstrip())
    return done.returncode == 0


def _command(name: str) -> list[str | Path]:
    tsc: list[str | Path] = [node.node(), NODE_MODULES / "typescript" / "bin" / "tsc", "--project"]
    commands: dict[str, list[str | Path]] = {
        "ruff format": [sys.executable, "-m", "ruff", "format", "--check", "."],
        "ruff check": [sys.executable, "-m", "ruff", "check", "."],
        "mypy": [sys.executable, "-m", "mypy"],
        "biome": [node.node(), NODE_MODULES / "@biomejs" / "biome" / "bin" / "biome", "ci", "--colors=off", "."],
        "tsc": [*tsc, "."],
        "tsc for the service worker": [*tsc, "service-worker"],  # its globals differ from the page's
    }
    return commands[name]
