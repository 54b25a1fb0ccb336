"""The pipeline: source -> normalise -> segments -> family -> overlap-add -> sink, in the memory of a few segments."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

import numpy as np

from demixer.audio import Samples, Sink, Source, check_format
from demixer.families import Family
from demixer.guard import check_estimate
from demixer.models import Preset
from demixer.normalisation import Normalisation, NormalisedSource, measure
from demixer.progress import Monitor
from demixer.recent import Recent
from demixer.resample import Resampled, Resampler
from demixer.resume import ResumableStream, ResumePoints
from demixer.segments import OverlapAdd, Segment, plan, read_window
from demixer.stems import MixtureConsistency, Residual

#: Samples of a song, over all channels, that are kept in memory to be read again: 16 MB.
KEPT: Final = 1 << 22


async def separate(
    source: Source,
    sink: Sink,
    family: Family,
    preset: Preset,
    *,
    raw: bool = False,
    residual: bool = False,
    ahead: int = 0,
    normalisation: Normalisation | None = None,
    resume_points: ResumePoints | None = None,
    monitor: Monitor | None = None,
) -> int:
    """Separate a song into its stems.

    The stems have the song's rate, channels and exact length. A mono song is separated as two equal channels; of a
    song with more than two channels, each pair is separated as a stereo song.

    Parameters
    ----------
    source : Source
        The song.
    sink : Sink
        Takes the finished samples in order.
    family : Family
        The model, ready to run.
    preset : Preset
        How far segments overlap and how they are joined.
    raw : bool
        Return the model's own output, as the reference implementation does, instead of stems that sum to the mixture.
    residual : bool
        Add the mixture minus the family's stems as a last stem, and leave those stems as they are.
    ahead : int
        Number of segments to start beyond the one being awaited; changes no bit.
    normalisation : Normalisation, optional
        The song's, if it was measured before.
    resume_points : ResumePoints, optional
        Saves the job's state after each segment. A job with a saved state goes on from there and gives the sink the
        samples that follow, bit for bit those of a job that never stopped.
    monitor : Monitor, optional
        Receives the progress, and can cancel.

    Returns
    -------
    int
        Number of segments computed, without those before the resume point.

    Raises
    ------
    DemixError
        `audio/...` when the song cannot be separated, `runtime/...` when the model or its device fails, or
        `cancelled`.
    """
    monitor = monitor or Monitor()
    check_format(source.rate, source.channels, source.length)
    measured = normalisation or await measure(source, monitor)
    normalisation = family.normalisation(measured)

    reach = (ahead + 2) * family.segment * source.rate // family.rate
    recent = Recent(source, min(reach, KEPT // source.channels))
    song = NormalisedSource(Resampled(recent, family.rate), normalisation)
    segments = plan(song.length, family.segment, preset.overlap)
    # The normalisation distinguishes songs of the same length.
    job = source.rate, source.channels, source.length, measured, type(family), family.segment, preset, raw, residual
    saved = ResumableStream(resume_points, job)
    stream: Stream = await saved.load() or Stream(
        OverlapAdd(segments, family.stems, source.channels, preset.ramp),
        Resampler(family.rate, source.rate, source.length),
        completion_of(source, family.stems, raw=raw, residual=residual),
    )
    remaining = segments[stream.segment :]
    monitor.mark("separate", stream.segment, len(segments))
    async with aclosing(estimate_all(family, song, remaining, ahead)) as estimates:
        async for segment, estimate in estimates:
            finished = normalisation.restore(stream.overlap_add.add(segment, segment.trim(estimate)), offset=raw)
            await deliver(stream.to_song_rate.push(finished), stream, recent, sink)
            stream.segment += 1
            await saved.save(stream, stream.written)
            monitor.mark("separate", stream.segment, len(segments))
            del estimate, finished  # frees them before the next ones arrive
    await deliver(stream.to_song_rate.finish(), stream, recent, sink)
    if stream.completion is not None:
        await write(stream.completion.finish(), stream, sink)
    return len(remaining)


def completion_of(source: Source, stems: int, *, raw: bool, residual: bool) -> MixtureConsistency | Residual | None:
    """The last step of the pipeline, which makes the stems sum to the song; None for a model's own output."""
    if residual:
        return Residual(stems, source.channels)
    return None if raw else MixtureConsistency(stems, source.channels, source.length)


@dataclass
class Stream:
    """Everything between two segments: unfinished samples and positions.

    `segment` is the index of the next one, `delivered` counts the samples at the song's rate that left the resampler,
    and `written` those that the sink has taken.
    """

    overlap_add: OverlapAdd
    to_song_rate: Resampler
    completion: MixtureConsistency | Residual | None
    segment: int = 0
    delivered: int = 0
    written: int = 0


async def estimate_all(
    family: Family, song: Source, segments: Sequence[Segment], ahead: int
) -> AsyncGenerator[tuple[Segment, Samples]]:
    """Yield each segment with its estimate [shape=(stems, channels, window)], in order.

    While the caller works on one, the model works on the next `ahead` ones and the one after is being read.
    """
    reading: asyncio.Task[Samples] | None = None
    under_way: deque[tuple[Segment, asyncio.Task[Samples]]] = deque()
    try:
        for segment, following in zip_longest(segments, segments[1:]):
            mixture = await (reading or started(read_window(song, segment)))
            reading = started(read_window(song, following)) if following else None
            under_way.append((segment, started(separate_channels(family, mixture))))
            await asyncio.sleep(0)  # lets it reach the model
            if len(under_way) > ahead:
                yield await oldest(under_way)
        while under_way:
            yield await oldest(under_way)
    finally:
        tasks = [estimate for _, estimate in under_way] + ([reading] if reading else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def oldest(under_way: deque[tuple[Segment, asyncio.Task[Samples]]]) -> tuple[Segment, Samples]:
    """Remove the oldest segment, so that only the caller keeps its estimate alive."""
    segment, estimate = under_way.popleft()
    return segment, await estimate


def started(work: Coroutine[None, None, Samples]) -> asyncio.Task[Samples]:
    """Start a task whose failure is raised where it is awaited."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda _: None)  # without, Pyodide reports a failure before it is awaited
    return task


async def separate_channels(family: Family, mixture: Samples) -> Samples:
    """Separate a window of any number of channels with a stereo model.

    Parameters
    ----------
    family : Family
    mixture : np.ndarray [shape=(channels, segment)], float32

    Returns
    -------
    np.ndarray [shape=(stems, channels, segment)], float32

    Raises
    ------
    RuntimeFailure
        `runtime/failed` when the result is one that no working device computes.
    """
    pairs = []
    for first in range(0, mixture.shape[0], 2):
        channels = mixture[first : first + 2]
        if not channels.any():
            # Silence separates into silence without a model.
            pairs.append(np.zeros((family.stems, *channels.shape), np.float32))
            continue
        stereo = channels if channels.shape[0] == 2 else np.repeat(channels, 2, axis=0)
        estimate = await family.separate(stereo)
        check_estimate(stereo, estimate)
        pairs.append(estimate if channels.shape[0] == 2 else estimate.mean(axis=1, keepdims=True))
    return pairs[0] if len(pairs) == 1 else np.concatenate(pairs, axis=1)


async def deliver(stems: Samples, stream: Stream, source: Source, sink: Sink) -> None:
    """Complete the next samples at the song's rate [shape=(stems, channels, n)], and write them."""
    if stream.completion is not None:
        start, stream.delivered = stream.delivered, stream.delivered + stems.shape[-1]
        stems = stream.completion.push(await source.read(start, stream.delivered), stems)
    await write(stems, stream, sink)


async def write(stems: Samples, stream: Stream, sink: Sink) -> None:
    """Write samples to the sink, if there are any [shape=(stems, channels, n)]."""
    if stems.shape[-1]:
        await sink.write(stream.written, stems)
        stream.written += stems.shape[-1]
