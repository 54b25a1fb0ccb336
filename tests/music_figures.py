"""Remakes the tables of docs/analysis: `python -m tests.music_figures`, with librosa beside where it is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain

import mir_eval
import numpy as np

from demixer.analyses import music
from demixer.audio import Clip, Samples
from tests.music import RATE, Piece, composed, openmsx

HEADER = "| piece | BPM | found | beats | with stems | librosa | downbeats | key | found | chords |"


def main() -> None:
    """Print a row for each piece, and the means."""
    print(HEADER, "|".join(["", *["---"] * 10, ""]), sep="\n")
    rows = []
    for piece in chain(composed(), openmsx()):
        cells, figures = row(piece)
        rows.append(figures)
        print("|", " | ".join(cells), "|", flush=True)
    names = ("beats", "beats with stems", "beats by librosa", "downbeats", "key", "chords", "tempo within 4 %")
    for name, values in zip(names, np.array(rows).T, strict=True):
        print(f"{name}: {np.nanmean(values):.2f}")


def row(piece: Piece) -> tuple[list[str], list[float]]:
    """The cells of a piece, and the figures that are averaged."""
    stems = piece.stems()
    mixture: Samples = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    song = Clip(mixture, RATE)
    alone = asyncio.run(music.find(song))
    heard = asyncio.run(music.find(song, {name: Clip(part, RATE) for name, part in stems.items()}))
    trim = mir_eval.beat.trim_beats

    def beats(times: list[float]) -> float:
        return float(mir_eval.beat.f_measure(trim(piece.beats), trim(np.array(times))))

    downbeats = heard.bars.downbeats if heard.bars else np.zeros(0)
    down = float(mir_eval.beat.f_measure(trim(piece.downbeats), trim(downbeats)))
    key = float(mir_eval.key.weighted_score(piece.key, heard.key.key)) if piece.key and heard.key.key else np.nan
    chords = majmin(piece, heard)
    librosa = beats(list(librosa_beats(mixture)))
    tempo = heard.beats.tempo or 0.0
    figures = [beats(list(alone.beats.times)), beats(list(heard.beats.times)), librosa, down, key, chords]
    near = float(abs(tempo / piece.tempo - 1) < 0.04)
    shown = [f"{figure:.2f}" for figure in figures]
    names = [piece.key or "", heard.key.key or ""]
    return [piece.name, f"{piece.tempo:.0f}", f"{tempo:.0f}", *shown[:4], *names, shown[5]], [*figures, near]


def majmin(truth: Piece, heard: music.Music) -> float:
    """Weighted accuracy of major and minor triads."""
    reference = np.array([chord[:2] for chord in truth.chords]), [chord[2] for chord in truth.chords]
    estimate = np.array([(chord.start, chord.stop) for chord in heard.chords]), [chord.chord for chord in heard.chords]
    return float(mir_eval.chord.evaluate(*reference, *estimate)["majmin"])


def librosa_beats(mixture: Samples) -> Iterator[float]:
    """Beats as librosa tracks them by its defaults; none where it is not installed."""
    try:
        import librosa
    except ImportError:
        return
    mono = librosa.resample(mixture.mean(axis=0), orig_sr=RATE, target_sr=22_050)
    yield from map(float, librosa.beat.beat_track(y=mono, sr=22_050, units="time")[1])


if __name__ == "__main__":
    main()
