"""Files that people drop on a separator: every kind of song, and every kind of thing that is none."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from typing import Final

import numpy as np

from demixer.audio import Samples
from tests.encoders import aifc, by_ffmpeg, by_libsndfile, id3, itunes_note, read_by_libsndfile, wav
from tests.songs import mixture

RATE: Final = 44_100
OPUS_RATE: Final = 48_000
SECONDS: Final = 2.01
"""Not a whole number of any codec's packets."""

LOSSY: Final = 15.0
"""dB of signal to noise at least; a sample's shift costs more."""
EXACT: Final = np.inf

JPEG: Final = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(100)


@dataclass(frozen=True)
class Right:
    """A right result: the song that was encoded, to the sample.

    Parameters
    ----------
    song : np.ndarray [shape=(channels, n)]
    rate : int
        In Hz.
    decibel : float
        Signal to noise ratio at least; infinity where nothing is lost.
    cut : bool
        Whether only the beginning is there, half of it at least.
    delay, tail : int
        Samples before and after the song that the file does not tell of.
    """

    song: Samples
    rate: int = RATE
    decibel: float = EXACT
    cut: bool = False
    delay: int = 0
    tail: int = 0


@dataclass(frozen=True)
class Animal:
    """A file and what is right to do with it: a result, or the code of the one error.

    `native` says what the command line does where that is something else.
    """

    name: str
    encoded: bytes
    outcome: Right | str
    native: Right | str | None = None


@cache
def song(rate: int = RATE, channels: int = 2) -> Samples:
    """What the good files hold [shape=(channels, n)]; no channel is like another."""
    stereo = mixture(SECONDS, rate)
    gains = np.linspace(1, 0.4, channels, dtype=np.float32)
    return np.stack([gain * stereo[index % 2] for index, gain in enumerate(gains)])


def plain(name: str, kind: str, subtype: str, samples: Samples | None = None, rate: int = RATE) -> Animal:
    """A file without loss besides that of its quantisation."""
    encoded = by_libsndfile(song() if samples is None else samples, rate, kind, subtype)
    return Animal(name, encoded, Right(read_by_libsndfile(encoded), rate))


def coded(name: str, encoded: bytes, rate: int = RATE, delay: int = 0, tail: int = 0) -> Animal:
    """A file of a lossy codec."""
    return Animal(name, encoded, Right(song(rate), rate, LOSSY, delay=delay, tail=tail))


def cut(animal: Animal, name: str) -> Animal:
    """The first three quarters of a file."""
    assert isinstance(animal.outcome, Right)
    return Animal(name, animal.encoded[: len(animal.encoded) * 3 // 4], replace(animal.outcome, cut=True))


def uncompressed() -> Sequence[Animal]:
    """WAV and AIFF in all their kinds."""
    pcm = plain("16-bit.wav", "WAV", "PCM_16")
    body = pcm.encoded[44:]
    aiff = plain("24-bit.aiff", "AIFF", "PCM_24")
    swapped = np.frombuffer(body, "<i2")
    return [
        pcm,
        plain("8-bit.wav", "WAV", "PCM_U8"),
        plain("24-bit.wav", "WAV", "PCM_24"),
        plain("32-bit.wav", "WAV", "PCM_32"),
        plain("64-bit float.wav", "WAV", "DOUBLE"),
        plain("6 dB above full scale.wav", "WAV", "FLOAT", 2 / np.abs(song()).max() * song()),
        plain("A-law.wav", "WAV", "ALAW"),
        plain("mu-law.wav", "WAV", "ULAW"),
        plain("extensible.wav", "WAVEX", "PCM_24"),
        plain("for more than 4 GiB.wav", "RF64", "PCM_16"),
        plain("8 channels.wav", "WAVEX", "PCM_24", song(channels=8)),
        plain("192 kHz.wav", "WAV", "PCM_24", song(192_000), 192_000),
        plain("8 kHz mono.wav", "WAV", "PCM_16", song(8_000, 1), 8_000),
        replace(pcm, name="streamed, size unknown.wav", encoded=wav(body, size=0xFFFF_FFFF)),
        replace(pcm, name="streamed, size 0.wav", encoded=wav(body, size=0)),
        replace(pcm, name="claims 4 GB.wav", encoded=wav(body, size=0xFFFF_FFF0)),
        cut(pcm, "truncated.wav"),
        plain("16-bit.aiff", "AIFF", "PCM_16"),
        aiff,
        cut(aiff, "truncated.aiff"),
        replace(
            pcm,
            name="little-endian.aifc",
            encoded=aifc(body, b"sowt", channels=2, frames=len(body) // 4, bits=16),
        ),
        replace(
            pcm,
            name="big-endian.aifc",
            encoded=aifc(swapped.astype(">i2").tobytes(), b"twos", channels=2, frames=len(body) // 4, bits=16),
        ),
        plain("32-bit float.aifc", "AIFF", "FLOAT"),
        plain("64-bit float.aifc", "AIFF", "DOUBLE"),
        plain("A-law.aifc", "AIFF", "ALAW"),
        plain("mu-law.aifc", "AIFF", "ULAW"),
    ]


def compressed() -> Sequence[Animal]:
    """Songs as they are passed on."""
    flac = plain("16-bit.flac", "FLAC", "PCM_16")
    mp3 = coded("LAME.mp3", by_libsndfile(song(), RATE, "MP3"))
    vorbis = coded("Vorbis.ogg", by_libsndfile(song(), RATE, "OGG", "VORBIS"))
    opus = coded("Opus.opus", by_ffmpeg("ogg", [("libopus", song(OPUS_RATE))], OPUS_RATE), OPUS_RATE)
    m4a = coded("AAC.m4a", by_ffmpeg("ipod", [("aac", song())]))
    front = coded("", by_ffmpeg("ipod", [("aac", song())], options={"movflags": "faststart"}))
    ...
    return []
