"""Written graphs are valid ONNX, run in onnxruntime, and equal the reference implementation's byte for byte."""

from __future__ import annotations

import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from demixer.errors import DemixError
from demixer.graphs import onnx_writer
from demixer.graphs.checkpoints import open_checkpoint
from demixer.graphs.contents import Entry
from demixer.graphs.graph import CONTRIB, Graph
from demixer.graphs.onnx_writer import ALIGNMENT, Model, Node, Value, write_model
from demixer.graphs.reading import Memory

Array = npt.NDArray[Any]

RNG: Final = np.random.default_rng(0)
DTYPES: Final = ("float32", "float16", "float64", "int8", "uint8", "int32", "int64", "bool")


def entry(array: Array) -> Entry:
    return Entry(array.dtype.name, array.shape, lambda: array)


def linear(weight: Array, **others: Array) -> Model:
    """`y = x @ weight`, with attributes of every kind and weights that it does not use."""
    return Model(
        "linear",
        [
            Node("MatMul", ("x", "weight"), ("product",)),
            Node("Elu", ("product",), ("bent",), "bent", attributes={"alpha": 0.0}),
            Node("Transpose", ("bent",), ("turned",), attributes={"perm": (0, 1)}),
            Node("Identity", ("turned",), ("y",)),
        ],
        [Value("x", (1, weight.shape[0]))],
        [Value("y", (1, weight.shape[1]))],
        {"weight": entry(weight)} | {name: entry(array) for name, array in others.items()},
        {"": 17, CONTRIB: 1},
        8,
        "demixer",
        {"stem": "Gesang", "empty": ""},
    )


def written(model: Model) -> bytes:
    sink = BytesIO()
    write_model(model, sink)
    return sink.getvalue()


def test_the_bytes_are_those_of_the_reference() -> None:
    weight = RNG.standard_normal((4, 300), dtype=np.float32)
    scale = np.array(2, np.int64)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weight"], ["product"]),
            helper.make_node("Elu", ["product"], ["bent"], "bent", alpha=0.0),
            helper.make_node("Transpose", ["bent"], ["turned"], perm=[0, 1]),
            helper.make_node("Identity", ["turned"], ["y"]),
        ],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 300])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(scale, "scale")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
    expected = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="demixer")
    helper.set_model_props(expected, {"stem": "Gesang", "empty": ""})
    assert written(linear(weight, scale=scale)) == expected.SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    "attributes",
    [
        {"ints": [1, -2, 1 << 40]},
        {"floats": [1.5, -2.0]},
        {"strings": ["a", "ü"]},
        {"int": -1},
        {"float": 1e-5},
        {"text": "linear"},
        {"b": 1, "a": 2.0},
    ],
)
def test_attributes(attributes: dict[str, Any]) -> None:
    ours = Model("g", [Node("Op", ("",), ("y",), "n", "d", attributes)], [], [], {}, {"": 17}, 8)
    node = helper.make_node("Op", [""], ["y"], "n", domain="d", **attributes)
    graph = helper.make_graph([node], "g", [], [])
    theirs = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert written(ours) == theirs.SerializeToString(deterministic=True)


def test_an_empty_attribute_has_no_type() -> None:
    with pytest.raises(ValueError, match="pads"):
        written(Model("g", [Node("Op", (), ("y",), attributes={"pads": []})], [], [], {}, {"": 17}, 8))


@pytest.mark.parametrize("external", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (3, 5), (40, 300)])
def test_tensors_come_back(tmp_path: Path, dtype: str, shape: tuple[int, ...], external: bool) -> None:
    expected = (RNG.standard_normal(shape) * 50).astype(dtype)
    columns = expected.T  # of another memory layout
    model = linear(np.ones((2, 2), np.float32), expected=np.asarray(expected), columns=columns)
    path = tmp_path / "network.onnx"
    with path.open("wb") as sink, (tmp_path / "network.data").open("wb") as data:
        write_model(model, sink, data if external else None, "network.data")
    onnx.checker.check_model(str(path), full_check=True)
    loaded = onnx.load(path)
    for tensor in loaded.graph.initializer:
        found = numpy_helper.to_array(tensor)
        if tensor.name in ("expected", "columns"):
            assert found.dtype == dtype
            np.testing.assert_array_equal(found, expected if tensor.name == "expected" else columns)
    with open_checkpoint(path) as checkpoint:
        np.testing.assert_array_equal(checkpoint.read("expected"), expected)
        np.testing.assert_array_equal(checkpoint.read("columns"), columns)


def test_big_endian_arrays_are_turned() -> None:
    weight = RNG.standard_normal((2, 3)).astype(">f4")
    (stored,) = onnx.load_from_string(written(linear(weight))).graph.initializer
    np.testing.assert_array_equal(numpy_helper.to_array(stored), weight)


@pytest.mark.parametrize("external", [False, True])
def test_the_runtime_runs_it(tmp_path: Path, external: bool) -> None:
    weight = RNG.standard_normal((64, 300), dtype=np.float32)
    path = tmp_path / "network.onnx"
    with path.open("wb") as sink, (tmp_path / "network.data").open("wb") as data:
        write_model(linear(weight), sink, data if external else None, "network.data")
    assert ((tmp_path / "network.data").stat().st_size > 0) is external
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = RNG.standard_normal((1, 64), dtype=np.float32)
    (y,) = session.run(None, {"x": x})
    product = x @ weight
    np.testing.assert_allclose(y, np.where(product > 0, product, 0), atol=1e-4)


def test_external_data_begin_at_pages() -> None:
    many = {f"w{n}": np.full(2000 + n, n, np.float32) for n in range(3)}
    graph, data = BytesIO(), BytesIO()
    write_model(linear(np.ones((2, 2), np.float32), **many), graph, data, "network.data")
    offsets = [
        int(place.value)
        for tensor in onnx.load_from_string(graph.getvalue()).graph.initializer
        for place in tensor.external_data
        if place.key == "offset"
    ]
    assert len(offsets) == 3
    assert all(offset % ALIGNMENT == 0 for offset in offsets)


def test_the_same_graph_gives_the_same_bytes() -> None:
    weight = RNG.standard_normal((4, 3), dtype=np.float32)
    assert written(linear(weight)) == written(linear(weight))


def test_weights_pass_through_one_by_one() -> None:
    """Fifty tensors of 2 MB, of which two are in memory at a time."""
    size = 1 << 19

    class Null:
        written = 0

        def write(self, data: bytes | memoryview, /) -> None:
            self.written += len(data)

    weights = {f"w{n}": Entry("float32", (size,), lambda n=n: np.full(size, n, np.float32)) for n in range(50)}  # type: ignore[misc]
    model = Model("g", [], [], [], weights, {"": 17}, 8)
    for external in (None, Null()):
        sink = Null()
        tracemalloc.start()
        try:
            write_model(model, sink, external, "data")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert (external or sink).written >= 50 * 4 * size
        assert peak < 3 * 4 * size


def test_a_graph_beyond_two_gigabytes_is_refused_before_anything_is_written() -> None:
    def read() -> Array:
        raise AssertionError("read in vain")

    sink = BytesIO()
    model = Model("g", [], [], [], {f"w{n}": Entry("float32", (1 << 28,), read) for n in range(3)}, {"": 17}, 8)
    with pytest.raises(DemixError) as caught:
        write_model(model, sink)
    assert caught.value.code == "model/incompatible"
    assert not sink.getvalue()


def test_weights_that_are_not_what_was_announced() -> None:
    model = Model("g", [], [], [], {"w": Entry("float32", (3,), lambda: np.zeros(4, np.float32))}, {"": 17}, 8)
    with pytest.raises(ValueError, match="announced"):
        written(model)


def test_weights_of_a_checkpoint_go_straight_into_a_graph() -> None:
    first = written(linear(RNG.standard_normal((4, 300), dtype=np.float32)))
    checkpoint = open_checkpoint(Memory(first))
    info = checkpoint.tensors["weight"]
    graph = Graph("copy")
    x = graph.input("x", (1, 4))
    weight = graph.weights(Entry(info.dtype, info.shape, lambda: checkpoint.read("weight")), "weight")
    second = written(graph.model({"y": graph.matmul(x, weight)}))
    np.testing.assert_array_equal(open_checkpoint(Memory(second)).read("weight"), checkpoint.read("weight"))


def test_bfloat16_is_not_written() -> None:
    with pytest.raises(ValueError, match="bfloat16"):
        onnx_writer.write_model(
            Model("g", [], [], [], {"w": Entry("bfloat16", (1,), lambda: np.zeros(1))}, {"": 17}, 8), BytesIO()
        )
