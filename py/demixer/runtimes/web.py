"""onnxruntime-web and JavaScript's memory, as the pipeline sees them. The only file that imports js and pyodide."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from pyodide.ffi import JsException  # type: ignore[import-not-found]
from pyodide.ffi import to_js as convert

from demixer.audio import Samples, deinterleave
from demixer.errors import CODES, AudioError, DemixError
from demixer.runtime import Float


def to_js(value: Any) -> Any:
    """Plain data as JavaScript's own: no proxies, and arrays become typed arrays of their own memory."""
    return convert(value, create_pyproxies=False)


class WebSource:
    """A song that JavaScript reads from where it keeps it: a `Source`.

    Parameters
    ----------
    song : JsProxy of Song
        `rate`, `channels`, `length`, `read(start, stop)`, a promise of interleaved samples, and `free(samples)`.
    """

    def __init__(self, song: Any) -> None:
        self._song = song
        self.rate = int(song.rate)
        self.channels = int(song.channels)
        self.length = int(song.length)

    async def read(self, start: int, stop: int) -> Samples:
        await asyncio.sleep(0)  # lets the worker hear a cancel
        with _typed("audio/unreadable"):
            read = await self._song.read(start, stop)
        frames = np.empty((stop - start, self.channels), np.float32)
        if read.length != frames.size:
            raise AudioError("audio/unreadable", "The song is shorter than it was.", "Choose the file again.")
        read.assign_to(frames.reshape(-1))
        self._song.free(read)
        return deinterleave(frames)


class WebOutput:
    """What JavaScript keeps of a job: an `Output`.

    Parameters
    ----------
    output : JsProxy of Output
        Each method gives a promise.
    """

    def __init__(self, output: Any) -> None:
        self._output = output

    async def load(self) -> bytes | None:
        with _typed("storage/unavailable"):
            state = await self._output.load()
        return state.to_bytes() if state else None  # JavaScript's null is false, and is not None

    async def save(self, state: bytes) -> None:
        with _typed("storage/unavailable"):
            await self._output.save(to_js(state))

    async def write(self, start: int, length: int, stems: list[dict[str, Any]]) -> None:
        with _typed("storage/unavailable"):
            await self._output.write(start, length, to_js(stems))

    async def resume(self, start: int, stems: list[dict[str, Any]]) -> None:
        with _typed("storage/unavailable"):
            await self._output.resume(start, to_js(stems))


class WebSession:
    """One model in `web/engine/`: `Loaded`.

    Parameters
    ----------
    session : JsProxy of Session
        That of `ort.js` or of `crew.js`.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self.ahead = int(session.ahead)

    @property
    def seconds(self) -> float:
        return float(self._session.seconds)

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        # Copies, since a view into Python's heap dies when the heap grows, which it may while the model runs.
        inputs = to_js([{"name": name, "dims": list(feed.shape), "data": feed.ravel()} for name, feed in feeds.items()])
        del feeds  # what Python keeps of them is not needed while the model runs
        with _typed("runtime/failed"):
            outputs = await self._session.run(inputs)
        arrays = {tensor.name: _received(tensor) for tensor in outputs}
        for tensors in (inputs, outputs):
            self._session.free(tensors)
        return arrays


@contextmanager
def _typed(code: str) -> Iterator[None]:
    """JavaScript's errors as ours: with their own code, where they have one that is known."""
    try:
        yield
    except JsException as error:
        known, hint = getattr(error, "code", None), getattr(error, "hint", None)
        known = known if isinstance(known, str) and known in CODES else code
        raise DemixError(known, error.message, hint if isinstance(hint, str) else None) from None


def _received(tensor: Any) -> Float:
    array = np.empty(tuple(tensor.dims), np.float32)
    tensor.data.assign_to(array)
    return array


#: The names under which `demixer.bridge.Border` knows them.
source = WebSource
output = WebOutput
session = WebSession
