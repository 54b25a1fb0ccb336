"""Files that people drop on a separator: all kinds of songs, and of files that are none."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from io import BytesIO
from typing import Final

import numpy as np

from demixer.audio import Samples
from tests.encoders import (
    Track,
    aifc,
    by_ffmpeg,
    by_libsndfile,
    free_format,
    id3,
    id3_note,
    itunes_note,
    read_by_libsndfile,
    vbri,
    wav,
    wav_chunks,
)
from tests.songs import mixture

RATE: Final = 44_100
OPUS_RATE: Final = 48_000
SECONDS: Final = 2.01
"""Not a whole number of any codec's packets."""

EXACT: Final = np.inf
LOSSY: Final = 15.0
"""dB of signal to noise that every codec here keeps; a shift by one sample does not."""

AAC_DELAY: Final = 1024
AAC_TAIL: Final = -(AAC_DELAY + round(SECONDS * RATE)) % 1024
"""Samples that fill the last packet up."""

ODD_TAGS: Final = {"TIT2": b"\1\xff\xfe" + "夜明け".encode("utf-16-le"), "TCON": b"\0(255)", "WXYZ": bytes(3000)}


@cache
def song(rate: int = RATE, channels: int = 2) -> Samples:
    """Samples of the good files [shape=(channels, n)]; all channels differ."""
    stereo = mixture(SECONDS, rate)
    gains = np.linspace(1, 0.4, channels, dtype=np.float32)
    return np.stack([gain * stereo[index % 2] for index, gain in enumerate(gains)])


@dataclass(frozen=True)
class Right:
    """A right result: the song that was encoded, to the sample.

    Parameters
    ----------
    song : callable
        Gives samples [shape=(channels, n)].
    rate : int
        In Hz.
    decibel : float
        Signal to noise ratio at least; infinity where nothing is lost.
    cut : bool
        True when only the beginning is there, a third of it at least, and the reader says so.
    delay, tail : int
        Samples before and after the song that the file does not tell of.
    """

    song: Callable[[], Samples]
    rate: int = RATE
    decibel: float = EXACT
    cut: bool = False
    delay: int = 0
    tail: int = 0


@dataclass(frozen=True)
class Animal:
    """A file and its expected outcome: a result, or an error code."""

    name: str
    encode: Callable[[], bytes]
    outcome: Right | str


def plain(name: str, kind: str, subtype: str, rate: int = RATE, channels: int = 2, gain: float = 1) -> Animal:
    """A file without loss besides that of its quantisation."""
    encode = cache(lambda: by_libsndfile(gain * song(rate, channels), rate, kind, subtype))
    return Animal(name, encode, Right(lambda: read_by_libsndfile(encode()), rate))


def lossy(name: str, encode: Callable[[], bytes], rate: int = RATE, delay: int = 0, tail: int = 0) -> Animal:
    return Animal(name, encode, Right(partial(song, rate), rate, LOSSY, delay=delay, tail=tail))


def cut(animal: Animal, name: str) -> Animal:
    """The first three quarters of a file."""
    assert isinstance(animal.outcome, Right)
    outcome = replace(animal.outcome, cut=True)
    return Animal(name, lambda: animal.encode()[: len(animal.encode()) * 3 // 4], outcome)


def ffmpeg(kind: str, *codecs: str, rate: int = RATE, default: int = 0, **options: str) -> Callable[[], bytes]:
    """A file with a track for each codec; all hold the song, but `other` a wrong one and `mpeg4` pictures."""

    def track(codec: str) -> Track:
        wrong = song(rate)[::-1].copy()
        return {"mpeg4": ("mpeg4", None), "other": ("aac", wrong)}.get(codec, (codec, song(rate)))

    return cache(lambda: by_ffmpeg(kind, [track(codec) for codec in codecs], rate, default=default, options=options))


PCM: Final = plain("16-bit.wav", "WAV", "PCM_16")
AIFF: Final = plain("24-bit.aiff", "AIFF", "PCM_24")
FLAC: Final = plain("16-bit.flac", "FLAC", "PCM_16")
MP3: Final = lossy("LAME.mp3", cache(lambda: by_libsndfile(song(), RATE, "MP3")))
VORBIS: Final = lossy("Vorbis.ogg", cache(lambda: by_libsndfile(song(), RATE, "OGG", "VORBIS")))
OPUS: Final = lossy("Opus.opus", ffmpeg("ogg", "libopus", rate=OPUS_RATE), OPUS_RATE)
AAC: Final = lossy("AAC.m4a", ffmpeg("ipod", "aac"))
ADTS: Final = lossy("no container.aac", ffmpeg("adts", "aac"), delay=AAC_DELAY, tail=AAC_TAIL)
FRAGMENTS: Final = ffmpeg("mp4", "aac", movflags="frag_keyframe+empty_moov")
BARE_MP3: Final = ffmpeg("mp3", "libmp3lame", write_xing="0", id3v2_version="0")
MP3_DELAY: Final = 576
"""Samples that LAME adds; a decoder adds 529."""
MONO_MP3: Final = Right(partial(song, 22_050, 1), 22_050, LOSSY)


def body() -> bytes:
    """The song as 16-bit samples."""
    return PCM.encode()[44:]


def body_in_aifc(compression: bytes, order: str) -> bytes:
    samples = np.frombuffer(body(), "<i2").reshape(-1, 2)
    return aifc(samples.astype(f"{order}i2").tobytes(), compression, channels=2, frames=len(samples), bits=16)


def itunes() -> bytes:
    return itunes_note(AAC.encode(), AAC_DELAY, AAC_TAIL, song().shape[1])


def bare_mp3_of_48_khz() -> bytes:
    return ffmpeg("mp3", "libmp3lame", rate=48_000, write_xing="0", id3v2_version="0")()


def noted() -> bytes:
    """An MP3 with the note of iTunes in front."""
    length = song().shape[1]
    return id3_note(MP3_DELAY, 78 * 1152 - MP3_DELAY - length, length) + BARE_MP3()


def floats(value: float) -> bytes:
    """A WAV of 32-bit floats with one that is no number in the middle."""
    samples = 0.5 * song().T
    samples[len(samples) // 2] = value
    return wav(samples.astype("<f4").tobytes(), tag=3, bits=32)


def zipped() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("song.wav", PCM.encode())
    return file.getvalue()


def with_total(samples: int) -> bytes:
    """A FLAC whose header claims so many samples."""
    flac = bytearray(FLAC.encode())
    flac[21] = (flac[21] & 0xF0) | (samples >> 32)
    flac[22:26] = struct.pack(">I", samples & 0xFFFF_FFFF)
    return bytes(flac)


def with_packets(packets: int) -> bytes:
    """An M4A whose table claims so many packets, all of one size."""
    m4a = AAC.encode()
    at = m4a.index(b"stsz") + 8
    return m4a[:at] + struct.pack(">II", 16, packets) + m4a[at + 8 :]


def with_whole_packets() -> bytes:
    """An M4A as Apple writes it: all packets are of one length, and the edit list alone tells the end."""
    m4a = AAC.encode()
    last = m4a.index(b"stts") + 24
    assert struct.unpack_from(">I", m4a, last) == (1024 - AAC_TAIL,)
    return m4a[:last] + struct.pack(">I", 1024) + m4a[last + 4 :]


def with_entry(entry: bytes) -> bytes:
    """An M4A that says of its samples that they are encrypted, in one of the ways."""
    return AAC.encode().replace(b"mp4a", entry, 1)


UNCOMPRESSED: Final = (
    PCM,
    plain("8-bit.wav", "WAV", "PCM_U8"),
    plain("24-bit.wav", "WAV", "PCM_24"),
    plain("32-bit.wav", "WAV", "PCM_32"),
    plain("64-bit float.wav", "WAV", "DOUBLE"),
    plain("6 dB above full scale.wav", "WAV", "FLOAT", gain=4),
    plain("A-law.wav", "WAV", "ALAW"),
    plain("mu-law.wav", "WAV", "ULAW"),
    plain("extensible.wav", "WAVEX", "PCM_24"),
    plain("for more than 4 GiB.wav", "RF64", "PCM_16"),
    plain("8 channels.wav", "WAVEX", "PCM_24", channels=8),
    plain("192 kHz.wav", "WAV", "PCM_24", rate=192_000),
    plain("8 kHz mono.wav", "WAV", "PCM_16", rate=8_000, channels=1),
    replace(PCM, name="streamed, size unknown.wav", encode=lambda: wav(body(), size=0xFFFF_FFFF)),
    replace(PCM, name="streamed, size 0.wav", encode=lambda: wav(body(), size=0)),
    replace(PCM, name="claims 4 GB.wav", encode=lambda: wav(body(), size=0xFFFF_FFF0)),
    replace(PCM, name="300 chunks before the samples.wav", encode=lambda: wav_chunks(PCM.encode(), 300)),
    cut(PCM, "truncated.wav"),
    plain("16-bit.aiff", "AIFF", "PCM_16"),
    AIFF,
    plain("32-bit float.aifc", "AIFF", "FLOAT"),
    plain("64-bit float.aifc", "AIFF", "DOUBLE"),
    plain("A-law.aifc", "AIFF", "ALAW"),
    plain("mu-law.aifc", "AIFF", "ULAW"),
    replace(PCM, name="little-endian.aifc", encode=lambda: body_in_aifc(b"sowt", "<")),
    replace(PCM, name="big-endian.aifc", encode=lambda: body_in_aifc(b"twos", ">")),
    cut(AIFF, "truncated.aiff"),
)

COMPRESSED: Final = (
    FLAC,
    plain("24-bit 96 kHz.flac", "FLAC", "PCM_24", rate=96_000),
    replace(FLAC, name="claims 2^36 samples.flac", encode=lambda: with_total(2**36 - 1)),
    replace(FLAC, name="does not tell its length.flac", encode=lambda: with_total(0)),
    cut(FLAC, "truncated.flac"),
    MP3,
    lossy("FFmpeg.mp3", ffmpeg("mp3", "libmp3lame")),
    lossy("MP3 in MP4.mp4", ffmpeg("mp4", "libmp3lame")),
    Animal("mono 22 kHz.mp3", lambda: by_libsndfile(MONO_MP3.song(), MONO_MP3.rate, "MP3"), MONO_MP3),
    lossy("夜明け, cover and odd tags.mp3", lambda: id3(ODD_TAGS, picture_bytes=300_000) + MP3.encode()),
    lossy("claims a tag of 256 MB.mp3", lambda: b"ID3\x03\0\0" + b"\x7f" * 4 + MP3.encode()),
    lossy("without LAME tag.mp3", BARE_MP3, delay=1105, tail=110),
    lossy("Fraunhofer's header.mp3", lambda: vbri(BARE_MP3(), MP3_DELAY), tail=110),
    lossy("iTunes' note.mp3", noted),
    cut(MP3, "truncated.mp3"),
    VORBIS,
    cut(VORBIS, "truncated.ogg"),
    OPUS,
    lossy("libsndfile.opus", lambda: by_libsndfile(song(OPUS_RATE), OPUS_RATE, "OGG", "OPUS"), OPUS_RATE),
    lossy("Opus in MP4.m4a", ffmpeg("mp4", "libopus", rate=OPUS_RATE), OPUS_RATE),
    lossy("Opus in WebM.webm", ffmpeg("webm", "libopus", rate=OPUS_RATE), OPUS_RATE),
    cut(OPUS, "truncated.opus"),
    AAC,
    lossy("iTunes.m4a", itunes),
    lossy("edit list.m4a", with_whole_packets),
    lossy("Ñandú, Straße, Ωδή.mkv", ffmpeg("matroska", "aac"), tail=AAC_TAIL),
    ADTS,
    cut(ADTS, "truncated.aac"),
    lossy("video with sound.mp4", ffmpeg("mp4", "mpeg4", "aac")),
    lossy("second track is the default.mp4", ffmpeg("mp4", "other", "aac", default=1)),
    lossy("third track is the default.mkv", ffmpeg("matroska", "mpeg4", "other", "aac", default=2), tail=AAC_TAIL),
    cut(lossy("", ffmpeg("ipod", "aac", movflags="faststart")), "truncated, tables first.m4a"),
    replace(cut(AAC, "truncated, tables last.m4a"), outcome="audio/unreadable"),
    lossy("fragments.m4a", FRAGMENTS, delay=AAC_DELAY),
    cut(lossy("", FRAGMENTS, delay=AAC_DELAY), "truncated fragments.m4a"),
    cut(lossy("", ffmpeg("matroska", "aac")), "truncated.mkv"),
    cut(lossy("", ffmpeg("webm", "libopus", rate=OPUS_RATE), OPUS_RATE), "truncated.webm"),
)

OTHERS: Final = (
    Animal("empty.wav", bytes, "audio/empty"),
    Animal("one byte.wav", lambda: b"R", "audio/unreadable"),
    Animal("text.mp3", lambda: b"Not a song, but text that says so.\n" * 100, "audio/unreadable"),
    Animal("web page.flac", lambda: b"<!DOCTYPE html><html><body>Not found" * 20, "audio/unreadable"),
    Animal("archive.wav", zipped, "audio/unreadable"),
    Animal("noise.ogg", lambda: np.random.default_rng(1).bytes(500_000), "audio/unreadable"),
    Animal("zeros.wav", lambda: wav()[:36] + bytes(2_000_000), "audio/unreadable"),
    Animal("0 channels.wav", lambda: wav(bytes(40_000), channels=0), "audio/unreadable"),
    Animal("0 Hz.wav", lambda: wav(bytes(40_000), rate=0), "audio/unreadable"),
    Animal("65,535 channels.wav", lambda: wav(bytes(400_000), channels=65_535, bits=8), "audio/unsupported"),
    Animal("4 kHz.wav", lambda: wav(bytes(40_000), rate=4_000), "audio/unsupported"),
    Animal("no samples.wav", wav, "audio/empty"),
    Animal("video without sound.mp4", ffmpeg("mp4", "mpeg4"), "audio/empty"),
    Animal("claims 4 billion packets.m4a", lambda: with_packets(2**32 - 16), "audio/unreadable"),
    Animal("protected by a shop.m4p", lambda: with_entry(b"drms"), "audio/unsupported"),
    Animal("protected stream.mp4", lambda: with_entry(b"enca"), "audio/unsupported"),
    Animal("ALAC.m4a", ffmpeg("ipod", "alac"), "audio/unsupported"),
    Animal("ADPCM.wav", lambda: by_libsndfile(song(), RATE, "WAV", "IMA_ADPCM"), "audio/unsupported"),
    Animal("ADPCM.aifc", lambda: by_libsndfile(song(), RATE, "AIFF", "IMA_ADPCM"), "audio/unsupported"),
    Animal("free format.mp3", lambda: free_format(bare_mp3_of_48_khz()), "audio/unsupported"),
    Animal("Windows Media.wma", ffmpeg("asf", "wmav2"), "audio/unsupported"),
    Animal("Core Audio.caf", lambda: by_libsndfile(song(), RATE, "CAF", "PCM_16"), "audio/unsupported"),
)

NOT_FINITE: Final = (
    Animal("NaN.wav", lambda: floats(np.nan), "audio/not-finite"),
    Animal("infinite.wav", lambda: floats(np.inf), "audio/not-finite"),
)
"""Decoded as they are: it is the separation that refuses them."""

ZOO: Final = (*UNCOMPRESSED, *COMPRESSED, *OTHERS, *NOT_FINITE)


def assert_right(right: Right, samples: Samples, rate: int) -> None:
    """The song lies where it should among decoded samples [shape=(channels, n)], and there are no others."""
    reference = right.song()
    assert (rate, len(samples)) == (right.rate, len(reference))
    if right.cut:
        assert reference.shape[1] / 3 < samples.shape[1] < reference.shape[1]
        reference = reference[:, : samples.shape[1] - right.delay]
    else:
        assert samples.shape[1] == right.delay + reference.shape[1] + right.tail
    assert lag(reference, samples) == right.delay
    found = samples[:, right.delay :][:, : reference.shape[1]]
    noise = np.square(found - reference, dtype=np.float64).sum()
    signal = np.square(reference, dtype=np.float64).sum()
    assert noise <= signal * 10 ** (-right.decibel / 10)


def lag(reference: Samples, samples: Samples) -> int:
    """Samples by which one is later than the other, where their cross-correlation is highest."""
    size = reference.shape[1] + samples.shape[1]
    spectra = np.fft.rfft(samples, size) * np.fft.rfft(reference, size).conj()
    peak = int(np.fft.irfft(spectra.sum(axis=0), size).argmax())
    return peak if peak < samples.shape[1] else peak - size
