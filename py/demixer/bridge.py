"""What the engine worker calls: songs and models in, stems and progress out, errors as plain data."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np

from demixer import families
from demixer.audio import Source
from demixer.errors import DemixError, RuntimeFailure
from demixer.job import JobRequest, Output, StemOutput
from demixer.mixdown import Mixdown, measure_mix
from demixer.pcm import Rendering
from demixer.progress import Monitor
from demixer.runtime import Loaded
from demixer.separate import separate
from demixer.spectrogram import Window, spectrogram

Post = Callable[[str, Any], None]
"""Takes the type of an event and its data, already JavaScript's."""


class Border(Protocol):
    """How values cross to JavaScript and back: `demixer.runtimes.web`, or a stand-in in tests."""

    def source(self, song: Any, /) -> Source:
        """The song that JavaScript reads."""
        ...

    def session(self, session: Any, /) -> Loaded:
        """The model behind JavaScript's session."""
        ...

    def output(self, output: Any, /) -> Output:
        """Where JavaScript keeps a job's stems and state."""
        ...

    def to_js(self, value: Any, /) -> Any:
        """Plain data and arrays as JavaScript's own."""
        ...


class Bridge:
    """The Python half of the engine worker.

    Its methods return replies as `web/engine/protocol.js` has them, without the id: `{ok, value}`, or
    `{ok, error}`.

    Parameters
    ----------
    border : Border
    """

    def __init__(self, border: Border) -> None:
        self._border = border
        self._monitor: Monitor | None = None

    async def spectrogram(self, song: Any, window: str) -> Any:
        """Draw a part of a song or stem.

        The value is `{levels}`: bytes by column and row, as `demixer.spectrogram` has them.

        Parameters
        ----------
        song : JsProxy of Song
        window : str
            The Window as JSON.
        """
        return await self._reply(self._spectrogram(song, window))

    def run_job(self, request: str, song: Any, session: Any, output: Any, post: Post) -> Coroutine[Any, Any, Any]:
        """Separate a song; can be cancelled from now on.

        The value is `{seconds, modelSeconds, segments}`: what this run took, and how many segments it computed.

        Parameters
        ----------
        request : str
            The JobRequest as JSON, but for its song.
        song : JsProxy of Song
        session : JsProxy of Session, optional
            None for a model without weights.
        output : JsProxy of Output
            Takes the stems, and keeps the state from which an interrupted job goes on.
        post : callable
            Takes the events `job.progress`.
        """
        monitor = Monitor()
        self._monitor = monitor
        return self._reply(self._run_job(request, song, session, output, post, monitor))

    async def measure_mix(self, song: Any, stems: Iterable[Any], gains: str, report: Callable[[float], None]) -> Any:
        """Measure what is about to be exported.

        The value is `{stems, mix, residual}` of `demixer.mixdown.MixMeasurement`.

        Parameters
        ----------
        song, stems : JsProxy of Song
        gains : str
            Of the mix: linear ones by stem and channel, as JSON.
        report : callable
            Takes the fraction that is done.
        """
        return await self._reply(self._measure_mix(song, stems, gains, report))

    def render(self, stems: Iterable[Any], request: str) -> WebRendering:
        """Begin to render stems for an encoder.

        Parameters
        ----------
        stems : JsProxy of Song
        request : str
            `{gains, gain, layout, seed}` as JSON, of `demixer.mixdown.Mixdown` and `demixer.pcm.Rendering`.
        """
        asked = json.loads(request)
        sources = [self._border.source(stem) for stem in stems]
        mix = Mixdown(sources, np.array(asked["gains"], np.float64), asked["gain"])
        return WebRendering(Rendering(mix, asked["layout"], asked["seed"]), self._reply)

    def cancel(self) -> None:
        """Ask the job to stop that was asked for last."""
        if self._monitor is not None:
            self._monitor.cancel()

    async def _reply(self, work: Awaitable[Mapping[str, Any]]) -> Any:
        try:
            reply = {"ok": True, "value": await work}
        except Exception as error:
            reply = {"ok": False, "error": as_demix_error(error).to_dict()}
        return self._border.to_js(reply)

    async def _measure_mix(
        self, song: Any, stems: Iterable[Any], gains: str, report: Callable[[float], None]
    ) -> dict[str, Any]:
        monitor = Monitor(lambda mark: report(mark.done / mark.total))
        sources = [self._border.source(stem) for stem in stems]
        measured = await measure_mix(
            self._border.source(song), sources, np.array(json.loads(gains), np.float64), monitor
        )
        return {"stems": list(measured.stems), "mix": measured.mix, "residual": measured.residual}

    async def _spectrogram(self, song: Any, window: str) -> dict[str, Any]:
        levels = await spectrogram(self._border.source(song), Window.from_json(window))
        return {"levels": levels.ravel()}

    async def _run_job(
        self, request: str, song: Any, session: Any, output: Any, post: Post, monitor: Monitor
    ) -> dict[str, float]:
        begin = time.perf_counter()
        asked = JobRequest.from_json(request)
        monitor.report = lambda mark: post("job.progress", self._border.to_js({"job": asked.job, **asdict(mark)}))
        source = self._border.source(song)
        loaded = None if session is None else self._border.session(session)
        before = loaded.seconds if loaded else 0.0
        family = families.create(asked.model, [loaded] if loaded else [], source.rate, asked.preset)
        stems = StemOutput(self._border.output(output), asked, source.length)
        segments = await separate(
            source,
            stems,
            family,
            asked.model.preset(asked.preset),
            raw=asked.raw,
            residual=asked.model.has_residual,
            ahead=loaded.ahead if loaded else 0,
            normalisation=asked.normalisation,
            resume_points=stems,
            monitor=monitor,
        )
        seconds = time.perf_counter() - begin
        model_seconds = loaded.seconds - before if loaded else 0.0
        return {"seconds": seconds, "modelSeconds": model_seconds, "segments": segments}


class WebRendering:
    """A `Rendering` that JavaScript reads.

    Parameters
    ----------
    rendering : Rendering
    reply : callable
        Makes a reply of what is awaited.
    """

    def __init__(self, rendering: Rendering, reply: Callable[[Awaitable[Mapping[str, Any]]], Awaitable[Any]]) -> None:
        self._rendering = rendering
        self._reply = reply

    async def read(self, start: int, stop: int) -> Any:
        """The value is `{bytes, clipped}`: the next samples, and how many had to be clipped so far."""
        return await self._reply(self._read(start, stop))

    async def _read(self, start: int, stop: int) -> dict[str, Any]:
        read = await self._rendering.read(start, stop)
        return {"bytes": read, "clipped": self._rendering.clipped}


def as_demix_error(error: Exception) -> DemixError:
    """Any failure as one with a code."""
    if isinstance(error, DemixError):
        return error
    if isinstance(error, MemoryError):
        return RuntimeFailure(
            "runtime/out-of-memory", "The browser gave no more memory.", "Close other tabs, or choose a smaller model."
        )
    return RuntimeFailure("runtime/failed", f"{type(error).__name__}: {error}")
