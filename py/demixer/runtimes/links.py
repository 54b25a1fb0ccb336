"""Splits files into the songs of which they consist: Ogg is chained, and MP3 joined, with junk in between.

`web/decode/worker/links.js` does the same for the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path

from demixer.runtimes.mpeg_frames import mp3_links
from demixer.runtimes.ogg_links import ogg_links
from demixer.runtimes.parts import Link


@contextmanager
def links(path: Path) -> Iterator[list[Link]]:
    """The songs in a file, one after the other, without anything between their pages or frames.

    Empty for other formats than Ogg and bare MP3.
    """
    with path.open("rb") as file:
        head = file.read(8)
        is_ogg = head.startswith(b"OggS")
        if not (is_ogg or head.startswith((b"ID3", bytes(8), b"\xff"))):
            yield []
            return
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            yield ogg_links(data) if is_ogg else mp3_links(data)
