"""Checkpoints read as they were written; whatever is wrong with a file is one error, and cheap."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from demixer.errors import DemixError
from demixer.graphs.checkpoints import Checkpoint, TensorInfo, open_checkpoint
from demixer.graphs.reading import Memory
from tests.checkpoints import (
    Call,
    Name,
    Storage,
    View,
    as_bfloat16,
    safetensors,
    tensor,
    torch_stream,
    torch_zip,
)

Array = npt.NDArray[Any]
Write = Callable[[object], bytes]

RNG: Final = np.random.default_rng(0)
MATRIX: Final = RNG.standard_normal((3, 4), dtype=np.float32)

TORCH: Final = pytest.mark.parametrize("write", [torch_zip, torch_stream])


def opened(data: bytes) -> Checkpoint:
    return open_checkpoint(Memory(data))


def refusal(data: bytes) -> DemixError:
    """The error of a file that must not be opened or must not be read."""
    with pytest.raises(DemixError) as caught:
        read_all(opened(data))
    return caught.value


def read_all(checkpoint: Checkpoint) -> dict[str, Array]:
    return {name: checkpoint.read(name) for name in checkpoint.tensors}


@TORCH
@pytest.mark.parametrize(
    "dtype",
    ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64"],
)
def test_torch_tensors_of_every_type(write: Write, dtype: str) -> None:
    expected = (MATRIX * 3).astype(dtype)
    checkpoint = opened(write(OrderedDict(weight=tensor(expected), scalar=tensor(expected[0, 0].reshape(())))))
    assert checkpoint.format == "torch"
    assert checkpoint.tensors == {"weight": TensorInfo(dtype, (3, 4)), "scalar": TensorInfo(dtype, ())}
    found = checkpoint.read("weight")
    assert found.dtype == dtype
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(checkpoint.read("scalar"), expected[0, 0])


@TORCH
def test_bfloat16_is_read_as_float32(write: Write) -> None:
    expected = np.array([1.0, -2.5, 3e38, np.inf], np.float32)
    checkpoint = opened(write({"weight": tensor(as_bfloat16(expected), "bfloat16")}))
    assert checkpoint.tensors["weight"] == TensorInfo("bfloat16", (4,))
    found = checkpoint.read("weight")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=2**-8)


@TORCH
def test_views_of_one_storage(write: Write) -> None:
    whole = np.arange(24, dtype=np.float32)
    storage = Storage(whole)
    views = {
        "whole": (View(storage, (2, 3, 4), (12, 4, 1)), whole.reshape(2, 3, 4)),
        "transposed": (View(storage, (4, 6), (1, 4)), whole.reshape(6, 4).T),
        "part": (View(storage, (2, 2), (4, 2), 5), whole.reshape(6, 4)[1:3, 1::2]),
        "last": (View(storage, (1,), (1 << 61,), 23), whole[23:]),
        "repeated": (View(storage, (3, 2), (0, 1), 4), np.array([[4, 5]] * 3, np.float32)),
        "empty": (View(storage, (0, 3), (3, 1), 24), np.zeros((0, 3), np.float32)),
    }
    checkpoint = opened(write({name: view for name, (view, _) in views.items()}))
    for name, (_, expected) in views.items():
        found = checkpoint.read(name)
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, expected, name)


def test_bytes_in_big_endian_order() -> None:
    content = {"weight": tensor(MATRIX), "half": tensor(MATRIX.astype(np.float16))}
    found = opened(torch_zip(content, byte_order="big"))
    np.testing.assert_array_equal(found.read("weight"), MATRIX)
    np.testing.assert_array_equal(found.read("half"), MATRIX.astype(np.float16))


@TORCH
def test_arrays_inside_the_pickle(write: Write) -> None:
    found = opened(write({"weight": MATRIX, "count": np.arange(3)}))
    np.testing.assert_array_equal(found.read("weight"), MATRIX)
    np.testing.assert_array_equal(found.read("count"), np.arange(3))


@TORCH
def test_lightning_checkpoints_part_into_state_and_plain_values(write: Write) -> None:
    config = Call(
        Name("omegaconf.dictconfig", "DictConfig"),
        state={"_parent": None, "_content": {"dim": Call(Name("omegaconf.nodes", "AnyNode"), state={"_val": 384})}},
    )
    content = {
        "epoch": 3,
        "state_dict": OrderedDict({"layer.weight": tensor(MATRIX)}),
        "optimizer_states": [{"state": {0: {"exp_avg": tensor(MATRIX)}}, "betas": (0.9, 0.99)}],
        "hyper_parameters": {"model": config, "names": Call(Name("builtins", "set"), (["a", "b"],))},
    }
    checkpoint = opened(write(content))
    assert list(checkpoint.tensors) == ["layer.weight"]
    assert checkpoint.metadata == {
        "epoch": 3,
        "optimizer_states": [{"state": {0: {"exp_avg": None}}, "betas": (0.9, 0.99)}],
        "hyper_parameters": {"model": {"dim": 384}, "names": {"a", "b"}},
    }


@TORCH
def test_packages_of_demucs(write: Write) -> None:
    content = {
        "klass": Name("demucs.htdemucs", "HTDemucs"),
        "args": (),
        "kwargs": {"sources": ["drums", "bass"], "segment": Call(Name("fractions", "Fraction"), ("39/5",))},
        "state": OrderedDict({"encoder.0.conv.weight": tensor(MATRIX.astype(np.float16))}),
    }
    checkpoint = opened(write(content))
    assert list(checkpoint.tensors) == ["encoder.0.conv.weight"]
    assert checkpoint.metadata["klass"] == "demucs.htdemucs.HTDemucs"
    assert checkpoint.metadata["kwargs"] == {"sources": ["drums", "bass"], "segment": Fraction(39, 5)}


@TORCH
def test_whole_modules_give_their_parameters_by_path(write: Write) -> None:
    inner = Call(Name("torch.nn", "Linear"), state={"_parameters": OrderedDict(weight=tensor(MATRIX)), "_modules": {}})
    outer = Call(Name("mine", "Net"), state={"_parameters": {}, "_modules": OrderedDict(layer=inner)})
    assert list(opened(write(outer)).tensors) == ["layer.weight"]


@TORCH
@pytest.mark.parametrize("form", ["_rebuild_sparse_tensor", "_rebuild_qtensor", "_rebuild_meta_tensor_no_storage"])
def test_tensors_of_other_kinds_are_named_and_not_passed_over(write: Write, form: str) -> None:
    error = refusal(write({"good": tensor(MATRIX), "odd": Call(Name("torch._utils", form))}))
    assert error.code == "model/incompatible"
    assert "odd" in error.message


def test_safetensors() -> None:
    whole: dict[str, Array] = {
        "F32": MATRIX,
        "F16": MATRIX.astype(np.float16),
        "F64": MATRIX.astype(np.float64),
        "I64": np.arange(3),
        "U8": np.arange(3, dtype=np.uint8),
        "BOOL": np.array([True, False]),
        "BF16": as_bfloat16(MATRIX),
    }
    checkpoint = opened(safetensors({name: (name, array) for name, array in whole.items()}, {"author": "me"}))
    assert checkpoint.format == "safetensors"
    assert checkpoint.metadata == {"author": "me"}
    for name, expected in whole.items():
        if name == "BF16":
            np.testing.assert_allclose(checkpoint.read(name), MATRIX, rtol=2**-7)
        else:
            found = checkpoint.read(name)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)


def graph_of(tensors: list[TensorProto]) -> onnx.ModelProto:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4, 3072, 256]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "network", [x], [y], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"stem": "vocals"})
    return model


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize(
    "dtype",
    ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"],
)
def test_initialisers_of_onnx(dtype: str, raw: bool) -> None:
    expected = (MATRIX * 100).astype(np.int64).astype(dtype)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    if raw:
        stored = numpy_helper.from_array(expected, "w")
    else:
        stored = helper.make_tensor("w", kind, expected.shape, expected.ravel().tolist())
    checkpoint = opened(graph_of([stored]).SerializeToString())
    assert checkpoint.tensors == {"w": TensorInfo(dtype, (3, 4))}
    found = checkpoint.read("w")
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_interface_of_onnx() -> None:
    checkpoint = opened(graph_of([numpy_helper.from_array(MATRIX, "w")]).SerializeToString())
    assert checkpoint.format == "onnx"
    assert checkpoint.metadata == {
        "ir_version": 8,
        "opsets": {"": 17},
        "properties": {"stem": "vocals"},
        "inputs": {"x": ["batch", 4, 3072, 256]},
        "outputs": {"y": ["batch", 4, 3072, 256]},
    }


def test_external_data_lie_beside_the_graph(tmp_path: Path) -> None:
    model = graph_of([numpy_helper.from_array(MATRIX, "w"), numpy_helper.from_array(2 * MATRIX, "v")])
    path = tmp_path / "network.onnx"
    onnx.save(model, path, save_as_external_data=True, location="network.data", size_threshold=0)
    with open_checkpoint(path) as checkpoint:
        np.testing.assert_array_equal(checkpoint.read("w"), MATRIX)
        np.testing.assert_array_equal(checkpoint.read("v"), 2 * MATRIX)
    alone = opened(path.read_bytes())
    with pytest.raises(DemixError, match=r"network\.data"):
        alone.read("w")


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/b", "..", "", "C:\\x", "a\\b"])
def test_external_data_are_not_read_from_elsewhere(tmp_path: Path, location: str) -> None:
    model = graph_of([numpy_helper.from_array(MATRIX, "w")])
    (stored,) = model.graph.initializer
    stored.ClearField("raw_data")
    stored.data_location = TensorProto.EXTERNAL
    stored.external_data.add(key="location", value=location)
    path = tmp_path / "network.onnx"
    path.write_bytes(model.SerializeToString())
    with open_checkpoint(path) as checkpoint, pytest.raises(DemixError):
        checkpoint.read("w")


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DemixError) as caught:
        open_checkpoint(tmp_path / "nothing.th")
    assert caught.value.code == "model/unknown"


def test_a_tensor_that_is_missing() -> None:
    with pytest.raises(DemixError) as caught:
        opened(torch_zip({"weight": tensor(MATRIX)})).read("bias")
    assert caught.value.code == "model/incompatible"


def zip_of(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


NO_CHECKPOINTS: Final = {
    "empty": (b"", "model/integrity"),
    "a web page": (b"<!DOCTYPE html><html>", "model/incompatible"),
    "the start of an archive": (b"PK\x03\x04", "model/integrity"),
    "the start of a graph": (b"\x08", "model/integrity"),
    "zeros": (bytes(4096), "model/incompatible"),
    "an archive of photos": (zip_of({"photo.jpg": b"x"}), "model/incompatible"),
    "an archive of nothing": (b"PK\x03\x04" + zip_of({}), "model/incompatible"),
    "two checkpoints": (zip_of({"a/data.pkl": b"N.", "b/data.pkl": b"N."}), "model/incompatible"),
    "TorchScript": (zip_of({"a/data.pkl": b"N.", "a/constants.pkl": b"N."}), "model/incompatible"),
    "a zip bomb": (zip_of({"a/data.pkl": bytes(10 << 20)}, zipfile.ZIP_DEFLATED), "model/incompatible"),
    "a header of 1 TB": (struct.pack("<Q", 1 << 40) + b"{", "model/incompatible"),
    "a header that is missing": (struct.pack("<Q", 3 << 20) + b"{", "model/integrity"),
    "a deep header": (struct.pack("<Q", 100_000) + b'{"a":' + b"[" * 99_995, "model/integrity"),
    "torch's tar": (b"storages" + bytes(600), "model/incompatible"),
}


@pytest.mark.parametrize("what", NO_CHECKPOINTS)
def test_what_is_no_checkpoint(what: str) -> None:
    data, code = NO_CHECKPOINTS[what]
    assert refusal(data).code == code


def test_entries_of_an_archive_that_overlap() -> None:
    data = bytearray(torch_zip({"a": tensor(MATRIX), "b": tensor(MATRIX)}))
    directory = data.index(b"PK\x01\x02")
    first, second = (data.index(f"archive/data/{key}".encode(), directory) - 46 for key in "01")
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    assert refusal(bytes(data)).code == "model/integrity"


def test_a_flipped_bit_in_the_weights() -> None:
    data = bytearray(torch_zip({"a": tensor(MATRIX)}))
    data[data.index(MATRIX.tobytes()) + 5] ^= 16
    assert refusal(bytes(data)).code == "model/integrity"


def test_archives_of_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    data = torch_zip({"a": tensor(MATRIX), "b": tensor(2 * MATRIX)})
    assert b"PK\x06\x06" in data, "the fixture is no ZIP64"
    found = read_all(opened(data))
    np.testing.assert_array_equal(found["b"], 2 * MATRIX)


@TORCH
@pytest.mark.parametrize(
    "view",
    [
        lambda storage: View(storage, (13,), (1,)),
        lambda storage: View(storage, (12,), (1,), 1),
        lambda storage: View(storage, (3, 4), (5, 1)),
        lambda storage: View(storage, (3, 4), (-4, 1), 8),
        lambda storage: View(storage, (1,), (1,), -1),
        lambda storage: View(storage, (3, 4), (4,)),
        lambda storage: View(storage, (-1,), (1,)),
        lambda storage: View(storage, (1 << 31,), (0,)),
        lambda storage: View(storage, (1 << 28,), (0,)),
        lambda storage: View(storage, (0, 1 << 40), (0, 1)),
        lambda storage: View(storage, (1,) * 100, (1,) * 100),
    ],
)
def test_views_that_lie(write: Write, view: Callable[[Storage], View]) -> None:
    assert refusal(write({"weight": view(Storage(MATRIX.reshape(-1)))})).code.startswith("model/")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ('{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 12]}}', "model/integrity"),
        ('{"a": {"dtype": "F32", "shape": [4], "data_offsets": [8, 24]}}', "model/integrity"),
        ('{"a": {"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]}}', "model/integrity"),
        ('{"a": {"dtype": "F32", "shape": [1e9], "data_offsets": [0, 16]}}', "model/integrity"),
        ('{"a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}', "model/incompatible"),
        ('{"a": {"dtype": "F32", "shape": [4]}}', "model/integrity"),
        ('{"a": 1}', "model/integrity"),
        ("[]", "model/incompatible"),
        ('{"__metadata__": {"a": 1}}', "model/integrity"),
        (
            '{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, '
            '"b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}',
            "model/integrity",
        ),
        (
            '{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, '
            '"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}}',
            "model/integrity",
        ),
    ],
)
def test_headers_of_safetensors_that_lie(header: str, code: str) -> None:
    assert refusal(struct.pack("<Q", len(header)) + header.encode() + bytes(16)).code == code


VALID: Final = {
    "zip": torch_zip({"state_dict": {"a": tensor(MATRIX), "b": MATRIX}, "epoch": 3}),
    "stream": torch_stream({"state_dict": {"a": tensor(MATRIX), "b": MATRIX}, "epoch": 3}),
    "safetensors": safetensors({"a": ("F32", MATRIX), "b": ("F32", MATRIX)}),
    "onnx": graph_of(
        [
            numpy_helper.from_array(MATRIX, "w"),
            helper.make_tensor("v", TensorProto.INT64, [3], [1, -2, 1 << 40]),
            helper.make_tensor("u", TensorProto.FLOAT, [2], [1.0, 2.0]),
        ]
    ).SerializeToString(),
}
assert b"PK" in VALID["zip"]


def survives(data: bytes) -> None:
    """Read what can be read: either it works or it is one error."""
    try:
        read_all(opened(data))
    except DemixError as error:
        if error.code not in ("model/integrity", "model/incompatible"):
            raise


@pytest.mark.parametrize("form", VALID)
def test_truncated_files(form: str) -> None:
    for length in range(len(VALID[form])):
        survives(VALID[form][:length])


def without_checksums(data: bytes) -> bytes:
    """An archive as torch writes it when told to leave checksums out, so that changes reach what is behind them."""
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        place = -1
        while (place := changed.find(signature, place + 1)) >= 0:
            changed[place + offset : place + offset + 4] = bytes(4)
    return bytes(changed)


@pytest.mark.parametrize("form", VALID)
@given(data=st.data())
@settings(max_examples=3 * settings().max_examples)
def test_changed_files(form: str, data: st.DataObject) -> None:
    changed = bytearray(without_checksums(VALID[form]) if form == "zip" else VALID[form])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed) - 1))
        match data.draw(st.sampled_from(["flip", "byte", "insert", "remove", "repeat"])):
            case "flip":
                changed[place] ^= 1 << data.draw(st.integers(0, 7))
            case "byte":
                changed[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
            case "insert":
                changed[place:place] = data.draw(st.binary(min_size=1, max_size=9))
            case "remove":
                del changed[place : place + data.draw(st.integers(1, 9))]
                changed = changed or bytearray(1)
            case _:
                changed[place:place] = changed[place : place + data.draw(st.integers(1, 200))]
    survives(bytes(changed))


@pytest.mark.parametrize("form", VALID)
def test_errors_cost_no_memory(form: str) -> None:
    """Lengths of billions in a small file."""
    good = without_checksums(VALID[form]) if form == "zip" else VALID[form]
    tracemalloc.start()
    try:
        for place in range(0, len(good) - 4, 3):
            survives(good[:place] + b"\xff\xff\xff\x7f" + good[place + 4 :])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


class Sparse:
    """A virtual file of many gigabytes: a header, followed by zeros."""

    def __init__(self, start: bytes, size: int) -> None:
        self._start = start
        self.size = size
        self.longest = 0

    def read_at(self, start: int, length: int) -> bytes:
        self.longest = max(self.longest, length)
        length = min(length, self.size - start)
        head = self._start[start : start + length]
        return head + bytes(length - len(head))


def test_reading_takes_one_tensor_at_a_time() -> None:
    """A checkpoint of 8 GB: opening reads its header, and reading a tensor no more than the tensor."""
    count, size = 2000, 4 << 20
    header = ", ".join(
        f'"layer.{n}": {{"dtype": "F16", "shape": [{size // 2}], "data_offsets": [{n * size}, {(n + 1) * size}]}}'
        for n in range(count)
    )
    described = f"{{{header}}}".encode()
    file = Sparse(struct.pack("<Q", len(described)) + described, 8 + len(described) + count * size)
    checkpoint = open_checkpoint(file)
    assert file.longest <= len(described)
    tracemalloc.start()
    try:
        for name in list(checkpoint.tensors)[:20]:
            checkpoint.read(name)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert file.longest == size
    assert peak < 3 * size
