"""onnxruntime-web and JavaScript's memory, as the pipeline sees them. The only file that imports js and pyodide."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
from pyodide.ffi import JsException  # type: ignore[import-not-found]
from pyodide.ffi import to_js as convert

from demixer.audio import Samples
from demixer.errors import CODES, RuntimeFailure
from demixer.runtime import Float


def to_js(value: Any) -> Any:
    """Plain data as JavaScript's own: no proxies, and float32 arrays become Float32Arrays of their own memory."""
    return convert(value, create_pyproxies=False)


class WebSource:
    """A song whose samples stay in JavaScript: a `Source`.

    Parameters
    ----------
    pcm : JsProxy of Pcm
        `rate`, and in `channels` a Float32Array for each.
    """

    def __init__(self, pcm: Any) -> None:
        self._channels = list(pcm.channels)
        self.rate = int(pcm.rate)
        self.channels = len(self._channels)
        self.length = min((int(channel.length) for channel in self._channels), default=0)

    async def read(self, start: int, stop: int) -> Samples:
        await asyncio.sleep(0)  # lets the worker hear a cancel
        samples = np.empty((self.channels, stop - start), np.float32)
        for row, channel in zip(samples, self._channels, strict=True):
            channel.subarray(start, stop).assign_to(row)
        return samples


class WebSession:
    """One model in `web/engine/ort.js`: a `Session`.

    Parameters
    ----------
    session : JsProxy of Session
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        # Copies, since a view into Python's heap dies when the heap grows, which it may while the model runs.
        inputs = to_js([{"name": name, "dims": list(feed.shape), "data": feed.ravel()} for name, feed in feeds.items()])
        try:
            outputs = await self._session.run(inputs)
        except JsException as error:
            code = getattr(error, "code", None)
            raise RuntimeFailure(code if code in CODES else "runtime/failed", error.message) from None
        return {tensor.name: _received(tensor) for tensor in outputs}


def _received(tensor: Any) -> Float:
    array = np.empty(tuple(tensor.dims), np.float32)
    tensor.data.assign_to(array)
    return array


#: The names under which `demixer.bridge.Border` knows them.
source = WebSource
session = WebSession
