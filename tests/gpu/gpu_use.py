"""Memory and use of the GPU while something runs, as `nvidia-smi` tells; nothing where there is none."""

from __future__ import annotations

import shutil
import subprocess
from threading import Thread
from types import TracebackType
from typing import Final, Self

_QUERY: Final = "memory.used,utilization.gpu,power.draw"


class Use:
    """A context that samples the GPU."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._rows: list[list[float]] = []

    def __enter__(self) -> Self:
        if shutil.which("nvidia-smi"):
            command = ["nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits", "-lms", "100"]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            self._thread = Thread(target=self._read, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._thread.join()

    def found(self) -> dict[str, float]:
        """Megabytes taken at most since the start, and means of use (percent) and power (watts)."""
        if not self._rows:
            return {}
        memory, use, power = zip(*self._rows, strict=True)
        count = len(self._rows)
        return {"megabytes": max(memory) - memory[0], "use": sum(use) / count, "watts": sum(power) / count}

    def _read(self) -> None:
        assert self._process
        assert self._process.stdout
        for line in self._process.stdout:
            try:
                self._rows.append([float(word) for word in line.split(",")])
            except ValueError:  # a card that does not tell everything
                continue
