"""Checkpoints saved by torch itself (extra `reference`) read equal; nothing of them is read by torch."""

from __future__ import annotations

from argparse import Namespace
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demixer.errors import DemixError
from demixer.graphs.checkpoints import open_checkpoint

torch = pytest.importorskip("torch", reason="torch is in the extra `reference`")

CONTAINERS = pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "stream"])
PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3, 4, 5])


def state() -> OrderedDict[str, Any]:
    """Tensors of every type, and views of every kind."""
    torch.manual_seed(0)
    whole = torch.randn(6, 8)
    attributed = torch.nn.Parameter(torch.randn(3))
    attributed.note = "an attribute"
    tensors = OrderedDict(
        whole=whole,
        part=whole[1:4, ::2],
        transposed=whole.t(),
        repeated=torch.randn(1, 4).expand(3, 4),
        empty=torch.zeros(0, 3),
        scalar=torch.tensor(3.5),
        parameter=torch.nn.Parameter(torch.randn(3)),
        attributed=attributed,
        half=torch.randn(5, 7).half(),
        bfloat16=torch.randn(5, 7).bfloat16(),
        bfloat16_part=torch.randn(5, 7).bfloat16().t()[1:],
        double=torch.randn(3).double(),
        bool=torch.tensor([True, False]),
        complex=torch.randn(2, dtype=torch.complex64),
    )
    for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
        tensors[str(dtype)] = torch.arange(5).to(dtype)
    tensors["numpy"] = np.arange(6, dtype=np.int16).reshape(2, 3)
    tensors["numpy_columns"] = np.asfortranarray(tensors["numpy"])
    return tensors


def expected(tensor: Any) -> Any:
    if isinstance(tensor, np.ndarray):
        return tensor
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def assert_equal(path: Path, tensors: OrderedDict[str, Any]) -> dict[str, object]:
    with open_checkpoint(path) as checkpoint:
        assert list(checkpoint.tensors) == list(tensors)
        for name, tensor in tensors.items():
            found, want = checkpoint.read(name), expected(tensor)
            assert found.dtype == want.dtype, name
            np.testing.assert_array_equal(found, want, name)
        return dict(checkpoint.metadata)


@CONTAINERS
@PROTOCOLS
def test_states(tmp_path: Path, as_zip: bool, protocol: int) -> None:
    tensors = state()
    path = tmp_path / "network.th"
    torch.save(tensors, path, pickle_protocol=protocol, _use_new_zipfile_serialization=as_zip)
    assert_equal(path, tensors)


@CONTAINERS
@PROTOCOLS
def test_packages(tmp_path: Path, as_zip: bool, protocol: int) -> None:
    tensors = state()
    network = torch.nn.Linear(3, 2)
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.ones(3)).sum().backward()
    optimiser.step()
    content = {
        "epoch": 3,
        "state_dict": tensors,
        "optimizer_states": [optimiser.state_dict()],
        "hyper_parameters": {"rate": np.float32(2.5), "args": Namespace(x=1), "segment": Fraction(39, 5)},
        "klass": torch.nn.Linear,
        "device": torch.device("cpu"),
        "size": torch.Size([1, 2]),
        "names": {"a", "b"},
    }
    path = tmp_path / "network.ckpt"
    torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=as_zip)
    metadata = assert_equal(path, tensors)
    assert metadata["epoch"] == 3
    assert metadata["hyper_parameters"] == {"rate": 2.5, "args": {"x": 1}, "segment": Fraction(39, 5)}
    assert metadata["klass"] == "torch.nn.modules.linear.Linear"
    assert (metadata["device"], metadata["size"], metadata["names"]) == ("cpu", (1, 2), {"a", "b"})


@CONTAINERS
def test_whole_modules(tmp_path: Path, as_zip: bool) -> None:
    network = torch.nn.Sequential(torch.nn.Conv1d(2, 3, 5), torch.nn.BatchNorm1d(3))
    path = tmp_path / "network.pt"
    torch.save(network, path, _use_new_zipfile_serialization=as_zip)
    assert_equal(path, network.state_dict())


def test_without_checksums(tmp_path: Path) -> None:
    tensors = state()
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(tensors, tmp_path / "network.th")
    finally:
        torch.serialization.set_crc32_options(before)
    assert_equal(tmp_path / "network.th", tensors)


@pytest.mark.parametrize("kind", ["sparse", "float8", "conjugate", "meta"])
def test_other_kinds_of_tensors_are_refused(tmp_path: Path, kind: str) -> None:
    odd = {
        "sparse": lambda: torch.eye(2).to_sparse(),
        "float8": lambda: torch.ones(2).to(torch.float8_e4m3fn),
        "conjugate": lambda: torch.ones(2, dtype=torch.complex64).conj(),
        "meta": lambda: torch.ones(2, device="meta"),
    }[kind]()
    path = tmp_path / "network.th"
    torch.save({"good": torch.ones(2), "odd": odd}, path)
    with pytest.raises(DemixError, match="odd") as caught:
        open_checkpoint(path)
    assert caught.value.code == "model/incompatible"
