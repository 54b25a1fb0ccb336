"""Cases by their numbers: a seed file, what was done to it, and the sound that was in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Final, NamedTuple

import numpy as np

from demixer.audio import Samples
from tests.encoders import by_ffmpeg, by_libsndfile, id3, wav
from tests.fuzzing.mutations import mutated
from tests.fuzzing.units import units, with_checksums
from tests.odd import FOLDER
from tests.songs import mixture

RATE: Final = 44_100
SECONDS: Final = 2.3

#: Of the seeds' sound, which leaves noise room to be louder.
PEAK: Final = 0.1


class Case(NamedTuple):
    """A mutated file."""

    number: int
    seed: str
    steps: list[str]
    data: bytes


@cache
def song(rate: int = RATE, channels: int = 2) -> Samples:
    """The sound of the seeds [shape=(channels, n)]: as loud throughout as music is, with its peak at `PEAK`."""
    samples: Samples = mixture(SECONDS, rate)[:channels]
    return samples * np.float32(PEAK / np.abs(samples).max())


def _ffmpeg(kind: str, *codecs: str, rate: int = RATE, **options: str) -> Callable[[], bytes]:
    steady = {"fflags": "bitexact", **options}
    return lambda: by_ffmpeg(kind, [(codec, song(rate)) for codec in codecs], rate, options=steady)


def _libsndfile(kind: str, subtype: str | None = None, rate: int = RATE, channels: int = 2) -> Callable[[], bytes]:
    return lambda: _steady(by_libsndfile(song(rate, channels), rate, kind, subtype))


def _steady(data: bytes) -> bytes:
    """A file without the serial number and the time of day that libsndfile writes."""
    whole = bytearray(data)
    if (peak := data.find(b"PEAK")) >= 0:
        whole[peak + 12 : peak + 16] = bytes(4)
    for page in units(data) if data.startswith(b"OggS") else ():
        whole[page.start + 14 : page.start + 18] = b"song"
    return with_checksums(bytes(whole))


def _odd(name: str) -> Callable[[], bytes]:
    return (FOLDER / name).read_bytes


#: Files by name; those of `tests/data/odd` are louder, up to full scale.
SEEDS: Final[dict[str, Callable[[], bytes]]] = {
    "16-bit.wav": _libsndfile("WAV", "PCM_16"),
    "24-bit.wav": _libsndfile("WAVEX", "PCM_24"),
    "float.wav": _libsndfile("WAV", "FLOAT"),
    "RF64.wav": _libsndfile("RF64", "PCM_16", channels=1),
    "mu-law.wav": _libsndfile("WAV", "ULAW"),
    "streamed.wav": lambda: wav(_libsndfile("WAV", "PCM_16")()[44:], size=0xFFFFFFFF),
    "16-bit.aiff": _libsndfile("AIFF", "PCM_16"),
    "float.aifc": _libsndfile("AIFF", "FLOAT"),
    "16-bit.flac": _libsndfile("FLAC", "PCM_16"),
    "24-bit.flac": _libsndfile("FLAC", "PCM_24", channels=1),
    "CBR.mp3": _ffmpeg("mp3", "libmp3lame"),
    "VBR.mp3": _libsndfile("MP3"),
    "tagged.mp3": lambda: id3({"TIT2": b"\3Title", "TPE1": b"\3A\0B"}, 3000) + _ffmpeg("mp3", "libmp3lame")(),
    "ADTS.aac": _ffmpeg("adts", "aac"),
    "AAC.m4a": _ffmpeg("ipod", "aac"),
    "tables first.m4a": _ffmpeg("mp4", "aac", movflags="faststart"),
    "fragments.mp4": _ffmpeg("mp4", "aac", movflags="frag_keyframe+empty_moov"),
    "ALAC.m4a": _ffmpeg("ipod", "alac"),
    "stems.mp4": _ffmpeg("mp4", "aac", "aac", "aac", "aac", "aac"),
    "Vorbis.ogg": _libsndfile("OGG", "VORBIS"),
    "Opus.opus": _ffmpeg("ogg", "libopus", rate=48_000, page_duration="200000"),
    "FLAC in Ogg.oga": _ffmpeg("ogg", "flac", page_duration="200000"),
    "Opus.webm": _ffmpeg("webm", "libopus", rate=48_000),
    "AAC.mkv": _ffmpeg("matroska", "aac"),
    "AAC.ts": _ffmpeg("mpegts", "aac"),
    **{
        f"odd/{name}": _odd(name)
        for name in (
            "HE-AAC with iTunSMPB.m4a",
            "HLS segments joined.aac",
            "chained.ogg",
            "cut by copy.opus",
            "MP3 in WAV.wav",
            "piped.aiff",
            "data before fmt.wav",
            "ID3 tags.aiff",
        )
    },
}


@cache
def seed(name: str) -> bytes:
    return SEEDS[name]()


def case(number: int) -> Case:
    """The same for the same number."""
    random = Random(number)
    name = random.choice(list(SEEDS))
    steps, data = mutated(random, seed(name), [seed(random.choice(list(SEEDS))) for _ in range(2)])
    return Case(number, name, steps, data)
