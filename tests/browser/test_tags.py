"""Tags of songs as the page reads them, and as it writes them into a WAV file."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page

from tests.encoders import by_libsndfile, id3, wav

SILENCE: Final = np.zeros((1, 4_410), np.float32)


@pytest.fixture
def modules(page: Page) -> Page:
    """An origin from which the page's modules can be imported."""
    page.goto("/")
    return page


def chunk(name: str, body: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}4sI", name.encode(), len(body)) + body + bytes(len(body) % 2)


def riff(*chunks: bytes) -> bytes:
    """A WAV file with chunks behind its samples."""
    file = wav(bytes(400)) + b"".join(chunks)
    return file[:4] + struct.pack("<I", len(file) - 8) + file[8:]


def info(**texts: bytes) -> bytes:
    return chunk("LIST", b"INFO" + b"".join(chunk(name, text + b"\0") for name, text in texts.items()))


def aiff(*chunks: bytes) -> bytes:
    file = by_libsndfile(SILENCE, 44_100, "AIFF") + b"".join(chunks)
    return file[:4] + struct.pack(">I", len(file) - 8) + file[8:]


def id3v24(*frames: tuple[str, bytes]) -> bytes:
    """A tag whose texts are in UTF-8."""

    def synchsafe(value: int) -> bytes:
        return bytes((value >> shift) & 0x7F for shift in (21, 14, 7, 0))

    body = b"".join(name.encode() + synchsafe(len(text) + 1) + b"\0\0\x03" + text for name, text in frames)
    return b"ID3\x04\0\0" + synchsafe(len(body)) + body


def flac(*comments: str) -> bytes:
    """A FLAC file with these comments behind its first block."""
    texts = [comment.encode() for comment in comments]
    listed = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    body = struct.pack("<II", 0, len(texts)) + listed
    file = by_libsndfile(SILENCE, 44_100, "FLAC")
    return file[:42] + struct.pack(">I", 4 << 24 | len(body)) + body + file[42:]


MP3: Final = by_libsndfile(SILENCE, 44_100, "MP3")
LATIN: Final = "Café".encode("latin-1")

READ: Final[dict[str, tuple[bytes, dict[str, Any]]]] = {
    "INFO in UTF-8": (
        riff(info(INAM="夜明け".encode(), IART="Zoë".encode(), ITRK=b"3/12", ICRD=b"2003")),
        {"title": "夜明け", "artist": "Zoë", "trackNumber": 3, "tracksTotal": 12, "date": "2003"},
    ),
    "INFO in Latin-1": (riff(info(INAM=LATIN)), {"title": "Café"}),
    "ID3 beside INFO": (
        riff(info(INAM=b"????", IGNR=b"Dub"), chunk("id3 ", id3v24(("TIT2", "夜明け".encode())))),
        {"title": "夜明け", "genre": "Dub"},
    ),
    "AIFF with ID3": (
        aiff(chunk("NAME", b"Tide", ">"), chunk("ID3 ", id3({"TPE1": b"\0Tester", "TRCK": b"\0002/9"}), ">")),
        {"title": "Tide", "artist": "Tester", "trackNumber": 2, "tracksTotal": 9},
    ),
    "AIFF's own": (
        aiff(chunk("NAME", b"Tide", ">"), chunk("AUTH", LATIN, ">"), chunk("ANNO", b"live", ">")),
        {"title": "Tide", "artist": "Café", "comment": "live"},
    ),
    "several artists in FLAC": (
        flac(
            "TITLE=夜明け",
            "ARTIST=試験",
            "ARTIST=Zoë",
            "DATE=2003",
            "TRACKNUMBER=3",
            "TOTALTRACKS=12",
            "DISCNUMBER=1/2",
        ),
        {"title": "夜明け", "artist": "試験, Zoë", "artists": ["試験", "Zoë"], "date": "2003"}
        | {"trackNumber": 3, "tracksTotal": 12, "discNumber": 1, "discsTotal": 2},
    ),
    "several artists in MP3": (
        id3v24(("TPE1", b"One\0Two"), ("TDRC", b"2003-05"), ("TPOS", b"2/2")) + MP3,
        {"artist": "One, Two", "artists": ["One", "Two"], "date": "2003-05", "discNumber": 2, "discsTotal": 2},
    ),
    "ID3v2.3 in UTF-16": (
        id3(
            {
                "TIT2": b"\x01" + "夜明け".encode("utf-16"),
                "TYER": b"\0002003",
                "TDAT": b"\0001705",
                "COMM": b"\0engiTunNORM\0 0000",
            }
        )
        + MP3,
        {"title": "夜明け", "date": "2003-05-17"},
    ),
    "a moment in another time zone": (flac("DATE=2003-05-17T23:30:00-05:00"), {"date": "2003-05-17"}),
    "the first of January": (flac("DATE=2003-01-01"), {"date": "2003-01-01"}),
    "a month of zeros": (flac("DATE=2003-00-00"), {"date": "2003"}),
    "a name after an artist": (
        id3({"TPE1": b"\0AC/DC", "TCON": b"\0(17)"}) + MP3,
        {"artist": "AC/DC", "genre": "Rock"},
    ),
}


def test_tags_are_read(modules: Page) -> None:
    script = """async (files) => {
      const { readTags } = await import("/src/decode/worker/tags.js");
      return Promise.all(files.map(async (text) => readTags(new Blob([Uint8Array.fromBase64(text)]))));
    }"""
    files = [base64.b64encode(file).decode() for file, _ in READ.values()]
    found = modules.evaluate(script, files)
    seen = {
        name: {key: value for key, value in tags.items() if value is not None}
        for name, tags in zip(READ, found, strict=True)
    }
    assert seen == {name: tags for name, (_, tags) in READ.items()}


def written(page: Page, tags: dict[str, Any], frames: Sequence[float] = (0.5, -0.5, 0.25)) -> tuple[bytes, Any]:
    """A stem of one channel as a WAV file, and its tags as the page reads them."""
    script = """async ([tags, frames]) => {
      const { Track } = await import("/src/library/track.js");
      const { wavBlob } = await import("/src/export/page/wav.js");
      const { readTags } = await import("/src/decode/worker/tags.js");
      const track = new Track("bass", 1, frames.length, 64);
      const piece = { start: 0, length: frames.length, blob: new Blob([Float32Array.from(frames)]) };
      track.append([piece], new Float32Array());
      const blob = wavBlob(track, 44_100, tags, `${tags.title} (Bass)`);
      return [new Uint8Array(await blob.arrayBuffer()).toBase64(), await readTags(blob)];
    }"""
    text, read = page.evaluate(script, [tags, list(frames)])
    return base64.b64decode(text), read


def test_a_wav_file_carries_every_script(modules: Page, tmp_path: Path) -> None:
    tags = {
        "title": "夜明け",
        "artist": "試験, Zoë",
        "artists": ["試験", "Zoë"],
        "album": "Café",
        "albumArtist": "שלום",
        "genre": "Dub",
        "comment": "👍🏽 line\nbreak",
        "date": "2003",
        "trackNumber": 3,
        "tracksTotal": 12,
        "discNumber": 1,
        "discsTotal": 2,
    }
    file, read = written(modules, tags)
    assert read == {**tags, "title": "夜明け (Bass)"}
    path = tmp_path / "bass.wav"
    path.write_bytes(file)
    assert struct.unpack("<I", file[4:8]) == (len(file) - 8,)
    with av.open(str(path)) as container:
        seen = {key.lower(): value for key, value in container.metadata.items()}
    assert seen["title"] == "夜明け (Bass)"
    assert seen["album_artist"] == "שלום"
    assert (seen["track"], seen["disc"], seen["date"]) == ("3/12", "1/2", "2003")
    assert np.array_equal(soundfile.read(path)[0], [0.5, -0.5, 0.25])
    with soundfile.SoundFile(path) as old:
        assert old.copy_metadata()["date"] == "2003"
    # A date of an earlier version of the page has a time.
    assert written(modules, {"title": "x", "date": "2021-03-04T00:00:00.000Z"})[1]["date"] == "2021-03-04"
