"""Reads songs from files and writes stems to files, for the command line: libsndfile, or FFmpeg for other formats.

Neither a song nor its stems are ever in memory as a whole: a song is decoded into an unnamed file beside its stems.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BytesIO
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple, Self

import av
import numpy as np
import soundfile
from av.audio.stream import AudioStream
from av.container import InputContainer

from demixer.audio import Clip, Samples, Source, check_format, deinterleave
from demixer.errors import AudioError, DemixError
from demixer.names import legal_name, unique_names
from demixer.runtimes.links import links

_BLOCK: Final = 1 << 16

#: Most samples that an encoder may have added after the end; a stated length that cuts off more is ignored.
_MAX_PADDING: Final = 4096

#: Channels of Vorbis in the order of a WAV, by their number.
_VORBIS_ORDER: Final = {
    3: [0, 2, 1],
    5: [0, 2, 1, 3, 4],
    6: [0, 2, 1, 5, 3, 4],
    7: [0, 2, 1, 6, 5, 3, 4],
    8: [0, 2, 1, 7, 5, 6, 3, 4],
}

#: Samples by which the second filter bank of an HE-AAC decoder delays its output.
_SBR_DELAY: Final = 962


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
        decoded = _decode(path, pcm, track)
        check_format(*decoded)
        yield PcmFile(pcm, decoded)


def read_song(path: Path, track: int = 0) -> Clip:
    """Decode a whole song into memory; see `open_song`."""
    with open_song(path, track=track) as song:
        return Clip(song.samples(0, song.length), song.rate)


def _decode(path: Path, pcm: IO[bytes], track: int) -> Format:
    songs = links(path)
    if not songs:
        return _decode_link(path, pcm, track)
    decoded = _decode_link(BytesIO(songs[0]), pcm, track)
    for song in songs[1:]:
        pcm.seek(4 * decoded.channels * decoded.length)
        with TemporaryFile() as own:
            more = _decode_link(BytesIO(song), own, track)
            if more[:2] != decoded[:2]:
                message = "The sample rate or the number of channels changes in the middle of the song."
                raise AudioError("audio/unsupported", message, "Split the file into its songs.")
            own.seek(0)
            for _ in range(0, more.length, _BLOCK):
                pcm.write(own.read(4 * more.channels * _BLOCK))
            decoded = decoded._replace(length=decoded.length + more.length)
            pcm.truncate(4 * decoded.channels * decoded.length)
    return decoded


def _decode_link(link: Path | BytesIO, pcm: IO[bytes], track: int) -> Format:
    """Decode with libsndfile, and with FFmpeg where that does not know the format or stops at a wrong estimate."""
    try:
        decoded = decode_with_libsndfile(link, pcm)
    except soundfile.LibsndfileError:
        decoded = None
    if decoded and (isinstance(link, Path) or _held(link) <= decoded.length + _MAX_PADDING):
        return decoded
    if isinstance(link, BytesIO):
        link.seek(0)
    pcm.seek(0)
    pcm.truncate()
    return decode_with_ffmpeg(link, pcm, track)


def _held(link: BytesIO) -> int:
    """Samples in a link's packets, as FFmpeg counts them; 0 where it cannot."""
    link.seek(0)
    try:
        with av.open(link, "r") as container:
            return sum(frame.samples for frame in container.decode(audio=0))
    except (av.FFmpegError, ValueError, IndexError):
        return 0


def decode_with_libsndfile(link: Path | BytesIO, pcm: IO[bytes]) -> Format:
    """Decode into a file of interleaved float32; raises `LibsndfileError` for unknown formats."""
    with soundfile.SoundFile(link) as file:
        order = _VORBIS_ORDER.get(file.channels) if file.subtype == "VORBIS" else None
        length = 0
        while (frames := file.read(_BLOCK, dtype="float32", always_2d=True)).size:
            _append(pcm, frames[:, order] if order else frames)
            length += len(frames)
        return Format(file.samplerate, file.channels, length)


def decode_with_ffmpeg(link: Path | BytesIO, pcm: IO[bytes], track: int = 0) -> Format:
    """Decode an audio track into a file of interleaved float32, without the encoder's delay and padding."""
    try:
        with av.open(link if isinstance(link, BytesIO) else str(link), "r") as container:
            if len(container.streams.audio) <= track:
                raise AudioError("audio/empty", "The file holds no such audio track.", "Choose a file with sound.")
            stream = container.streams.audio[track]
            to_float = av.AudioResampler(format="flt", layout=stream.layout, rate=stream.rate)
            late, end = _edits(container, stream)
            length = 0
            for frame in chain(container.decode(stream), [None]):
                for converted in to_float.resample(frame):
                    samples = converted.to_ndarray().astype(np.float32, copy=False)[:, late * stream.channels :]
                    late = max(0, late - converted.samples)
                    _append(pcm, samples)
                    length += samples.size // stream.channels
            if end and 0 < length - end <= _MAX_PADDING:
                length = end
            return Format(stream.rate, stream.channels, length)
    except (av.FFmpegError, ValueError) as error:  # ValueError: a sample format unknown to PyAV
        raise AudioError(
            "audio/unreadable",
            "The file cannot be decoded.",
            "Check that it plays elsewhere, or convert it to WAV or FLAC.",
        ) from error


def _edits(container: InputContainer, stream: AudioStream) -> tuple[int, int]:
    """Samples before the song and the song's length (0 if unknown), besides what FFmpeg leaves out itself.

    FFmpeg removes the delay before the song, but in MP4 not the padding after it, and in HE-AAC too little of both:
    iTunes' note counts samples of the core there.
    """
    note = [int(field, 16) for field in container.metadata.get("iTunSMPB", "").split()[1:4]]
    in_mp4 = "mp4" in container.format.name
    is_double = in_mp4 and stream.profile in {"HE-AAC", "HE-AACv2"}
    if in_mp4 and len(note) == 3 and note[2] > 0:
        delay, _, length = note
        return (delay + _SBR_DELAY, 2 * length) if is_double else (0, length)
    counts_samples = stream.time_base is not None and stream.time_base * stream.rate == 1
    is_cut = container.format.name == "ogg"  # a stream that was cut ends elsewhere
    end = stream.duration if counts_samples and stream.duration and not (is_cut and (stream.start_time or 0) < 0) else 0
    return (_SBR_DELAY if is_double and (stream.start_time or 0) != 0 else 0), end


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
