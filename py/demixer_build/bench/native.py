"""Measurements on the native onnxruntime, each in a process of its own."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import psutil

from demixer import families
from demixer.audio import Clip, Samples
from demixer.models import Model
from demixer.runtimes.native import NativeSession
from demixer.separate import separate
from demixer_build.bench.graphs import shapes
from demixer_build.bench.subjects import RATE

_SPAWN: Final = multiprocessing.get_context("spawn")


class Worker:
    """The parent's side of a measuring process."""

    def __init__(self, connection: Connection, process: psutil.Process) -> None:
        self._connection = connection
        self.process = process

    def ask(self, name: str, *arguments: Any) -> Any:
        """Call a method of `_Bench` in the process."""
        self._connection.send((name, arguments))
        return self._connection.recv()

    def run_graph(self) -> float:
        """Run the graph once; return the seconds."""
        return float(self.ask("run"))


@contextmanager
def worker() -> Iterator[Worker]:
    """Start a measuring process, and end it afterwards."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()  # otherwise its death would go unnoticed
    try:
        yield Worker(ours, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.join()


class _Bench:
    """The methods that a measuring process offers."""

    _session: NativeSession | None = None

    def open(self, path: Path | None) -> float | None:
        """Load a graph; return the seconds, or None without a graph."""
        if path is None:
            return None
        begin = time.perf_counter()
        self._session = NativeSession(path)
        seconds = time.perf_counter() - begin
        takes = shapes(onnx.load(path))
        self._feeds = {
            name: np.sin(np.arange(math.prod(dims), dtype=np.float32)).reshape(dims) for name, dims in takes.items()
        }
        return seconds

    def run(self) -> float:
        assert self._session is not None
        begin = time.perf_counter()
        asyncio.run(self._session.run(self._feeds))
        return time.perf_counter() - begin

    def separate(self, description: dict[str, Any], length: int) -> tuple[float, float]:
        """Separate a song; return the seconds of the whole and of the graph."""
        model = Model.from_dict(description)
        session = self._session
        before = session.seconds if session else 0.0
        family = families.create(model, [session] if session else [], RATE)
        noise = np.random.default_rng(0).standard_normal((2, length), np.float32)
        begin = time.perf_counter()
        ahead = session.ahead if session else 0
        preset, residual = model.preset("standard"), model.has_residual
        song = Clip(0.1 * noise, RATE)
        asyncio.run(separate(song, _Nowhere(), family, preset, residual=residual, ahead=ahead))
        return time.perf_counter() - begin, session.seconds - before if session else 0.0


class _Nowhere:
    """A sink that discards its samples."""

    async def write(self, start: int, stems: Samples) -> None: ...


def _serve(connection: Connection) -> None:
    bench = _Bench()
    while True:
        name, arguments = connection.recv()
        connection.send(getattr(bench, name)(*arguments))
