"""Reads single files from the archives that registries serve: zip (PyPI wheels) and tar (npm)."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from demixer_build.errors import BuildError

_NPM_TOP: Final = "package/"  # npm puts everything below this folder
_DAMAGED: Final = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


@contextmanager
def opened(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """Open one file inside an archive. Nothing is extracted, so paths and links in it can do no harm.

    Raises
    ------
    BuildError
        When the archive is damaged or has no such file.
    """
    if PurePosixPath(member).is_absolute() or ".." in PurePosixPath(member).parts:
        raise BuildError(f"{member} leads out of {archive.name}. Correct this path in the repository.")
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as file:
                yield file
        else:
            with tarfile.open(archive) as tarball, _regular(tarball, _NPM_TOP + member) as file:
                yield file
    except KeyError as error:
        raise BuildError(f"{archive.name} has no file {member}. Correct this path in the repository.") from error
    except _DAMAGED as error:
        raise BuildError(f"{archive.name} arrived damaged. Run this again.") from error


def _regular(tarball: tarfile.TarFile, member: str) -> IO[bytes]:
    info = tarball.getmember(member)
    file = tarball.extractfile(info) if info.isfile() else None
    if file is None:
        raise KeyError(member)
    return file
