"""Small files that were once read wrong, kept in `tests/data/odd`: a signal of our own, in encoders of all kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.encoders import edit_list

FOLDER: Final = Path(__file__).parent / "data" / "odd"

#: Samples of the core that the encoder of `HE-AAC with iTunSMPB.m4a` added, and those of the song.
_CORE: Final = (2_048, 44_320)


def read(name: str) -> bytes:
    """A file of the folder, or one that is made of it."""
    if name == "HE-AAC with an edit list.m4a":
        return edit_list(read("HE-AAC with iTunSMPB.m4a"), *_CORE)
    return (FOLDER / name).read_bytes()


#: Samples of a channel by the file's name, as page and command line both give them.
LENGTHS: Final = {
    "HE-AAC with iTunSMPB.m4a": 88_640,
    "HE-AAC with an edit list.m4a": 88_640,
    "VBR without Xing.mp3": 89_856,
    "HLS segments joined.aac": 90_112,
    "chained.ogg": 2 * 88_640,
    "cut by copy.opus": 96_479,
    "FLAC in Ogg.oga": 17_640,
    "8 kB zeros after ID3.mp3": 88_640,
    "5.1.ogg": 17_640,
    "piped.aiff": 17_640,
    "MP3 in WAV.wav": 88_640,
    "data before fmt.wav": 17_640,
}

#: Samples by which the song is later than in `MP3 in WAV.wav`, which tells its delay: others of the same signal.
LAGS: Final = {
    "HE-AAC with iTunSMPB.m4a": 0,
    "HE-AAC with an edit list.m4a": 0,
    "8 kB zeros after ID3.mp3": 0,
    "VBR without Xing.mp3": 1105,
}
