"""Reading checkpoints: arrays come back as they were, everything else that a pickle can say is refused."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from demixer_build.torch_checkpoint import CheckpointError, read_checkpoint

Array = npt.NDArray[Any]


class Published:
    """Pickles an array in the words of numpy 1 and pickle protocol 2, in which checkpoints were published."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def __reduce__(self) -> tuple[Any, ...]:
        _, arguments, state = cast(tuple[Any, ...], self.array.__reduce__())
        return Rebuild, arguments, state


class Rebuild:
    """Comes out as the global `numpy.core.multiarray _reconstruct`, as numpy 1 had it."""


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[[object], Path]:
    """Write an object as `torch.save` would, with the module names of numpy 1."""

    def write(content: object) -> Path:
        pickled = pickle.dumps(content, protocol=2)
        pickled = pickled.replace(
            f"c{Rebuild.__module__}\n{Rebuild.__qualname__}\n".encode(), b"cnumpy.core.multiarray\n_reconstruct\n"
        )
        path = tmp_path / "network.ckpt"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("network/data.pkl", pickled)
            archive.writestr("network/version", "3\n")
        return path

    return write


def test_arrays_come_back(checkpoint: Callable[[object], Path]) -> None:
    rng = np.random.default_rng(5)
    arrays = {
        "kernel": rng.standard_normal((3, 2, 5, 5), dtype=np.float32),
        "bias": rng.standard_normal(3, dtype=np.float32),
        "scale": np.array(0.5, np.float32),
    }
    found = read_checkpoint(checkpoint({name: Published(array) for name, array in arrays.items()}))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.float32


def test_nothing_is_run(checkpoint: Callable[[object], Path], tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"

    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(evidence),)

    with pytest.raises(CheckpointError, match=r"asks for posix\.mkdir: refused|asks for nt\.mkdir: refused"):
        read_checkpoint(checkpoint({"kernel": Attack()}))
    assert not evidence.exists()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ([1, 2], "not a dict of arrays"),
        ({"kernel": 1.0}, "not a dict of arrays"),
        ({1: Published(np.zeros(2, np.float32))}, "not a dict of arrays"),
        ({"kernel": Published(np.zeros(2))}, "type 'f8'"),
        ({"kernel": Published(np.zeros(2, ">f4"))}, "Byte order '>'"),
        ({"kernel": Published(np.array([print]))}, "type 'O8'"),
        ({"kernel": Published(np.ones((2, 3), np.float32, order="F"))}, "plain block"),
        ({"kernel": np.float32(1)}, "refused"),
    ],
)
def test_other_content_is_refused(checkpoint: Callable[[object], Path], content: object, complaint: str) -> None:
    with pytest.raises(CheckpointError, match=complaint):
        read_checkpoint(checkpoint(content))


def test_an_array_of_another_size_than_its_shape_is_refused(checkpoint: Callable[[object], Path]) -> None:
    class Short(Published):
        def __reduce__(self) -> tuple[Any, ...]:
            rebuild, arguments, (version, _, *rest) = super().__reduce__()
            return rebuild, arguments, (version, (7,), *rest)

    with pytest.raises(CheckpointError, match="has 8 bytes"):
        read_checkpoint(checkpoint({"kernel": Short(np.zeros(2, np.float32))}))


@pytest.mark.parametrize("damage", [b"", b"PK", b"\x80\x02}q\x00."])
def test_what_is_no_archive_is_refused(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "network.ckpt"
    path.write_bytes(damage)
    with pytest.raises(CheckpointError, match=r"network\.ckpt is not a checkpoint"):
        read_checkpoint(path)


def test_a_pickle_that_was_cut_off_is_refused(checkpoint: Callable[[object], Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(checkpoint({"kernel": Published(np.zeros(64, np.float32))})) as whole:
        pickled = whole.read("network/data.pkl")
    path = tmp_path / "cut.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("network/data.pkl", pickled[:-40])
    with pytest.raises(CheckpointError, match=r"cut\.ckpt is not a checkpoint"):
        read_checkpoint(path)
