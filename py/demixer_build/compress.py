"""Precompressed forms of the site's files, cached by content."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
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

_AT_ONCE: Final = min(os.cpu_count() or 1, 4)
"""Files that are compressed side by side, which takes a multiple of their size in memory."""

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
    # By target, since files may be equal.
    missing = {target: (path, target, encode) for _, path, target, encode in forms if not target.exists()}
    if missing:
        sizes = {target: path.stat().st_size for path, target, _ in missing.values()}
        with step("Compressing the site") as shown, ThreadPoolExecutor(_AT_ONCE) as pool:
            # The largest first, so that no core is left alone with it.
            order = sorted(sizes, key=sizes.__getitem__, reverse=True)
            targets = {pool.submit(_make, *missing[target]): target for target in order}
            done = 0
            for made in as_completed(targets):
                made.result()
                done += sizes[targets[made]]
                shown.progress(done, sum(sizes.values()))
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
