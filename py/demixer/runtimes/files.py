"""Songs from files and stems into files, for the command line: libsndfile, and FFmpeg for what that does not know."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Self

import av
import numpy as np
import soundfile

from demixer.audio import Clip, Samples
from demixer.errors import AudioError, DemixError


def read_song(path: Path, track: int = 0) -> Clip:
    """Decode a file with libsndfile, or with FFmpeg where that does not know the format.

    Parameters
    ----------
    path : Path
    track : int
        Which audio track of a file that holds several, as a `.stem.mp4` does.

    Raises
    ------
    AudioError
        `audio/unreadable`, `audio/empty` or `audio/unsupported`.
    """
    if not path.is_file():
        raise AudioError("audio/unreadable", "There is no such file.", "Check the path.")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return Clip(np.ascontiguousarray(samples.T), rate)
    except soundfile.LibsndfileError:
        return read_with_ffmpeg(path, track)


def read_with_ffmpeg(path: Path, track: int = 0) -> Clip:
    """Decode an audio track of a file; FFmpeg itself removes an encoder's delay."""
    try:
        with av.open(str(path)) as container:
            if len(container.streams.audio) <= track:
                raise AudioError("audio/empty", "The file holds no such audio track.", "Choose a file with sound.")
            stream = container.streams.audio[track]
            to_float = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
            frames = [out for frame in container.decode(stream) for out in to_float.resample(frame)]
            frames += to_float.resample(None)
            rate = stream.rate
    except av.FFmpegError as error:
        raise AudioError(
            "audio/unreadable",
            "The file cannot be decoded.",
            "Check that it plays elsewhere, or convert it to WAV or FLAC.",
        ) from error
    if not frames:
        raise AudioError("audio/empty", "The file holds no audio.", "Choose a file with sound.")
    return Clip(np.concatenate([frame.to_ndarray() for frame in frames], axis=1, dtype=np.float32), rate)


class Stems:
    """A `Sink` that writes a WAV for each stem, under its final name only when all are complete.

    Parameters
    ----------
    folder : Path
        Made if missing.
    names : tuple of str
    clip : Clip
        Whose rate and channels the files get.
    """

    def __init__(self, folder: Path, names: tuple[str, ...], clip: Clip) -> None:
        self.paths = {name: folder / f"{name}.wav" for name in names}
        self._folder = folder
        self._clip = clip
        self._parts = [path.with_suffix(".wav.part") for path in self.paths.values()]

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with ExitStack() as opened:
                self._files = [opened.enter_context(self._create(part)) for part in self._parts]
                self._opened = opened.pop_all()
        except OSError as error:
            raise unwritable(error) from error
        return self

    def _create(self, part: Path) -> soundfile.SoundFile:
        return soundfile.SoundFile(part, "w", self._clip.rate, self._clip.channels, "FLOAT", format="WAV")

    async def write(self, start: int, stems: Samples) -> None:  # noqa: ARG002  (files append)
        """Append to every file."""
        for file, samples in zip(self._files, stems, strict=True):
            try:
                file.write(samples.T)
            except (OSError, soundfile.LibsndfileError) as error:
                raise unwritable(error) from error

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._opened.close()
        for part, path in zip(self._parts, self.paths.values(), strict=True):
            if failure is None:
                part.replace(path)
            else:
                part.unlink()
        if failure is not None and not any(self._folder.iterdir()):
            self._folder.rmdir()


def unwritable(error: Exception) -> DemixError:
    """The output folder refuses our files."""
    return DemixError(
        "storage/unavailable", f"The stems cannot be written: {error}", "Choose another folder with -o, or free space."
    )
