"""Reads songs from files and writes stems to files, for the command line: libsndfile, or FFmpeg for other formats.

Neither a song nor its stems are ever in memory as a whole: a song is decoded into an unnamed file beside its stems.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple, Self

import av
import numpy as np
import soundfile

from demixer.audio import Clip, Samples, Source, check_format, deinterleave
from demixer.errors import AudioError, DemixError
from demixer.names import legal_name, unique_names

_BLOCK: Final = 1 << 16

#: Most samples that an encoder may have added after the end; a stated length that cuts off more is ignored.
_MAX_PADDING: Final = 4096


class Format(NamedTuple):
    """Format of decoded audio: rate in Hz, channels, and samples of a channel."""

    rate: int
    channels: int
    length: int


@contextmanager
def open_song(path: Path, folder: Path | None = None, track: int = 0) -> Iterator[PcmFile]:
    """Decode a file with libsndfile, or with FFmpeg if libsndfile does not know the format.

    Parameters
    ----------
    path : Path
    folder : Path, optional
        Place for the decoded song (4 bytes a sample), which is removed when the context ends.
    track : int
        Index of the audio track, for files with several such as `.stem.mp4`.

    Raises
    ------
    DemixError
        `audio/unreadable`, `audio/empty` or `audio/unsupported`; `storage/unavailable` when there is no room.
    """
    if not path.is_file():
        raise AudioError("audio/unreadable", "There is no such file.", "Check the path.")
    with _temporary_file(folder) as pcm:
        try:
            decoded = decode_with_libsndfile(path, pcm)
        except soundfile.LibsndfileError:
            pcm.seek(0)
            pcm.truncate()
            decoded = decode_with_ffmpeg(path, pcm, track)
        check_format(*decoded)
        yield PcmFile(pcm, decoded)


def read_song(path: Path, track: int = 0) -> Clip:
    """Decode a whole song into memory; see `open_song`."""
    with open_song(path, track=track) as song:
        return Clip(song.samples(0, song.length), song.rate)


def decode_with_libsndfile(path: Path, pcm: IO[bytes]) -> Format:
    """Decode into a file of interleaved float32; raises `LibsndfileError` for unknown formats."""
    with soundfile.SoundFile(path) as file:
        length = 0
        while (frames := file.read(_BLOCK, dtype="float32", always_2d=True)).size:
            _append(pcm, frames)
            length += len(frames)
        return Format(file.samplerate, file.channels, length)


def decode_with_ffmpeg(path: Path, pcm: IO[bytes], track: int = 0) -> Format:
    """Decode an audio track into a file of interleaved float32, without the encoder's delay and padding."""
    try:
        with av.open(str(path)) as container:
            if len(container.streams.audio) <= track:
                raise AudioError("audio/empty", "The file holds no such audio track.", "Choose a file with sound.")
            stream = container.streams.audio[track]
            to_float = av.AudioResampler(format="flt", layout=stream.layout, rate=stream.rate)
            length = 0
            for frame in chain(container.decode(stream), [None]):
                for converted in to_float.resample(frame):
                    _append(pcm, converted.to_ndarray().astype(np.float32, copy=False))
                    length += converted.samples
            # FFmpeg removes the delay before the song, but in MP4 not the padding after it.
            counts_samples = stream.time_base is not None and stream.time_base * stream.rate == 1
            if counts_samples and stream.duration and 0 < length - stream.duration <= _MAX_PADDING:
                length = stream.duration
            return Format(stream.rate, stream.channels, length)
    except (av.FFmpegError, ValueError) as error:  # ValueError: a sample format unknown to PyAV
        raise AudioError(
            "audio/unreadable",
            "The file cannot be decoded.",
            "Check that it plays elsewhere, or convert it to WAV or FLAC.",
        ) from error


class PcmFile:
    """A decoded song: a `Source`.

    Parameters
    ----------
    file : binary file
        Interleaved float32.
    decoded : Format
    """

    def __init__(self, file: IO[bytes], decoded: Format) -> None:
        self._file = file
        self.rate, self.channels, self.length = decoded

    async def read(self, start: int, stop: int) -> Samples:
        await asyncio.sleep(0)  # lets Ctrl-C through, even if the model never waits
        return self.samples(start, stop)

    def samples(self, start: int, stop: int) -> Samples:
        """Samples `start` to `stop` [shape=(channels, stop - start)]."""
        self._file.seek(4 * self.channels * start)
        samples = np.frombuffer(self._file.read(4 * self.channels * (stop - start)), np.float32)
        return deinterleave(samples.reshape(-1, self.channels))


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Create a folder and its parents; those still empty at the end are removed."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(error) from error
    try:
        yield
    finally:
        for place in missing:
            with suppress(OSError):  # it is not empty
                place.rmdir()


@contextmanager
def _temporary_file(folder: Path | None) -> Iterator[IO[bytes]]:
    try:
        file = TemporaryFile(dir=folder)  # noqa: SIM115  (closed below)
    except OSError as error:
        raise unwritable(error) from error
    with file:
        yield file


def _append(pcm: IO[bytes], frames: Samples) -> None:
    try:
        pcm.write(frames.tobytes())
    except OSError as error:
        raise unwritable(error) from error


class Stems:
    """A `Sink` that writes one WAV a stem, and renames all to their final names once they are complete.

    Parameters
    ----------
    folder : Path
    names : tuple of str
    song : Source
        Source of the files' rate and channels.
    """

    def __init__(self, folder: Path, names: tuple[str, ...], song: Source) -> None:
        files = unique_names((legal_name(name, ".wav") or "stem.wav" for name in names), ".wav")
        self.paths = {name: folder / file for name, file in zip(names, files, strict=True)}
        self._song = song
        self._parts = [path.with_name(f"{path.name}.part") for path in self.paths.values()]

    def __enter__(self) -> Self:
        try:
            with ExitStack() as opened:
                self._files = [opened.enter_context(self._create(part)) for part in self._parts]
                self._opened = opened.pop_all()
        except OSError as error:
            raise unwritable(error) from error
        return self

    def _create(self, part: Path) -> soundfile.SoundFile:
        return soundfile.SoundFile(part, "w", self._song.rate, self._song.channels, "FLOAT", format="WAV")

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


def unwritable(error: Exception) -> DemixError:
    """The error for an output folder that cannot be written to."""
    return DemixError(
        "storage/unavailable", f"The stems cannot be written: {error}", "Choose another folder with -o, or free space."
    )
