"""Common interface to files of trained weights: names, types and shapes at once, values on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from demixer.errors import ModelError
from demixer.graphs.contents import Contents
from demixer.graphs.dtypes import Array, Shape, byte_length
from demixer.graphs.onnx_reader import FindExternal, read_onnx
from demixer.graphs.reading import FileReader, Readable, Section, unsupported
from demixer.graphs.safetensors import read_safetensors
from demixer.graphs.torch_files import LEGACY_START, read_archive, read_stream


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Type and shape of a stored tensor.

    Parameters
    ----------
    dtype : str
        A name of numpy, or `bfloat16`.
    shape : tuple of int
    """

    dtype: str
    shape: Shape

    @property
    def nbytes(self) -> int:
        """Bytes of its elements as they are stored."""
        return byte_length(self.dtype, self.shape)


class Checkpoint:
    """An open file of weights; a context manager that closes what `open_checkpoint` opened.

    Attributes
    ----------
    format : str
        `torch`, `safetensors` or `onnx`.
    tensors : mapping of str to TensorInfo
        In the order of the file.
    metadata : mapping
        Everything else in the file as plain values. A class is its dotted name; an object of a class is a dict of its
        `class`, `arguments` and `state`, or just its entries where it is a kind of dict or list.
    """

    def __init__(self, contents: Contents, opened: list[FileReader]) -> None:
        self.format: str = contents.format
        self.tensors: Mapping[str, TensorInfo] = {
            name: TensorInfo(entry.dtype, entry.shape) for name, entry in contents.entries.items()
        }
        self.metadata: Mapping[str, object] = contents.metadata
        self._entries = contents.entries
        self._opened = opened

    def read(self, name: str) -> Array:
        """Read one tensor; nothing of it is kept.

        Returns
        -------
        np.ndarray
            C-contiguous, perhaps read-only, of the stored type; float32 for bfloat16.

        Raises
        ------
        ModelError
            `model/incompatible` when there is no such tensor, `model/integrity` when its data are missing.
        """
        if name not in self._entries:
            raise unsupported(f"it has no tensor {name}")
        return self._entries[name].read()

    def close(self) -> None:
        for file in self._opened:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_checkpoint(source: Path | Readable, find_external: FindExternal | None = None) -> Checkpoint:
    """Open a checkpoint of any known format, recognised by its first bytes.

    Reads what describes the tensors, and none of their data.

    Parameters
    ----------
    source : Path or Readable
        A file, or anything that gives its `size` and reads by position; the caller closes the latter.
    find_external : callable, optional
        The file, by name, in which an ONNX graph has its weights. A graph opened by its path finds those beside it.

    Raises
    ------
    ModelError
        `model/unknown` when there is no such file, `model/integrity` when it is damaged, `model/incompatible` when it
        is no checkpoint, or one beyond the limits.
    """
    opened: list[FileReader] = []

    def open_path(path: Path) -> FileReader:
        file = FileReader(path)
        opened.append(file)
        return file

    def find_beside(name: str) -> Readable:
        assert isinstance(source, Path)
        path = PurePosixPath(name)
        if len(path.parts) != 1 or path.name in ("", "..") or "\\" in name or ":" in name or "\0" in name:
            raise unsupported("its weights are in another folder")
        if name not in found:
            found[name] = open_path(source.parent / name)
        return found[name]

    found: dict[str, Readable] = {}
    try:
        if isinstance(source, Path):
            return Checkpoint(_read(open_path(source), find_external or find_beside), opened)
        return Checkpoint(_read(source, find_external), opened)
    except BaseException:
        for file in opened:
            file.close()
        raise


def _read(source: Readable, find_external: FindExternal | None) -> Contents:
    start = Section(source, 0, source.size).read_at(0, min(source.size, 512))
    if start[:4] == b"PK\x03\x04":
        return read_archive(source)
    if LEGACY_START.match(start):
        return read_stream(source)
    if start[5:9] == b"\0\0\0{":
        return read_safetensors(source)
    if start[257:262] == b"ustar" or start.startswith((b"storages\0", b"tensors\0", b"pickle\0", b"sys_info\0")):
        raise unsupported("it is a tar archive, as torch wrote them until 2017; save it again with a later torch")
    if start[:1] == b"\x08":
        return read_onnx(source, find_external)
    if not start:
        raise ModelError("model/integrity", "This checkpoint is empty.", "Download it again.")
    raise unsupported("it begins like none")
