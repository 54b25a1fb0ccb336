"""Musical facts of a song: tempo, beats, bars, tuning, key and chords, from one pass over each signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from demixer.analyses import Options, Stems, chords, features, key, register
from demixer.analyses.bars import Bars, find_bars
from demixer.analyses.beats import NO_BEATS, Beats, find_beats
from demixer.analyses.harmony import harmony
from demixer.audio import Samples, Source
from demixer.progress import Monitor

#: Seconds of a span of chords in a song without beats.
_SPAN: Final = 0.5

#: Confidence below which a song has no steady beat, and its beats are not reported.
STEADY: Final = 0.1


@dataclass(frozen=True)
class Music:
    """Musical facts of a song; `bars` is None without a steady beat."""

    beats: Beats
    bars: Bars | None
    tuning: float
    tuned: float
    key: key.Key
    chords: tuple[chords.Chord, ...]
    chords_confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as `demixer analyse --json` prints it and the page receives it."""
        return {
            "tempo": None if self.beats.tempo is None else round(self.beats.tempo, 2),
            "metre": self.bars.metre if self.bars else None,
            "beats": [round(float(time), 3) for time in self.beats.times],
            "downbeats": [round(float(time), 3) for time in self.bars.downbeats] if self.bars else [],
            "tuning": round(self.tuning, 1),
            "key": self.key.key,
            "keys": [
                {"start": round(part.start, 3), "stop": round(part.stop, 3), "key": part.key}
                for part in self.key.passages
            ],
            "chords": [
                {"start": round(part.start, 3), "stop": round(part.stop, 3), "chord": part.chord}
                for part in self.chords
            ],
            "confidence": {
                "beats": round(self.beats.confidence, 2),
                "downbeats": round(self.bars.confidence, 2) if self.bars else 0.0,
                "tuning": round(self.tuned, 2),
                "key": round(self.key.confidence, 2),
                "chords": round(self.chords_confidence, 2),
            },
        }


async def find(song: Source, stems: Stems | None = None, monitor: Monitor | None = None) -> Music:
    """Find the musical facts of a song, more reliably with its stems.

    Parameters
    ----------
    song : Source
    stems : mapping of str to Source, optional
        Of the song's rate and length. *drums* show the beat, *bass* the roots of chords, and all but *drums* the
        harmony.
    monitor : Monitor, optional

    Raises
    ------
    DemixError
        `cancelled`, `audio/not-finite`.
    """
    monitor = monitor or Monitor()
    stems = stems or {}
    others = [stem for name, stem in stems.items() if name != "drums"]
    signals = {"song": song, **{name: stems[name] for name in ("drums", "bass") if name in stems}}
    if "drums" in stems and others:
        signals["harmony"] = Sum(others)
    extracted: dict[str, features.Features] = {}
    total = len(signals) * song.length
    for number, (name, signal) in enumerate(signals.items()):
        extracted[name] = await features.extract(signal, _marks(monitor, number * song.length, total))
    mixture, drums = extracted["song"], extracted.get("drums")
    harmonic = extracted.get("harmony", mixture)
    beats = find_beats(mixture, drums)
    monitor.mark("analyse", total, total)
    if beats.confidence < STEADY:
        beats = NO_BEATS
    sounding = harmony(harmonic, _edges(beats, mixture.duration), extracted.get("bass"))
    # The spans from each beat to the next, without the one before the first beat.
    inner = sounding.after(float(beats.times[0])) if beats.times.size else sounding
    bars = find_bars(mixture, inner, beats) if beats.times.size else None
    monitor.mark("analyse", total, total)
    found, confidence = chords.find(sounding, bars.downbeats if bars else None)
    confidence *= min(1.0, harmonic.tuned / 0.2)
    return Music(beats, bars, harmonic.tuning, harmonic.tuned, key.find(sounding, harmonic.tuned), found, confidence)


@register("music")
async def analyse(source: Source, stems: Stems, options: Options, monitor: Monitor) -> dict[str, Any]:  # noqa: ARG001
    """Find the facts of a song, as plain data. There are no options."""
    return (await find(source, stems, monitor)).to_dict()


def _marks(monitor: Monitor, before: int, total: int) -> features.Mark:
    return lambda done: monitor.mark("analyse", min(before + done, total), total)


def _edges(beats: Beats, duration: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Beats, with the beginning and the end of the song; halves of a second where there are no beats."""
    times = beats.times if beats.times.size else np.arange(_SPAN, duration, _SPAN)
    return np.concatenate([[0.0], times[times > 0], [duration]])


class Sum:
    """A `Source` that is the sum of several of one rate, length and number of channels."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = sources
        self.rate, self.channels = sources[0].rate, sources[0].channels
        self.length = min(source.length for source in sources)

    async def read(self, start: int, stop: int) -> Samples:
        total = (await self._sources[0].read(start, stop)).copy()
        for source in self._sources[1:]:
            total += await source.read(start, stop)
        return total
