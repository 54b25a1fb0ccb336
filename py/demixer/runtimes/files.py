"""Reads songs from files, for the command line, and holds what was decoded against what the file has.

A song is never in memory as a whole: it is decoded into an unnamed file beside its stems.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple

import av
import numpy as np
import soundfile

from demixer.audio import Clip, Samples, check_format, deinterleave
from demixer.errors import AudioError
from demixer.runtimes.decoders import BLOCK, MAX_PADDING, Decoded, Format, decode_with_ffmpeg, decode_with_libsndfile
from demixer.runtimes.links import links
from demixer.runtimes.parts import Link
from demixer.runtimes.structure import broken_part
from demixer.runtimes.writing import temporary_file

#: Seconds of a day: a file that claims more is damaged, or does not know its length.
_MAX_CLAIM: Final = 86_400


class Loss(NamedTuple):
    """The part of a song that its file lacks, in seconds; None if the file does not tell how much."""

    seconds: float | None


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
    with temporary_file(folder) as pcm:
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
                for _ in range(0, more.length, BLOCK):
                    pcm.write(own.read(4 * more.channels * BLOCK))
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
    if decoded is None or link.samples > decoded.format.length + MAX_PADDING:
        decoded = decode_with_ffmpeg(link, pcm)
    if link.missing > 0:
        return decoded.format, Loss(link.missing / decoded.format.rate)
    return decoded.format, Loss(None) if link.is_cut or decoded.is_damaged else None


def _decode_whole(path: Path, pcm: IO[bytes], track: int) -> tuple[Format, Loss | None]:
    """Decode with libsndfile, or with FFmpeg where that does not know the format or stops before the end.

    Afterwards the song is held against the file's own count of samples and its structure.
    """
    decoded = _try_libsndfile(path, pcm)
    if decoded is None or _held(path) > decoded.format.length + (MAX_PADDING if decoded.format.length else 0):
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


def _try_libsndfile(file: Path | RawIOBase, pcm: IO[bytes]) -> Decoded | None:
    try:
        return decode_with_libsndfile(file, pcm)
    except soundfile.LibsndfileError:
        return None


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
