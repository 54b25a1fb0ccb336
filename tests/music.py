"""Music with known beats, bars, keys and chords: MIDI files rendered to audio, the ground truth of the analyses.

Real pieces are those of Debian's `openttd-openmsx`; `composed` writes more, whose key and chords are known because
they were chosen. Their notes are rendered by FluidSynth with a General MIDI soundfont, drums, bass and the rest apart,
as stems of a perfect separation.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pretty_midi
import pytest
import soundfile

from demixer.audio import Samples

Times = npt.NDArray[np.float64]

RATE: Final = 44_100
SOUNDFONT: Final = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")
OPENMSX: Final = Path("/usr/share/games/openttd/baseset/openmsx")

_PITCHES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

#: Semitones above the root that a chord of each quality has.
_QUALITIES: Final = {"maj": (0, 4, 7), "min": (0, 3, 7), "7": (0, 4, 7, 10), "min7": (0, 3, 7, 10)}


def require_synthesizer() -> None:
    """Skip a test where the synthesizer and its sounds are not installed; in CI that is a failure."""
    if shutil.which("fluidsynth") and SOUNDFONT.exists() and OPENMSX.is_dir():
        return
    reason = "fluidsynth, timgm6mb-soundfont and openttd-openmsx (Debian packages) are not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Piece:
    """A piece of music and what is true of it.

    Parameters
    ----------
    name : str
    midi : pretty_midi.PrettyMIDI
        Notes, tempo map and time signatures.
    key : str, optional
        Such as `"A minor"`; None when nobody knows it.
    chords : list of (start, stop, label), optional
        In seconds and in Harte's notation, `"X"` where the notes are no clear chord.
    """

    name: str
    midi: Any
    key: str | None = None
    chords: list[tuple[float, float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        #: Beats, and first beats of bars, in seconds, up to the last note.
        self.beats = _until(self.midi.get_beats(), self.midi)
        self.downbeats = _until(self.midi.get_downbeats(), self.midi)

    @property
    def tempo(self) -> float:
        """Beats per minute, the median over beats."""
        return float(60 / np.median(np.diff(self.beats)))

    def varied(self, *, speed: float = 1.0, semitones: int = 0, cents: float = 0.0) -> Piece:
        """The same piece played otherwise.

        Parameters
        ----------
        speed : float
            Factor of the tempo.
        semitones : int
            Transposition; drums stay.
        cents : float
            Tuning, relative to A = 440 Hz.
        """
        midi = deepcopy(self.midi)
        old = np.array([0.0, midi.get_end_time() + 1])
        new = old / speed
        if speed != 1:
            midi.adjust_times(old, new)
        for instrument in midi.instruments:
            if instrument.is_drum:
                continue
            for note in instrument.notes:
                note.pitch = int(np.clip(note.pitch + semitones, 0, 127))
            if cents:
                bend = round(cents / 200 * 8192)
                for change in instrument.pitch_bends:
                    change.pitch = int(np.clip(change.pitch + bend, -8192, 8191))
                instrument.pitch_bends.append(pretty_midi.PitchBend(bend, 0.0))
        chords = [
            (float(np.interp(start, old, new)), float(np.interp(stop, old, new)), transposed(label, semitones))
            for start, stop, label in self.chords
        ]
        key = self.key and " ".join([_raised(self.key.split()[0], semitones), self.key.split()[1]])
        played = Piece(self.name, midi, key, chords)
        played.beats, played.downbeats = (np.interp(times, old, new) for times in (self.beats, self.downbeats))
        return played

    def stems(self) -> dict[str, Samples]:
        """Drums, bass and the other instruments [shape=(2, n)], those that play; they sum to the song."""
        parts: dict[str, list[Any]] = {"drums": [], "bass": [], "other": []}
        for instrument in self.midi.instruments:
            bass = not instrument.is_drum and 32 <= instrument.program < 40
            parts["drums" if instrument.is_drum else "bass" if bass else "other"].append(instrument)
        rendered = {name: render(self.midi, playing) for name, playing in parts.items() if playing}
        length = max(samples.shape[1] for samples in rendered.values())
        return {name: np.pad(samples, [(0, 0), (0, length - samples.shape[1])]) for name, samples in rendered.items()}


def openmsx(*names: str) -> Iterator[Piece]:
    """Pieces of `openttd-openmsx`: all of them, or those of these names; key and chords as their notes say."""
    for path in sorted(OPENMSX.glob("*.mid")):
        if not names or path.stem in names:
            midi = pretty_midi.PrettyMIDI(str(path))
            yield Piece(path.stem, midi, key_of_notes(midi), chords_of_notes(midi))


@dataclass(frozen=True)
class _Plan:
    """Plan of a composed piece: a style, and a chord for each bar."""

    name: str
    key: str
    bpm: float
    metre: int
    style: str
    chords: str
    program: int


#: Common progressions of popular music, one chord a bar, in common styles.
_PLANS: Final = (
    _Plan("anthem", "C major", 118, 4, "rock", "C G A:min F C G F F", 29),
    _Plan("ballad", "G major", 72, 4, "ballad", "G D E:min C G A:min C D", 0),
    _Plan("lament", "A minor", 92, 4, "rock", "A:min F C G A:min D:min E A:min", 27),
    _Plan("waltz", "D major", 150, 3, "waltz", "D D A A A A D D G G D D E:min A D D", 21),
    _Plan("minor waltz", "E minor", 132, 3, "waltz", "E:min E:min A:min A:min B B E:min E:min", 0),
    _Plan("dance", "F# minor", 126, 4, "disco", "F#:min D A E F#:min D E E", 88),
    _Plan("reggae", "E minor", 78, 4, "offbeat", "E:min A:min D G C A:min B E:min", 16),
    _Plan("blues", "A major", 104, 4, "shuffle", "A A A A D D A A E D A E", 26),
    _Plan("folk", "Bb major", 100, 4, "arpeggio", "Bb Eb Bb F Bb Eb F Bb", 25),
    _Plan("march", "F minor", 112, 4, "arpeggio", "F:min Db Ab Eb F:min Bb:min C F:min", 48),
)

#: Drums of a bar by style: General MIDI note, beats at which it is played.
_GROOVES: Final[dict[str, tuple[tuple[int, tuple[float, ...]], ...]]] = {
    "rock": ((36, (0, 2, 2.5)), (38, (1, 3)), (42, (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5))),
    "ballad": ((36, (0, 2)), (37, (1, 3)), (42, (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5))),
    "disco": ((36, (0, 1, 2, 3)), (39, (1, 3)), (46, (0.5, 1.5, 2.5, 3.5))),
    "offbeat": ((36, (0, 2)), (37, (1, 3)), (42, (0.5, 1.5, 2.5, 3.5))),
    "shuffle": ((36, (0, 2)), (38, (1, 3)), (51, (0, 1, 1.67, 2, 3, 3.67))),
    "waltz": ((36, (0,)), (42, (1, 2))),
    "arpeggio": (),
}

#: Beats at which the chord is struck, and the bass is.
_STRUMS: Final[dict[str, tuple[tuple[float, ...], tuple[float, ...]]]] = {
    "rock": ((0, 1, 1.5, 2.5, 3), (0, 1.5, 2, 3.5)),
    "ballad": ((0, 2), (0, 2)),
    "disco": ((0.5, 1.5, 2.5, 3.5), (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)),
    "offbeat": ((0.5, 1.5, 2.5, 3.5), (0, 1.5, 2)),
    "shuffle": ((0, 1.67, 3), (0, 1, 2, 3)),
    "waltz": ((1, 2), (0,)),
    "arpeggio": ((0,), (0, 2)),
}


def composed(*names: str) -> Iterator[Piece]:
    """Pieces whose key and chords were chosen: all of them, or those of these names; about a minute each."""
    for plan in _PLANS:
        if not names or plan.name in names:
            yield _played(plan)


def _played(plan: _Plan) -> Piece:
    midi = pretty_midi.PrettyMIDI(initial_tempo=plan.bpm)
    midi.time_signature_changes.append(pretty_midi.TimeSignature(plan.metre, 4, 0.0))
    drums, bass, band, melody = (
        pretty_midi.Instrument(program, is_drum=drum)
        for program, drum in ((0, True), (33, False), (plan.program, False), (73, False))
    )
    random = np.random.default_rng(sum(map(ord, plan.name)))
    labels = [label if ":" in label else f"{label}:maj" for label in plan.chords.split()]
    bars = -(-int(50 * plan.bpm / 60 / plan.metre) // len(labels)) * len(labels)
    beat, chords = 60 / plan.bpm, []

    def play(instrument: Any, pitch: int, at: float, beats: float, velocity: int) -> None:
        start = at * beat
        instrument.notes.append(pretty_midi.Note(velocity, pitch, start, start + beats * beat))

    strums, walks = _STRUMS[plan.style]
    for bar in range(bars):
        label, first = labels[bar % len(labels)], float(bar * plan.metre)
        root, quality = label.split(":")
        pitch = pretty_midi.note_name_to_number(f"{root}2") % 12
        tones = [48 + (pitch + interval) % 12 for interval in _QUALITIES[quality]]
        for note, beats in _GROOVES[plan.style]:
            for at in beats:
                play(drums, note, first + at, 0.2, 100 if at == 0 else 85)
        for at in walks:
            play(bass, 28 + (pitch - 28) % 12, first + at, 0.45, 95)
        for at in strums:
            for tone in tones:
                play(band, tone, first + at, plan.metre - at if len(strums) < 2 else 0.5, 75)
        if plan.style == "arpeggio":
            for step in range(2 * plan.metre):
                play(band, 12 + tones[step % 3], first + step / 2, 0.5, 70)
        for at in range(plan.metre):
            if bar % 8 >= 4 or random.random() < 0.4:
                play(melody, 24 + int(random.choice(tones)), first + at, 0.9, 80)
        chords.append((first * beat, (first + plan.metre) * beat, label))
    midi.instruments = [instrument for instrument in (drums, bass, band, melody) if instrument.notes]
    return Piece(plan.name, midi, plan.key, chords)


def render(midi: Any, instruments: Sequence[Any]) -> Samples:
    """The sound of some of a piece's instruments [shape=(2, n)]."""
    part = deepcopy(midi)
    part.instruments = list(instruments)
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "score.mid"), Path(folder, "sound.wav")
        part.write(str(score))
        quiet = ["-ni", "-q", "-g", "0.4", "-r", str(RATE), "-O", "float", "-T", "wav"]
        subprocess.run(["fluidsynth", *quiet, "-F", sound, SOUNDFONT, score], check=True, capture_output=True)
        samples, _ = soundfile.read(sound, dtype="float32", always_2d=True)
    return np.ascontiguousarray(samples.T)


def key_of_notes(midi: Any) -> str | None:
    """The key that two profiles agree on (Krumhansl 1990, Temperley 1999), weighting notes by their durations."""
    weights = sum(
        (
            np.bincount([n.pitch % 12], [n.end - n.start], 12)
            for i in midi.instruments
            if not i.is_drum
            for n in i.notes
        ),
        np.zeros(12),
    )
    krumhansl = {
        "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
        "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    }
    temperley = {
        "major": (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0),
        "minor": (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0),
    }
    found = set()
    for profiles in (krumhansl, temperley):
        scores = {
            f"{_PITCHES[tonic]} {mode}": np.corrcoef(np.roll(profile, tonic), weights)[0, 1]
            for mode, profile in profiles.items()
            for tonic in range(12)
        }
        found.add(max(scores, key=lambda name: scores[name]))
    return found.pop() if len(found) == 1 else None


def chords_of_notes(midi: Any) -> list[tuple[float, float, str]]:
    """A chord for each beat: the major or minor triad with 70 % of its notes, `"X"` when there is none."""
    beats = _until(midi.get_beats(), midi)
    notes = [(n.start, n.end, n.pitch % 12) for i in midi.instruments if not i.is_drum for n in i.notes]
    starts, stops, classes = (np.array(column) for column in zip(*notes, strict=True))
    chords: list[tuple[float, float, str]] = []
    for start, stop in pairwise(beats):
        sounding = np.clip(np.minimum(stops, stop) - np.maximum(starts, start), 0, None)
        weights = np.bincount(classes.astype(int), sounding, 12)
        label = "N" if weights.sum() < 0.02 else _triad(weights / weights.sum())
        if chords and chords[-1][2] == label:
            chords[-1] = (chords[-1][0], stop, label)
        else:
            chords.append((start, stop, label))
    return chords


def _triad(weights: Times) -> str:
    best, held = "X", 0.7
    for root in range(12):
        for quality in ("maj", "min"):
            third, fifth = (weights[(root + interval) % 12] for interval in _QUALITIES[quality][1:])
            share = weights[root] + third + fifth
            if share > held and min(weights[root], third) > 0.08:
                best, held = f"{_PITCHES[root]}:{quality}", share
    return best


def transposed(label: str, semitones: int) -> str:
    """A chord's label, transposed by semitones."""
    root, colon, quality = label.partition(":")
    return label if label in {"N", "X"} else f"{_raised(root, semitones)}{colon}{quality}"


def _raised(pitch: str, semitones: int) -> str:
    return _PITCHES[(pretty_midi.note_name_to_number(f"{pitch}4") + semitones) % 12]


def _until(times: Times, midi: Any) -> Times:
    last = max(note.start for instrument in midi.instruments for note in instrument.notes)
    return np.asarray(times[times <= last + 0.01])
