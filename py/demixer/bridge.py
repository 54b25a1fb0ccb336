"""What the engine worker calls: songs and models in, stems and progress out, errors as plain data."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, Protocol

import numpy as np

from demixer import families, stems
from demixer.audio import Samples, Source
from demixer.errors import DemixError, RuntimeFailure
from demixer.models import Model
from demixer.progress import Monitor
from demixer.runtime import Float, Session
from demixer.separate import separate

_BLOCK: Final = 1 << 20

Post = Callable[[str, Any], None]
"""Takes the type of an event and its data, already JavaScript's."""

Tell = Callable[[str, Mapping[str, Any]], None]
"""Takes the type of an event and its data, still Python's."""


class Border(Protocol):
    """How values cross to JavaScript and back: `demixer.runtimes.web`, or a stand-in in tests."""

    def source(self, pcm: Any, /) -> Source:
        """The song behind JavaScript's arrays."""
        ...

    def session(self, session: Any, /) -> Session:
        """The model behind JavaScript's session."""
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

    async def peaks(self, pcm: Any, hop: int) -> Any:
        """Lowest and highest sample of each `hop` samples of a song, over all channels."""
        return await self._reply(self._peaks(pcm, hop))

    def run_job(self, request: str, pcm: Any, session: Any, post: Post) -> Coroutine[Any, Any, Any]:
        """Separate a song; can be cancelled from now on.

        Parameters
        ----------
        request : str
            The JobRequest as JSON, but for its song.
        pcm : JsProxy of Pcm
            The song.
        session : JsProxy of Session, optional
            None for a model without weights.
        post : callable
            Takes the events `job.progress` and `job.chunk`.
        """
        asked = json.loads(request)

        def tell(kind: str, data: Mapping[str, Any]) -> None:
            post(kind, self._border.to_js({"job": asked["job"], **data}))

        self._monitor = Monitor(lambda mark: tell("job.progress", asdict(mark)))
        return self._reply(self._run_job(asked, pcm, session, tell, self._monitor))

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

    async def _peaks(self, pcm: Any, hop: int) -> dict[str, Any]:
        source = self._border.source(pcm)
        grid = PeakGrid(hop, source.length)
        starts = range(0, source.length, _BLOCK)
        blocks = [grid.push(await source.read(start, min(start + _BLOCK, source.length))) for start in starts]
        return {"peaks": np.concatenate(blocks).ravel()}

    async def _run_job(
        self, request: Mapping[str, Any], pcm: Any, session: Any, tell: Tell, monitor: Monitor
    ) -> dict[str, float]:
        begin = time.perf_counter()
        model = Model.from_dict(request["model"])
        source = self._border.source(pcm)
        timed = None if session is None else TimedSession(self._border.session(session))
        family = families.create(model, timed, source.rate)
        sink = ChunkSink(model.stems, source.length, request["hop"], tell)
        preset = model.preset(request["preset"])
        await separate(source, sink, family, preset, raw=request.get("raw", False), monitor=monitor)
        return {"seconds": time.perf_counter() - begin, "modelSeconds": timed.seconds if timed else 0.0}


def as_demix_error(error: Exception) -> DemixError:
    """Any failure as one with a code."""
    if isinstance(error, DemixError):
        return error
    if isinstance(error, MemoryError):
        return RuntimeFailure(
            "runtime/out-of-memory", "The browser gave no more memory.", "Close other tabs, or choose a smaller model."
        )
    return RuntimeFailure("runtime/failed", f"{type(error).__name__}: {error}")


class PeakGrid:
    """Peaks of a stream of samples, the same whatever pieces it comes in.

    Parameters
    ----------
    hop : int
        Samples to a pair.
    length : int
        Samples of the whole stream, whose last pair may cover fewer.
    """

    def __init__(self, hop: int, length: int) -> None:
        self._hop = hop
        self._remaining = length
        self._pending: Samples | None = None

    def push(self, samples: Samples) -> Samples:
        """Take the next samples [shape=(..., channels, n)], give the pairs they complete [shape=(..., pairs, 2)]."""
        pending = samples if self._pending is None else np.concatenate([self._pending, samples], axis=-1)
        self._remaining -= samples.shape[-1]
        whole = pending.shape[-1]
        complete = whole if self._remaining == 0 else whole - whole % self._hop
        self._pending = pending[..., complete:].copy()
        return stems.peaks(pending[..., :complete], self._hop)


class ChunkSink:
    """Hands finished stem samples to the page: a `Sink`.

    Parameters
    ----------
    names : sequence of str
        The stems, in the model's order.
    length : int
        Samples of the song.
    hop : int
        Samples to a pair of peaks.
    tell : callable
        Takes the events.
    """

    def __init__(self, names: Sequence[str], length: int, hop: int, tell: Tell) -> None:
        self._names = names
        self._grid = PeakGrid(hop, length)
        self._tell = tell

    async def write(self, start: int, stems: Samples) -> None:
        peaks = self._grid.push(stems)
        chunks = [
            {"name": name, "channels": stem, "peaks": pairs.ravel()}
            for name, stem, pairs in zip(self._names, stems, peaks, strict=True)
        ]
        self._tell("job.chunk", {"start": start, "length": stems.shape[-1], "stems": chunks})


class TimedSession:
    """A `Session` that adds up the seconds it took.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.seconds = 0.0

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        begin = time.perf_counter()
        try:
            return await self._session.run(feeds)
        finally:
            self.seconds += time.perf_counter() - begin
