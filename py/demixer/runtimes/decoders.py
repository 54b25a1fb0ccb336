"""Decoders of the command line: libsndfile, and FFmpeg for other formats. Damage is silent or left out, and told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import RawIOBase
from itertools import chain
from pathlib import Path
from typing import IO, Final, NamedTuple

import av
import numpy as np
import numpy.typing as npt
import soundfile
from av.audio.stream import AudioStream
from av.container import InputContainer

from demixer.audio import Samples
from demixer.errors import AudioError
from demixer.runtimes.parts import Link
from demixer.runtimes.writing import append

#: Frames that are decoded at once.
BLOCK: Final = 1 << 16

_CONVERT: Final = "Check that it plays elsewhere, or convert it to WAV or FLAC."

#: Most samples that an encoder may have added after the end; a stated length that cuts off more is ignored.
MAX_PADDING: Final = 4096

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


class Decoded(NamedTuple):
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


def decode_with_libsndfile(file: Path | RawIOBase, pcm: IO[bytes]) -> Decoded:
    """Decode into a file of interleaved float32; raises `LibsndfileError` for unknown formats."""
    with soundfile.SoundFile(file) as sound:
        order = _VORBIS_ORDER.get(sound.channels) if sound.subtype == "VORBIS" else None
        length, is_damaged = 0, False
        try:
            while (frames := sound.read(BLOCK, dtype="float32", always_2d=True)).size:
                if sound.subtype in _DECODED:
                    frames, is_burst = _without_bursts(frames)
                    is_damaged |= is_burst
                append(pcm, frames[:, order] if order else frames)
                length += len(frames)
        except (soundfile.LibsndfileError, ValueError) as error:  # ValueError: it has counted fewer samples than none
            if length == 0:
                raise soundfile.LibsndfileError(0) from error
            is_damaged = True
        missing = sound.frames - length if sound.format == "FLAC" else 0
        return Decoded(Format(sound.samplerate, sound.channels, length), missing, is_damaged)


def decode_with_ffmpeg(song: Path | Link, pcm: IO[bytes], track: int = 0) -> Decoded:
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
                    append(pcm, song_samples)
                    length += len(song_samples)
            if damage and length == 0:
                raise damage[0]
            if end and 0 < length - end <= MAX_PADDING:
                length = end
            counted = stream.duration if container.format.name in _EXACT_LENGTHS else None
            missing = round(counted * stream.time_base * stream.rate) - at if counted and stream.time_base else 0
            if missing <= (0 if container.format.name == "flac" else MAX_PADDING):
                missing = 0
            return Decoded(Format(stream.rate, stream.channels, length), missing, bool(damage) or has_bursts)
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
