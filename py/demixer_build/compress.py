"""Compressed forms of the site's files, to be served as they are; each is made once for a content."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

import brotli

from demixer_build.console import step
from demixer_build.paths import STATE
from demixer_build.stamps import digest

_KEPT: Final = STATE / "compressed"
_COMPRESS: Final = frozenset(
    {".css", ".f32", ".html", ".js", ".json", ".mjs", ".onnx", ".svg", ".wasm", ".webmanifest"}
)
"""What compresses, weights by a tenth; wheels, archives and pictures are compressed already."""

_LARGE: Final = 1 << 20
"""Bytes; the best brotli takes minutes above this, and the next best gives nearly the same."""

ENCODINGS: Final[Mapping[str, str]] = {"br": ".br", "gzip": ".gz"}
"""Content coding -> suffix of the file that holds it, the smaller one first."""


def compressed(contents: Mapping[str, Path], codings: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Path in the site -> file, for the forms of these contents in some of `ENCODINGS`."""
    _KEPT.mkdir(parents=True, exist_ok=True)
    wanted = {name: path for name, path in contents.items() if path.suffix in _COMPRESS}
    with step("Compressing the site") as shown:
        total, done = sum(path.stat().st_size for path in wanted.values()), 0
        for name, path in wanted.items():
            shown.progress(done, total)
            done += path.stat().st_size
            key = digest(path)
            for coding in codings:
                suffix = ENCODINGS[coding]
                yield name + suffix, _made(path, _KEPT / (key + suffix), _CODERS[coding])


def _made(source: Path, target: Path, encode: Callable[[bytes], bytes]) -> Path:
    if not target.exists():
        partial = target.with_suffix(".partial")
        partial.write_bytes(encode(source.read_bytes()))
        partial.replace(target)
    return target


def _brotli(content: bytes) -> bytes:
    packed: bytes = brotli.compress(content, quality=11 if len(content) < _LARGE else 9, lgwin=22)
    return packed


_CODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "br": _brotli,
    "gzip": lambda content: gzip.compress(content, mtime=0),
}
