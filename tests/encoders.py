"""Audio files as bytes, by libsndfile, by FFmpeg, and by hand where no encoder would write such a thing."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import av
import numpy as np
import soundfile
from av.audio.stream import AudioStream
from av.container import OutputContainer

from demixer.audio import Samples

PICTURE_SIDE: Final = 64
FRAMES_PER_SECOND: Final = 10

#: A codec of FFmpeg and its samples [shape=(channels, n)]; without them it is one for pictures.
Track = tuple[str, Samples | None]


def by_libsndfile(samples: Samples, rate: int, kind: str, subtype: str | None = None, **options: Any) -> bytes:
    """Encode samples [shape=(channels, n)], in a format and subtype of libsndfile."""
    file = BytesIO()
    soundfile.write(file, samples.T, rate, subtype, format=kind, **options)
    return file.getvalue()


def read_by_libsndfile(encoded: bytes) -> Samples:
    """All samples of a file [shape=(channels, n)]."""
    samples, _ = soundfile.read(BytesIO(encoded), dtype="float32", always_2d=True)
    return np.ascontiguousarray(samples.T)


def by_ffmpeg(
    kind: str,
    tracks: Sequence[Track],
    rate: int = 44_100,
    *,
    default: int = 0,
    options: Mapping[str, str] | None = None,
) -> bytes:
    """Encode tracks into one file, of which the default one is marked; `options` are those of the muxer `kind`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"  # some muxers read what they have written
        with av.open(str(path), "w", format=kind, options=dict(options or {})) as container:
            _encode(container, tracks, rate, default)
        return path.read_bytes()


def _encode(container: OutputContainer, tracks: Sequence[Track], rate: int, default: int) -> None:
    streams = [_stream(container, codec, samples, rate) for codec, samples in tracks]
    for index, stream in enumerate(streams):
        stream.disposition = av.stream.Disposition.default if index == default else av.stream.Disposition(0)
    for stream, (_, samples) in zip(streams, tracks, strict=True):
        frames = _pictures() if samples is None else [_frame(stream, samples, rate)]
        for frame in [*frames, None]:
            container.mux(stream.encode(frame))


def _stream(container: OutputContainer, codec: str, samples: Samples | None, rate: int) -> Any:
    if samples is None:
        side = PICTURE_SIDE
        return container.add_stream(codec, rate=FRAMES_PER_SECOND, width=side, height=side, pix_fmt="yuv420p")
    layout = {1: "mono", 2: "stereo"}[len(samples)]
    return container.add_stream(codec, rate=rate, layout=layout, bit_rate=192_000)


def _frame(stream: AudioStream, samples: Samples, rate: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", stream.layout.name)
    frame.sample_rate = rate
    frame.pts, frame.time_base = 0, Fraction(1, rate)
    return frame


def _pictures() -> list[av.VideoFrame]:
    pictures = []
    for index in range(2 * FRAMES_PER_SECOND):
        grey = np.full((PICTURE_SIDE, PICTURE_SIDE, 3), 10 * index, np.uint8)
        picture = av.VideoFrame.from_ndarray(grey)
        picture.pts, picture.time_base = index, Fraction(1, FRAMES_PER_SECOND)
        pictures.append(picture)
    return pictures


def wav(
    body: bytes = b"",
    *,
    tag: int = 1,
    channels: int = 2,
    rate: int = 44_100,
    bits: int = 16,
    size: int | None = None,
) -> bytes:
    """A WAV by hand; `size` is what its header claims of the body."""
    frame = channels * bits // 8
    claimed = len(body) if size is None else size
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate, (rate * frame) % 2**32, frame % 2**16, bits)
    riff = min(0xFFFFFFFF, claimed + 36)
    return struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + header + struct.pack("<4sI", b"data", claimed) + body


def aifc(body: bytes, compression: bytes, *, channels: int, frames: int, bits: int, rate: int = 44_100) -> bytes:
    """An AIFF-C by hand."""
    exponent = rate.bit_length() - 1
    extended = struct.pack(">HQ", 0x3FFF + exponent, rate << (63 - exponent))
    comm = struct.pack(">HIH", channels, frames, bits) + extended + compression + b"\0\0"
    chunks = struct.pack(">4sII", b"FVER", 4, 0xA2805140) + _chunk(b"COMM", comm)
    chunks += _chunk(b"SSND", bytes(8) + body)
    return struct.pack(">4sI4s", b"FORM", 4 + len(chunks), b"AIFC") + chunks


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">4sI", name, len(body)) + body + bytes(len(body) % 2)


def id3(tags: Mapping[str, bytes], picture_bytes: int = 0) -> bytes:
    """An ID3v2.3 tag with frames of these contents and a picture of so many bytes."""
    frames = dict(tags)
    if picture_bytes:
        frames["APIC"] = b"\0image/png\0\x03\0" + b"\x89PNG\r\n\x1a\n" + bytes(picture_bytes)
    body = b"".join(struct.pack(">4sIH", name.encode(), len(text), 0) + text for name, text in frames.items())
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + body


def itunes_note(m4a: bytes, delay: int, padding: int, length: int) -> bytes:
    """An M4A as iTunes writes it: no edit list, and the delay in a tag. The file must have its tables at the end."""
    text = f" 00000000 {delay:08X} {padding:08X} {length:016X}".encode()
    note = _box(b"mean", bytes(4) + b"com.apple.iTunes") + _box(b"name", bytes(4) + b"iTunSMPB")
    note += _box(b"data", struct.pack(">II", 1, 0) + text)
    handler = _box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    tags = _box(b"udta", _box(b"meta", bytes(4) + handler + _box(b"ilst", _box(b"----", note))))
    start = m4a.index(b"moov") - 4
    moov = m4a[start + 8 :].replace(b"edts", b"free").replace(b"udta", b"free")
    return m4a[:start] + _box(b"moov", moov + tags)


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def edit_list(m4a: bytes, start: int, length: int) -> bytes:
    """An M4A with one edit, in ticks of its one clock, instead of the note of iTunes. Its tables must be at the end."""
    at = m4a.index(b"moov") - 4
    moov = m4a[at + 8 :].replace(b"iTunSMPB", b"iTunNote")
    track = moov.index(b"trak") - 4
    end = track + int.from_bytes(moov[track : track + 4])
    edits = _box(b"edts", _box(b"elst", struct.pack(">IIIiI", 0, 1, length, start, 0x10000)))
    return m4a[:at] + _box(b"moov", moov[:track] + _box(b"trak", moov[track + 8 : end] + edits) + moov[end:])


def vbri(mp3: bytes, delay: int) -> bytes:
    """An MP3 without a header of its own that begins with Fraunhofer's."""
    frame = bytearray(mp3[: _frame_bytes(mp3)])
    frames, at = 0, 0
    while at < len(mp3):
        frames, at = frames + 1, at + _frame_bytes(mp3[at:])
    frame[4:] = bytes(len(frame) - 4)
    frame[36:54] = struct.pack(">4sHHHII", b"VBRI", 1, delay, 75, len(mp3), frames)
    return bytes(frame) + mp3


def _frame_bytes(mp3: bytes) -> int:
    """Length of a frame of MPEG-1 at 44.1 or 48 kHz."""
    kbit = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)[mp3[2] >> 4]
    return 144_000 * kbit // (44_100, 48_000)[(mp3[2] >> 2) & 3] + ((mp3[2] >> 1) & 1)


def free_format(mp3: bytes) -> bytes:
    """An MP3 of one bit rate and 48 kHz, whose frames no longer tell the rate."""
    size = _frame_bytes(mp3)
    frames = (mp3[at : at + size] for at in range(0, len(mp3), size))
    return b"".join(frame[:2] + bytes([frame[2] & 0x0F]) + frame[3:] for frame in frames)


def id3_note(delay: int, padding: int, length: int) -> bytes:
    """An ID3 tag with the gapless note of iTunes."""
    text = f" 00000000 {delay:08X} {padding:08X} {length:016X}"
    return id3({"COMM": b"\0eng" + b"iTunSMPB\0" + text.encode()})


def wav_chunks(riff: bytes, count: int) -> bytes:
    """A WAV with so many small chunks before the others."""
    chunks = struct.pack("<4sI4s", b"note", 4, b"text") * count
    return riff[:4] + struct.pack("<I", len(riff) + len(chunks) - 8) + riff[8:12] + chunks + riff[12:]
