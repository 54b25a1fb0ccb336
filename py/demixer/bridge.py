"""The Python half of the workers: songs and sessions in; stems, analyses, renderings and progress out."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np

from demixer import analyses, families
from demixer.audio import Source
from demixer.errors import DemixError, RuntimeFailure
from demixer.job import JobRequest, Output, StemOutput
from demixer.mixdown import Mixdown, measure_mix
from demixer.pcm import Rendering
from demixer.progress import Monitor, Progress, Signal
from demixer.runtime import Loaded
from demixer.separate import separate

Post = Callable[[str, Any], None]
"""Takes the type of an event and its data, already JavaScript's."""

Report = Callable[[float], None]
"""Takes the fraction that is done."""


class Border(Protocol):
    """Converts values to JavaScript's and back: `demixer.runtimes.web`, or a stand-in in tests."""

    def source(self, song: Any, /) -> Source:
        """A song that JavaScript reads."""
        ...

    def session(self, session: Any, /) -> Loaded:
        """A network that JavaScript has loaded."""
        ...

    def output(self, output: Any, /) -> Output:
        """The place where JavaScript keeps a job's stems and state."""
        ...

    def to_js(self, value: Any, /) -> Any:
        """Plain data and arrays as JavaScript's own."""
        ...


class Bridge:
    """Everything that a worker calls.

    Its methods return replies as `web/base/messages.js` describes them, without the id: `{ok, value}` or
    `{ok, error}`. They end with `cancelled` soon after their signal is aborted.

    Parameters
    ----------
    border : Border
    """

    def __init__(self, border: Border) -> None:
        self._border = border

    async def run_job(
        self, request: str, song: Any, sessions: Iterable[Any], output: Any, signal: Signal, post: Post
    ) -> Any:
        """Separate a song.

        The value is `{seconds, modelSeconds, segments}` of this run alone.

        Parameters
        ----------
        request : str
            The JobRequest as JSON, without its song.
        song : JsProxy of AudioReader
        sessions : JsProxy of Session
            One for each network of the model; none for a model without weights.
        output : JsProxy of JobOutput
            Takes the stems, and keeps the state from which an interrupted job goes on.
        signal : JsProxy of AbortSignal
        post : callable
            Takes the events `job.progress`.
        """
        return await self._reply(self._run_job(request, song, sessions, output, signal, post))

    async def run_analysis(
        self, name: str, source: Any, options: str, signal: Signal, report: Report | None = None
    ) -> Any:
        """Compute an analysis of a song or stem; its value is the reply's.

        Parameters
        ----------
        name : str
            As `demixer.analyses` knows it.
        source : JsProxy of AudioReader
        options : str
            The analysis's own, as JSON.
        signal : JsProxy of AbortSignal
        report : callable, optional
        """
        return await self._reply(self._run_analysis(name, source, options, signal, report))

    async def measure_mix(self, song: Any, stems: Iterable[Any], gains: str, signal: Signal, report: Report) -> Any:
        """Measure a mix before its export.

        The value is `{stems, mix, residual}` of `demixer.mixdown.MixMeasurement`.

        Parameters
        ----------
        song, stems : JsProxy of AudioReader
        gains : str
            Linear gains of the mix by stem and channel, as JSON.
        signal : JsProxy of AbortSignal
        report : callable
        """
        return await self._reply(self._measure_mix(song, stems, gains, signal, report))

    def render(self, stems: Iterable[Any], request: str) -> WebRendering:
        """Begin to render stems for an encoder.

        Parameters
        ----------
        stems : JsProxy of AudioReader
        request : str
            `{gains, gain, layout, seed}` as JSON, of `demixer.mixdown.Mixdown` and `demixer.pcm.Rendering`.
        """
        options = json.loads(request)
        sources = [self._border.source(stem) for stem in stems]
        mix = Mixdown(sources, np.array(options["gains"], np.float64), options["gain"])
        return WebRendering(Rendering(mix, options["layout"], options["seed"]), self._reply)

    async def _reply(self, work: Awaitable[Mapping[str, Any]]) -> Any:
        try:
            reply = {"ok": True, "value": await work}
        except Exception as error:
            reply = {"ok": False, "error": as_demix_error(error).to_dict()}
        return self._border.to_js(reply)

    async def _run_job(
        self, request: str, song: Any, sessions: Iterable[Any], output: Any, signal: Signal, post: Post
    ) -> dict[str, float]:
        begin = time.perf_counter()
        job = JobRequest.from_json(request)

        def report(mark: Progress) -> None:
            post("job.progress", self._border.to_js({"job": job.job, **asdict(mark)}))

        source = self._border.source(song)
        loaded = [self._border.session(session) for session in sessions]
        before = sum(session.seconds for session in loaded)
        family = families.create(job.model, loaded, source.rate, job.preset)
        stems = StemOutput(self._border.output(output), job, source.length)
        segments = await separate(
            source,
            stems,
            family,
            job.model.preset(job.preset),
            raw=job.raw,
            residual=job.model.has_residual,
            ahead=min((session.ahead for session in loaded), default=0),
            normalisation=job.normalisation,
            resume_points=stems,
            monitor=Monitor(report, signal),
        )
        seconds = time.perf_counter() - begin
        model_seconds = sum(session.seconds for session in loaded) - before
        return {"seconds": seconds, "modelSeconds": float(model_seconds), "segments": segments}

    async def _run_analysis(
        self, name: str, source: Any, options: str, signal: Signal, report: Report | None
    ) -> Mapping[str, Any]:
        analyse = analyses.find(name)
        return await analyse(self._border.source(source), {}, json.loads(options), _monitor(signal, report))

    async def _measure_mix(
        self, song: Any, stems: Iterable[Any], gains: str, signal: Signal, report: Report
    ) -> dict[str, Any]:
        sources = [self._border.source(stem) for stem in stems]
        mix = np.array(json.loads(gains), np.float64)
        measured = await measure_mix(self._border.source(song), sources, mix, _monitor(signal, report))
        return {"stems": list(measured.stems), "mix": measured.mix, "residual": measured.residual}


class WebRendering:
    """A `Rendering` that JavaScript reads.

    Parameters
    ----------
    rendering : Rendering
    reply : callable
        Turns the outcome of an awaitable into a reply.
    """

    def __init__(self, rendering: Rendering, reply: Callable[[Awaitable[Mapping[str, Any]]], Awaitable[Any]]) -> None:
        self._rendering = rendering
        self._reply = reply

    async def read(self, start: int, stop: int) -> Any:
        """The value is `{bytes, clipped}`: the next samples, and how many had to be clipped so far."""
        return await self._reply(self._read(start, stop))

    def digest(self) -> str:
        """MD5 of the samples read so far, in hexadecimal."""
        return self._rendering.digest

    async def _read(self, start: int, stop: int) -> dict[str, Any]:
        read = await self._rendering.read(start, stop)
        return {"bytes": read, "clipped": self._rendering.clipped}


def _monitor(signal: Signal, report: Report | None) -> Monitor:
    return Monitor(report and (lambda mark: report(mark.done / mark.total)), signal)


def as_demix_error(error: Exception) -> DemixError:
    """Any exception as an error with a code."""
    if isinstance(error, DemixError):
        return error
    if isinstance(error, MemoryError):
        return RuntimeFailure(
            "runtime/out-of-memory", "The browser gave no more memory.", "Close other tabs, or choose a smaller model."
        )
    return DemixError("program/failed", f"{type(error).__name__}: {error}")
