"""Precompressed forms of the site's files, cached by content."""

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
"""Suffixes of files that compress (weights by a tenth); wheels, archives and pictures are compressed already."""

_LARGE: Final = 1 << 20
"""Bytes above which the highest quality of brotli takes minutes, for hardly any gain."""

ENCODINGS: Final[Mapping[str, str]] = {"br": ".br", "gzip": ".gz"}
"""Content coding -> suffix of its files, in order of preference."""


def compressed(contents: Mapping[str, Path], codings: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Yield path in the site and file of the compressed forms of these contents, in some of `ENCODINGS`."""
    _KEPT.mkdir(parents=True, exist_ok=True)
    forms = [
        (name + ENCODINGS[coding], path, _KEPT / (key + ENCODINGS[coding]), _CODERS[coding])
        for name, path in contents.items()
        if path.suffix in _COMPRESS
        for key in [digest(path)]
        for coding in codings
    ]
    missing = [(path, target, encode) for _, path, target, encode in forms if not target.exists()]
    if missing:
        with step("Compressing the site") as shown:
            total, done = sum(path.stat().st_size for path, _, _ in missing), 0
            for path, target, encode in missing:
                _make(path, target, encode)
                done += path.stat().st_size
                shown.progress(done, total)
    yield from ((name, target) for name, _, target, _ in forms)


def _make(source: Path, target: Path, encode: Callable[[bytes], bytes]) -> None:
    partial = target.with_suffix(".partial")
    partial.write_bytes(encode(source.read_bytes()))
    partial.replace(target)


def _brotli(content: bytes) -> bytes:
    packed: bytes = brotli.compress(content, quality=11 if len(content) < _LARGE else 9, lgwin=22)
    return packed


_CODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "br": _brotli,
    "gzip": lambda content: gzip.compress(content, mtime=0),
}
