"""Takes the kit to a machine without network, in pieces: `python -m tests.gpu.pack FOLDER` here, `unpack.py` there.

A piece holds bytes of one archive: the built site, the sources, the published graph, and the browser where `--browser`
names a folder that holds `chromium-headless-shell` and, in `lib/`, the libraries that it needs.
"""

from __future__ import annotations

import argparse
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from demixer_build.paths import DIST, ROOT, WEB

PIECE: Final = 56 << 20
"""Bytes that travel together."""
_SOURCES: Final = ("py", "models", "tests", "web")
_LEFT_OUT: Final = {"node_modules", "vendor", "__pycache__", "screenshots", "golden"}
_RUNTIME: Final = WEB / "node_modules" / "onnxruntime-web" / "dist"


def contents(browser: Path | None, song: Path | None) -> Iterator[tuple[str, Path]]:
    """Names in the archive, and the files there."""
    for name in _SOURCES:
        for path in sorted((ROOT / name).rglob("*")):
            if path.is_file() and _LEFT_OUT.isdisjoint(path.relative_to(ROOT).parts):
                yield path.relative_to(ROOT).as_posix(), path
    for path in sorted(DIST.rglob("*")):
        # The engine asks for HT-Demucs in the two precisions of GPUs; the processor's is for the fallback.
        if path.is_file() and path.suffix not in {".br", ".gz"} and "spleeter" not in path.as_posix():
            yield path.relative_to(ROOT).as_posix(), path
    for path in sorted(_RUNTIME.glob("*jspi*")):
        if path.suffix in {".mjs", ".wasm"} and "bundle" not in path.name:
            yield path.relative_to(ROOT).as_posix(), path
    if song:
        yield ".gpu/song.s16", song
    if browser:
        for path in sorted(browser.rglob("*")):
            if path.is_file():
                yield f".gpu/browser/{path.relative_to(browser).as_posix()}", path


def pack(files: Iterator[tuple[str, Path]], target: Path, piece: int = PIECE) -> list[Path]:
    """Write the pieces, each a folder with a part of the archive and the program that unpacks it."""
    target.mkdir(parents=True, exist_ok=True)
    whole = target / "kit.tar.xz"
    with tarfile.open(whole, "w:xz", preset=3) as archive:
        for name, path in files:
            archive.add(path.resolve(), name)
    folders: list[Path] = []
    with whole.open("rb") as source:
        while data := source.read(piece):
            folder = target / str(len(folders) + 1)
            folder.mkdir(exist_ok=True)
            (folder / f"kit.{len(folders) + 1:02}").write_bytes(data)
            shutil.copyfile(Path(__file__).with_name("unpack.py"), folder / "unpack.py")
            folders.append(folder)
    whole.unlink()
    return folders


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.pack", description="Pack the kit.")
    parser.add_argument("target", type=Path)
    parser.add_argument("--browser", type=Path, help="folder with chromium-headless-shell and lib/")
    parser.add_argument("--song", type=Path, help="16-bit stereo samples at 44.1 kHz, without a header")
    given = parser.parse_args()
    for folder in pack(contents(given.browser, given.song), given.target):
        print(folder)
