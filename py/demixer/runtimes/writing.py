"""Writes files for the command line: a song's stems, and samples while it is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

import soundfile

from demixer.audio import Samples, Source
from demixer.errors import DemixError
from demixer.names import legal_name, unique_names


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Create a folder and its parents; those still empty at the end are removed."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(error) from error
    try:
        yield
    finally:
        for place in missing:
            with suppress(OSError):  # it is not empty
                place.rmdir()


@contextmanager
def temporary_file(folder: Path | None) -> Iterator[IO[bytes]]:
    """An unnamed file, in a folder or where temporary files lie."""
    try:
        file = TemporaryFile(dir=folder)  # noqa: SIM115  (closed below)
    except OSError as error:
        raise unwritable(error) from error
    with file:
        yield file


def append(pcm: IO[bytes], frames: Samples) -> None:
    """Append samples to a file of PCM."""
    try:
        pcm.write(frames.tobytes())
    except OSError as error:
        raise unwritable(error) from error


class Stems:
    """A `Sink` that writes one WAV a stem, and renames all to their final names once they are complete.

    Parameters
    ----------
    folder : Path
    names : tuple of str
    song : Source
        Source of the files' rate and channels.
    """

    def __init__(self, folder: Path, names: tuple[str, ...], song: Source) -> None:
        files = unique_names((legal_name(name, ".wav") or "stem.wav" for name in names), ".wav")
        self.paths = {name: folder / file for name, file in zip(names, files, strict=True)}
        self._song = song
        self._parts = [path.with_name(f"{path.name}.part") for path in self.paths.values()]

    def __enter__(self) -> Self:
        try:
            with ExitStack() as opened:
                self._files = [opened.enter_context(self._create(part)) for part in self._parts]
                self._opened = opened.pop_all()
        except OSError as error:
            raise unwritable(error) from error
        return self

    def _create(self, part: Path) -> soundfile.SoundFile:
        return soundfile.SoundFile(part, "w", self._song.rate, self._song.channels, "FLOAT", format="WAV")

    async def write(self, start: int, stems: Samples) -> None:  # noqa: ARG002  (files append)
        """Append to every file."""
        for file, samples in zip(self._files, stems, strict=True):
            try:
                file.write(samples.T)
            except (OSError, soundfile.LibsndfileError) as error:
                raise unwritable(error) from error

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._opened.close()
        for part, path in zip(self._parts, self.paths.values(), strict=True):
            if failure is None:
                part.replace(path)
            else:
                part.unlink()


def unwritable(error: Exception) -> DemixError:
    """The error for an output folder that cannot be written to."""
    return DemixError(
        "storage/unavailable", f"The stems cannot be written: {error}", "Choose another folder with -o, or free space."
    )
