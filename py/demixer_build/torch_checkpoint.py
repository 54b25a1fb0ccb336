"""Reads checkpoints of `torch.save` without torch and without running their code.

Such a file is a zip archive around a pickle, and a pickle is a program: `pickle.load` runs any function that it names.
This reader knows only the names that a dict of numpy arrays needs, replaces each by a harmless class of its own, and
refuses all others.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]


class CheckpointError(Exception):
    """The file is not a checkpoint, or contains more than a dict of float32 arrays."""


def read_checkpoint(path: Path) -> dict[str, Weights]:
    """Read a checkpoint that is a pickled dict of float32 numpy arrays.

    Parameters
    ----------
    path : Path
        Zip archive with one member `<name>/data.pkl`.

    Returns
    -------
    dict of str to np.ndarray, float32
        Parameter name -> weights, in file order.

    Raises
    ------
    CheckpointError
        When the file is damaged, or its pickle names anything that a dict of arrays does not need.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (member,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
            content = _Unpickler(io.BytesIO(archive.read(member))).load()
    except CheckpointError:
        raise
    except Exception as error:  # a broken pickle fails in almost any way
        raise CheckpointError(f"{path.name} is not a checkpoint: {error}") from error

    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(array, _Array) for name, array in content.items()
    ):
        raise CheckpointError(f"{path.name} is not a dict of arrays.")
    return {name: array.weights() for name, array in content.items()}


class _DType:
    """Replaces `numpy.dtype`; accepts little-endian float32 only."""

    def __init__(self, name: object, *_: object) -> None:
        if name != "f4":
            raise CheckpointError(f"Arrays of type {name!r} are not expected.")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] != "<":
            raise CheckpointError(f"Byte order {state[1]!r} is not expected.")


class _Array:
    """Replaces `numpy.ndarray`, and validates the pickled state that numpy would trust."""

    def __init__(self, *_: object) -> None:
        self._state: tuple[Any, ...] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._state = state

    def weights(self) -> Weights:
        if self._state is None:
            raise CheckpointError("An array is empty.")
        _, shape, dtype, fortran, data = self._state
        if not isinstance(dtype, _DType) or fortran is not False or not isinstance(data, bytes):
            raise CheckpointError("An array is not a plain block of numbers.")
        if len(data) != 4 * math.prod(shape):
            raise CheckpointError(f"An array of shape {shape} has {len(data)} bytes.")
        return np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)


def _latin1(text: str, encoding: str) -> bytes:
    """Replaces `_codecs.encode`: protocol 2 writes bytes as a latin-1 string."""
    if encoding != "latin1":
        raise CheckpointError(f"Encoding {encoding!r} is not expected.")
    return text.encode("latin1")


class _Unpickler(pickle.Unpickler):
    """Resolves allowed names to the replacements of this module."""

    ALLOWED: Final[dict[tuple[str, str], Callable[..., object]]] = {
        ("_codecs", "encode"): _latin1,
        ("numpy", "dtype"): _DType,
        ("numpy", "ndarray"): _Array,
        ("numpy.core.multiarray", "_reconstruct"): _Array,
    }

    def find_class(self, module_name: str, global_name: str, /) -> Callable[..., object]:
        try:
            return self.ALLOWED[module_name, global_name]
        except KeyError:
            raise CheckpointError(f"The checkpoint asks for {module_name}.{global_name}: refused.") from None
