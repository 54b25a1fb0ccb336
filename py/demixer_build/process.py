"""Runs other programs as steps of the build, quietly unless they fail. Standard library only."""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from demixer_build.console import Step
from demixer_build.errors import BuildError
from demixer_build.paths import STATE

_TAIL_LINES: Final = 200
_MARKED: Final = re.compile(
    r"\s*(npm )?error:? (?!code|errno|syscall|subprocess-|exception:)(?P<text>.+)", re.IGNORECASE
)


def run(
    step: Step,
    command: Sequence[str | Path],
    *,
    advice: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> list[str]:
    """Run a program to its end, showing the latest line of its output.

    Parameters
    ----------
    step : Step
        Shows the line.
    command : sequence of str or Path
        The program and its arguments.
    advice : str
        The user's next step when it fails.
    cwd, env : optional
        Working folder, and additions to the environment.

    Returns
    -------
    list of str
        The last lines of its output.

    Raises
    ------
    BuildError
        When it does not start or reports a failure; the end of its output is then kept in a log.
    """
    name = Path(command[0]).name
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    try:
        with subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            try:
                for line in process.stdout or ():
                    if text := line.rstrip():
                        tail.append(text)
                        step.detail(text.strip())
            except BaseException:
                process.terminate()  # Ctrl-C reaches child processes in a terminal only
                raise
    except OSError as error:
        raise BuildError(f"{step.title} failed: {name} does not start ({error.strerror}). {advice}") from error
    if process.returncode != 0:
        raise BuildError(f"{step.title} failed: {_reason(tail)} {advice} (Output: {_keep_log(name, tail)})")
    return list(tail)


def _reason(tail: Sequence[str]) -> str:
    """The most telling line: the first one that pip or npm marks as an error, else the last."""
    marked = (match["text"] for line in tail if (match := _MARKED.match(line)))
    return next(marked, tail[-1] if tail else "it gave no reason").strip().rstrip(".") + "."


def _keep_log(name: str, tail: Sequence[str]) -> Path:
    log = STATE / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("\n".join(tail) + "\n", encoding="utf-8")
    return log
