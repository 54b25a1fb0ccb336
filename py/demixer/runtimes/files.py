"""Reads songs from files and writes stems to files, for the command line: libsndfile, or FFmpeg for other formats.

Neither a song nor its stems are ever in memory as a whole: a song is decoded into an unnamed file beside its stems.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import RawIOBase
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple, Self

import av
import numpy as np
import numpy.typing as npt
import soundfile
from av.audio.stream import AudioStream
from av.container import InputContainer

from demixer.audio import Clip, Samples, Source, check_format, deinterleave
from demixer.errors import AudioError, DemixError
from demixer.names import legal_name, unique_names
from demixer.runtimes.links import links
from demixer.runtimes.parts import Link
from demixer.runtimes.structure import broken_part

_BLOCK: Final = 1 << 16

_CONVERT: Final = "Check that it plays elsewhere, or convert it to WAV or FLAC."

#: Most samples that an encoder may have added after the end; a stated length that cuts off more is ignored.
_MAX_PADDING: Final = 4096

#: Seconds of a day: a file that claims more is damaged, or does not know its length.
_MAX_CLAIM: Final = 86_400

#: Samples of which a burst is silent: 24 dB above full scale, which decoders make of damaged packets and no song has.
#: `web/decode/worker/song-blocks.js` has the same.
_LOUDEST: Final = 16.0
_BURST: Final = 1024

#: Has FFmpeg refuse frames of FLAC whose checksum is wrong: it would make noise of them, at full scale.
_CHECKED: Final = {"flac": {"err_detect": "crccheck+explode"}}

#: Formats of libsndfile of which a decoder makes samples.
_DECODED: Final = {"VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"}

#: Packets that may be damaged before a file counts as none of sound.
_MAX_DAMAGE: Final = 1_000

#: Containers, as FFmpeg names them, that count the samples of a track.
_EXACT_LENGTHS: Final = {"flac", "wav", "aiff", "mov,mp4,m4a,3gp,3g2,mj2"}

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


class Loss(NamedTuple):
    """The part of a song that its file lacks, in seconds; None if the file does not tell how much."""

    seconds: float | None


class _Decoded(NamedTuple):
    """Decoded audio.

    Parameters
    ----------
    format : Format
    missing : int
        Samples that the file counts besides those that were decoded.
    is_damaged : bool
        True when some of it could not be decoded.
    """

    format: Format
    missing: int
    is_damaged: bool


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
        decoded, loss = _decode(path, pcm, track)
        check_format(*decoded)
        yield PcmFile(pcm, decoded, loss)


def read_song(path: Path, track: int = 0) -> Clip:
    """Decode a whole song into memory; see `open_song`."""
    with open_song(path, track=track) as song:
        return Clip(song.samples(0, song.length), song.rate)


def _decode(path: Path, pcm: IO[bytes], track: int) -> tuple[Format, Loss | None]:
    with links(path) as songs:
        if not songs:
            return _decode_whole(path, pcm, track)
        decoded, loss = _decode_link(songs[0], pcm)
        for song in songs[1:]:
            pcm.seek(4 * decoded.channels * decoded.length)
            with TemporaryFile() as own:
                more, more_loss = _decode_link(song, own)
                if more[:2] != decoded[:2]:
                    message = "The sample rate or the number of channels changes in the middle of the song."
                    raise AudioError("audio/unsupported", message, "Split the file into its songs.")
                own.seek(0)
                for _ in range(0, more.length, _BLOCK):
                    pcm.write(own.read(4 * more.channels * _BLOCK))
                decoded = decoded._replace(length=decoded.length + more.length)
                loss = _sum(loss, more_loss)
                pcm.truncate(4 * decoded.channels * decoded.length)
        return decoded, loss


def _sum(one: Loss | None, other: Loss | None) -> Loss | None:
    known = [loss.seconds for loss in (one, other) if loss and loss.seconds]
    return Loss(sum(known) or None) if one or other else None


def _decode_link(link: Link, pcm: IO[bytes]) -> tuple[Format, Loss | None]:
    """Decode MP3 with FFmpeg, and Ogg with libsndfile unless that stops before the last page."""
    decoded = None if link.is_mp3 else _try_libsndfile(link.open(), pcm)
    if decoded is None or link.samples > decoded.format.length + _MAX_PADDING:
        decoded = decode_with_ffmpeg(link, pcm)
    if link.missing > 0:
        return decoded.format, Loss(link.missing / decoded.format.rate)
    return decoded.format, Loss(None) if link.is_cut or decoded.is_damaged else None


def _decode_whole(path: Path, pcm: IO[bytes], track: int) -> tuple[Format, Loss | None]:
    """Decode with libsndfile, or with FFmpeg where that does not know the format or stops before the end.

    Afterwards the song is held against the file's own count of samples and its structure.
    """
    decoded = _try_libsndfile(path, pcm)
    if decoded is None or _held(path) > decoded.format.length + (_MAX_PADDING if decoded.format.length else 0):
        decoded = decode_with_ffmpeg(path, pcm, track)
    rate, _, length = decoded.format
    part = broken_part(path)
    if 0 < decoded.missing < _MAX_CLAIM * rate and not (part and part.in_fragment):
        return decoded.format, Loss(decoded.missing / rate)
    if part and part.present:
        return decoded.format, Loss(part.missing / part.present * length / rate)
    return decoded.format, Loss(None) if part or decoded.is_damaged else None


def _held(path: Path) -> int:
    """Samples in a file's packets, as FFmpeg counts them without decoding; 0 where it cannot."""
    try:
        with av.open(str(path), "r") as container:
            stream = container.streams.audio[0]
            ticks = sum(packet.duration or 0 for packet in container.demux(stream))
            return round(ticks * stream.time_base * stream.rate) if stream.time_base else 0
    except (av.FFmpegError, ValueError, IndexError):
        return 0


def _try_libsndfile(file: Path | RawIOBase, pcm: IO[bytes]) -> _Decoded | None:
    try:
        return decode_with_libsndfile(file, pcm)
    except soundfile.LibsndfileError:
        return None


def decode_with_libsndfile(file: Path | RawIOBase, pcm: IO[bytes]) -> _Decoded:
    """Decode into a file of interleaved float32; raises `LibsndfileError` for unknown formats."""
    with soundfile.SoundFile(file) as sound:
        order = _VORBIS_ORDER.get(sound.channels) if sound.subtype == "VORBIS" else None
        length, is_damaged = 0, False
        try:
            while (frames := sound.read(_BLOCK, dtype="float32", always_2d=True)).size:
                if sound.subtype in _DECODED:
                    frames, is_burst = _without_bursts(frames)
                    is_damaged |= is_burst
                _append(pcm, frames[:, order] if order else frames)
                length += len(frames)
        except (soundfile.LibsndfileError, ValueError) as error:  # ValueError: it has counted fewer samples than none
            if length == 0:
                raise soundfile.LibsndfileError(0) from error
            is_damaged = True
        missing = sound.frames - length if sound.format == "FLAC" else 0
        return _Decoded(Format(sound.samplerate, sound.channels, length), missing, is_damaged)


def decode_with_ffmpeg(song: Path | Link, pcm: IO[bytes], track: int = 0) -> _Decoded:
    """Decode an audio track into a file of interleaved float32, without the encoder's delay and padding.

    Packets that cannot be decoded are passed over.
    """
    pcm.seek(0)
    pcm.truncate()
    try:
        with _container(song) as container:
            if len(container.streams.audio) <= track:
                raise AudioError("audio/empty", "The file holds no such audio track.", "Choose a file with sound.")
            stream = container.streams.audio[track]
            if stream.codec_context is None:
                raise AudioError("audio/unsupported", "The file is in a codec that is not known.", _CONVERT)
            codec = stream.codec_context.name
            stream.codec_context.options = _CHECKED.get(codec, {})
            gaps, end = (song.gaps, 0) if isinstance(song, Link) and song.is_mp3 else _edits(container, stream)
            to_float = av.AudioResampler(format="flt", layout=stream.layout, rate=stream.rate)
            damage: list[av.FFmpegError] = []
            at = length = 0
            has_bursts = False
            for frame in chain(_frames(container, stream, damage), [None]):
                for converted in to_float.resample(frame):
                    samples = converted.to_ndarray().astype(np.float32, copy=False).reshape(-1, stream.channels)
                    song_samples = samples[_outside(gaps, at, len(samples))]
                    at += len(samples)
                    if not codec.startswith("pcm_"):
                        song_samples, is_burst = _without_bursts(song_samples)
                        has_bursts |= is_burst
                    _append(pcm, song_samples)
                    length += len(song_samples)
            if damage and length == 0:
                raise damage[0]
            if end and 0 < length - end <= _MAX_PADDING:
                length = end
            counted = stream.duration if container.format.name in _EXACT_LENGTHS else None
            missing = round(counted * stream.time_base * stream.rate) - at if counted and stream.time_base else 0
            if missing <= (0 if container.format.name == "flac" else _MAX_PADDING):
                missing = 0
            return _Decoded(Format(stream.rate, stream.channels, length), missing, bool(damage) or has_bursts)
    except (av.FFmpegError, ValueError) as error:  # ValueError: a sample format unknown to PyAV
        raise AudioError("audio/unreadable", "The file cannot be decoded.", _CONVERT) from error


def _container(song: Path | Link) -> InputContainer:
    if isinstance(song, Path):
        return av.open(str(song), "r")
    return av.open(song.open(), "r", format="mp3" if song.is_mp3 else "ogg")


def _frames(container: InputContainer, stream: AudioStream, damage: list[av.FFmpegError]) -> Iterator[av.AudioFrame]:
    """The frames of all packets that can be read and decoded; adds the errors of others to `damage`."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = packet.decode() if packet else []
        except av.FFmpegError as error:
            if len(damage) > _MAX_DAMAGE:
                raise
            damage.append(error)
            continue
        if packet is None:
            return
        yield from frames


def _without_bursts(frames: Samples) -> tuple[Samples, bool]:
    """Frames in which what no song can be is silent, and True if there was any."""
    if (np.abs(frames) <= _LOUDEST).all():
        return frames, False
    silenced = frames.copy()
    for start in range(0, len(frames), _BURST):
        burst = silenced[start : start + _BURST]
        if not (np.abs(burst) <= _LOUDEST).all():
            burst[:] = 0
    return silenced, True


def _outside(gaps: Sequence[tuple[int, int]], at: int, length: int) -> npt.NDArray[np.bool_]:
    """True for the samples from `at` on that lie in no gap."""
    outside = np.ones(length, bool)
    for start, stop in gaps:
        outside[max(0, start - at) : max(0, stop - at)] = False
    return outside


def _edits(container: InputContainer, stream: AudioStream) -> tuple[list[tuple[int, int]], int]:
    """The gap before the song and the song's length (0 if unknown), besides what FFmpeg leaves out itself.

    FFmpeg removes the delay before the song, but in MP4 not the padding after it, and in HE-AAC too little of both:
    iTunes' note counts samples of the core there.
    """
    note = [int(field, 16) for field in container.metadata.get("iTunSMPB", "").split()[1:4]]
    in_mp4 = "mp4" in container.format.name
    is_double = in_mp4 and stream.profile in {"HE-AAC", "HE-AACv2"}
    if in_mp4 and len(note) == 3 and note[2] > 0:
        delay, _, length = note
        return ([(0, delay + _SBR_DELAY)], 2 * length) if is_double else ([], length)
    ticks = stream.time_base * stream.rate if stream.time_base and stream.duration else 0
    if is_double:
        return [(0, _SBR_DELAY)] if _has_edits(container) else [], round((stream.duration or 0) * ticks)
    is_cut = container.format.name == "ogg"  # a stream that was cut ends elsewhere
    return [], (stream.duration or 0) if ticks == 1 and not (is_cut and (stream.start_time or 0) < 0) else 0


def _has_edits(container: InputContainer) -> bool:
    """True when an MP4 begins before its song."""
    with av.open(container.name, "r") as same:
        first = next(same.demux(same.streams.audio[0]), None)
        return first is not None and (first.pts or 0) < 0


class PcmFile:
    """A decoded song: a `Source`.

    Parameters
    ----------
    file : binary file
        Interleaved float32.
    decoded : Format
    loss : Loss, optional
        The part that the song's file lacks.
    """

    def __init__(self, file: IO[bytes], decoded: Format, loss: Loss | None = None) -> None:
        self._file = file
        self.loss = loss
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
