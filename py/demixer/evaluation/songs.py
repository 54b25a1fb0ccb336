"""Finds songs with known stems: MUSDB18's `.stem.mp4`, MUSDB18-HQ's folders, or any folder of a mixture and stems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from demixer.audio import Clip, Samples
from demixer.errors import AudioError
from demixer.runtimes.files import read_song

MIXTURE: Final = "mixture"

#: Tracks of a `.stem.mp4` in order (Rafii et al., "The MUSDB18 corpus for music separation", 2017).
_STEM_FILE: Final = (MIXTURE, "drums", "bass", "other", "vocals")
_SUFFIXES: Final = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff"}

#: Seconds by which a stem may be longer or shorter than the mixture.
_SLACK: Final = 0.1


@dataclass(frozen=True)
class Track:
    """One signal: a file, or one audio track of it."""

    path: Path
    index: int = 0


@dataclass(frozen=True)
class Song:
    """Location of a song's mixture and stems.

    Parameters
    ----------
    name : str
        Path below the folder that was searched, unique in the data set.
    tracks : dict of str to Track
        Name -> track, with `mixture` among them.
    """

    name: str
    tracks: dict[str, Track]

    def read(self) -> tuple[Clip, dict[str, Samples]]:
        """Read the mixture, and the stems by name [each shape=(channels, n)], cut to one length.

        Raises
        ------
        AudioError
            `audio/...` when a file cannot be read or does not match the mixture.
        """
        clips = {name: read_song(track.path, track.index) for name, track in self.tracks.items()}
        mixture = clips.pop(MIXTURE)
        for name, clip in clips.items():
            slack = abs(clip.length - mixture.length) / mixture.rate
            if clip.rate != mixture.rate or clip.channels not in (1, mixture.channels) or slack > _SLACK:
                raise AudioError(
                    "audio/unsupported",
                    f"The stem {name} and the mixture of {self.name} differ in rate, channels or length.",
                    "Export them alike.",
                )
        length = min(clip.length for clip in (mixture, *clips.values()))
        cut = Clip(np.ascontiguousarray(mixture.samples[:, :length]), mixture.rate)
        shape = cut.samples.shape
        return cut, {name: np.broadcast_to(clip.samples[:, :length], shape) for name, clip in clips.items()}


def find_songs(folders: list[Path]) -> list[Song]:
    """Every song with known stems in these folders, sorted by name.

    Raises
    ------
    AudioError
        `audio/unreadable` when there are none.
    """
    songs: dict[str, Song] = {}
    for root in folders:
        for place, tracks in _places(root):
            name = place.relative_to(root).as_posix() if place != root else root.resolve().name
            while name in songs:
                name += "'"  # another data set has a song of this name
            songs[name] = Song(name, tracks)
    if not songs:
        raise AudioError(
            "audio/unreadable",
            f"No song with known stems in {', '.join(map(str, folders))}.",
            "Give a folder of .stem.mp4 files, or of folders that hold mixture.wav and the stems.",
        )
    return [songs[name] for name in sorted(songs)]


def _places(root: Path) -> Iterator[tuple[Path, dict[str, Track]]]:
    """Yield each song's path (its folder, or its file without suffix) and its tracks."""
    for path in sorted(root.rglob("*.stem.mp4")):
        name = path.name.removesuffix(".stem.mp4")
        yield path.with_name(name), {stem: Track(path, index) for index, stem in enumerate(_STEM_FILE)}
    for folder in sorted({path.parent for path in root.rglob(f"{MIXTURE}.*")}):
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
        tracks = {path.stem: Track(path) for path in files}
        if MIXTURE in tracks and len(tracks) > 1:
            yield folder, tracks
