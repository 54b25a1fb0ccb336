"""Songs, outputs and sessions of JavaScript, as the pipeline uses them. The only file that imports pyodide."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from pyodide.ffi import JsException  # type: ignore[import-not-found]
from pyodide.ffi import to_js as convert

from demixer.audio import Samples, deinterleave
from demixer.errors import CODES, DemixError
from demixer.runtime import Float


def to_js(value: Any) -> Any:
    """Plain data as JavaScript's own, without proxies; arrays become typed arrays with their own memory."""
    return convert(value, create_pyproxies=False)


class WebSource:
    """A song or stem in the browser's storage: a `Source`.

    Parameters
    ----------
    song : JsProxy of AudioReader
    """

    def __init__(self, song: Any) -> None:
        self._song = song
        self.rate = int(song.rate)
        self.channels = int(song.channels)
        self.length = int(song.length)

    async def read(self, start: int, stop: int) -> Samples:
        await asyncio.sleep(0)  # lets the worker receive an abort
        with _coded("audio/unreadable"):
            read = await self._song.read(start, stop)
        try:
            frames = np.empty((stop - start, self.channels), np.float32)
            if read.length != frames.size:
                raise DemixError("storage/cleared", "The song is shorter than it was.", "Choose the file again.")
            read.assign_to(frames.reshape(-1))
        finally:
            self._song.free(read)
        return deinterleave(frames)


class WebOutput:
    """The stems and the state of a job in the browser's storage: an `Output`.

    Parameters
    ----------
    output : JsProxy of JobOutput
    """

    def __init__(self, output: Any) -> None:
        self._output = output

    async def load(self) -> bytes | None:
        with _coded("storage/unavailable"):
            state = await self._output.load()
        return state.to_bytes() if state else None  # JavaScript's null is false, and is not None

    async def save(self, state: bytes) -> None:
        with _coded("storage/unavailable"):
            await self._output.save(to_js(state))

    async def write(self, start: int, length: int, stems: list[dict[str, Any]]) -> None:
        with _coded("storage/unavailable"):
            await self._output.write(start, length, to_js(stems))

    async def resume(self, start: int, stems: list[dict[str, Any]]) -> None:
        with _coded("storage/unavailable"):
            await self._output.resume(start, to_js(stems))


class WebSession:
    """A network in onnxruntime-web: `Loaded`.

    Parameters
    ----------
    session : JsProxy of Session or PooledSession
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self.ahead = int(session.ahead)

    @property
    def seconds(self) -> float:
        return float(self._session.seconds)

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        # Copies: a view into Python's heap dies when the heap grows, which it may while the model runs.
        inputs = to_js([{"name": name, "dims": list(feed.shape), "data": feed.ravel()} for name, feed in feeds.items()])
        del feeds  # Python's own copies are not needed while the model runs
        try:
            with _coded("runtime/failed"):
                outputs = await self._session.run(inputs)
        finally:
            self._session.free(inputs)
        try:
            return {tensor.name: _received(tensor) for tensor in outputs}
        finally:
            self._session.free(outputs)


#: JavaScript's classes of errors that only a defect of the program throws, as in `web/base/errors.js`.
PROGRAM_ERRORS: Final = {"TypeError", "ReferenceError", "RangeError", "SyntaxError"}

#: Names of JavaScript's errors of files that are gone, as in `web/base/errors.js`.
GONE: Final = {"NotFoundError", "NotReadableError"}


@contextmanager
def _coded(code: str) -> Iterator[None]:
    """Turn JavaScript's errors into ours, with this code unless they have one themselves."""
    try:
        yield
    except JsException as error:
        known, hint = getattr(error, "code", None), getattr(error, "hint", None)
        if isinstance(known, str) and known in CODES:
            raise DemixError(known, error.message, hint if isinstance(hint, str) else None) from None
        if error.name in PROGRAM_ERRORS:
            raise DemixError("program/failed", f"{error.name}: {error.message}") from None
        raise DemixError("storage/cleared" if error.name in GONE else code, error.message) from None


def _received(tensor: Any) -> Float:
    array = np.empty(tuple(tensor.dims), np.float32)
    tensor.data.assign_to(array)
    return array


#: The names under which `demixer.bridge.Border` knows them.
source = WebSource
output = WebOutput
session = WebSession
