"""The pipeline: source -> normalise -> segments -> family -> overlap-add -> sink, in the memory of a few segments."""

from __future__ import annotations

import numpy as np

from demixer.audio import Samples, Sink, Source, check_format
from demixer.families import Family
from demixer.level import UNITY, Normalised, measure
from demixer.models import Preset
from demixer.progress import Monitor
from demixer.resample import Resampled, Resampler
from demixer.segments import OverlapAdd, plan, read_window
from demixer.stems import MixtureConsistency


async def separate(
    source: Source,
    sink: Sink,
    family: Family,
    preset: Preset,
    *,
    raw: bool = False,
    monitor: Monitor | None = None,
) -> None:
    """Separate a song into its stems.

    The stems have the song's rate, channels and exact length. A mono song is given to the model as two
    equal channels; of a song with more than two, each pair of channels is separated as a stereo song.

    Parameters
    ----------
    source : Source
        The song.
    sink : Sink
        Gets the finished samples in order.
    family : Family
        The model, ready to run.
    preset : Preset
        How far segments overlap.
    raw : bool
        Give the model's own output, as the reference implementation does, instead of making the stems
        sum to the mixture.
    monitor : Monitor, optional
        Is told of the progress, and can cancel.

    Raises
    ------
    DemixError
        `audio/...` when the song cannot be separated, `runtime/...` when the model fails, `cancelled`.
    """
    monitor = monitor or Monitor()
    check_format(source.rate, source.channels, source.length)
    measured = await measure(source, monitor)
    level = measured if family.normalise else UNITY

    song = Normalised(Resampled(source, family.rate), level)
    segments = plan(song.length, family.segment, preset.overlap)
    overlap_add = OverlapAdd(segments, family.stems, source.channels)
    to_song_rate = Resampler(family.rate, source.rate, source.length)
    delivery = Delivery(source, sink, family.stems, raw=raw)

    for index, segment in enumerate(segments):
        monitor.mark("separate", index, len(segments))
        mixture = await read_window(song, segment)
        estimate = segment.trim(await separate_channels(family, mixture))
        finished = level.restore(overlap_add.add(segment, estimate), offset=raw)
        await delivery.write(to_song_rate.push(finished))
    await delivery.write(to_song_rate.finish())
    await delivery.close()
    monitor.mark("separate", len(segments), len(segments))


async def separate_channels(family: Family, mixture: Samples) -> Samples:
    """Separate a window of any number of channels with a stereo model.

    Parameters
    ----------
    family : Family
    mixture : np.ndarray [shape=(channels, segment)], float32

    Returns
    -------
    np.ndarray [shape=(stems, channels, segment)], float32
    """
    pairs = []
    for first in range(0, mixture.shape[0], 2):
        channels = mixture[first : first + 2]
        if not channels.any():
            # Every model gives silence for silence; there is no need to ask it.
            pairs.append(np.zeros((family.stems, *channels.shape), np.float32))
        elif channels.shape[0] == 2:
            pairs.append(await family.separate(channels))
        else:
            stereo = await family.separate(np.repeat(channels, 2, axis=0))
            pairs.append(stereo.mean(axis=1, keepdims=True))
    return pairs[0] if len(pairs) == 1 else np.concatenate(pairs, axis=1)


class Delivery:
    """The last steps before the sink: sum to the mixture, count the samples.

    Parameters
    ----------
    source : Source
        The mixture that the stems shall sum to.
    sink : Sink
    stems : int
    raw : bool
        Hand the stems on as they are.
    """

    def __init__(self, source: Source, sink: Sink, stems: int, *, raw: bool) -> None:
        self._source = source
        self._sink = sink
        self._consistency = None if raw else MixtureConsistency(stems, source.channels, source.length)
        self._pushed = 0
        self._written = 0

    async def write(self, stems: Samples) -> None:
        """Take the next samples [shape=(stems, channels, n)]."""
        if self._consistency is not None:
            stop = self._pushed + stems.shape[-1]
            mixture = await self._source.read(self._pushed, stop)
            stems = self._consistency.push(mixture, stems)
            self._pushed = stop
        await self._hand_on(stems)

    async def close(self) -> None:
        """Hand on what is still inside."""
        if self._consistency is not None:
            await self._hand_on(self._consistency.finish())

    async def _hand_on(self, stems: Samples) -> None:
        if stems.shape[-1]:
            await self._sink.write(self._written, stems)
            self._written += stems.shape[-1]
