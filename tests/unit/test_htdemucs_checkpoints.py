"""Which HT-Demucs a checkpoint has: found from its tensors and arguments, or refused by the name of what is foreign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from demixer.errors import DemixError
from demixer.graphs.checkpoints import Checkpoint, open_checkpoint
from demixer.graphs.dtypes import Shape
from demixer.graphs.htdemucs.architecture import RATE, Architecture, find_architecture, read_architecture
from demixer.graphs.htdemucs.forms import FORMS
from demixer.graphs.htdemucs.network import build, read_weights
from demixer.graphs.htdemucs.weights import Weights
from demixer.graphs.reading import Memory
from models.htdemucs_6s.convert import convert
from tests.checkpoints import demucs_package, tensor, torch_stream, torch_zip
from tests.reduced import NETWORK, feeds, natively, random_state, written

SOURCES: Final = ("drums", "bass", "other", "vocals")
ARGUMENTS: Final[dict[str, Any]] = {"sources": list(SOURCES), "segment": Fraction(NETWORK.segment, RATE)}
#: Guitar and piano, and a transformer as wide as the last encoder layer.
SIX: Final = replace(NETWORK, stems=6, bottom=False)

NETWORKS: Final = {
    "published": Architecture(),
    "six stems": Architecture(stems=6, bottom=False, width=384, feed=1536),
    "one stem": replace(NETWORK, stems=1),
    "narrow": Architecture(channels=(32, 48), squeezed=(4, 6), width=64, feed=64),
    "few layers": replace(NETWORK, layers=1, residuals=1, residual_decoder=False),
    "short kernels": replace(NETWORK, kernel=4),
    "other branch first": replace(NETWORK, cross_first=True, layers=4),
    "arguments": replace(NETWORK, heads=4, embedding_scale=(5.0, 0.1), segment=11 * RATE),
}


def opened(content: object, write: Callable[[object], bytes] = torch_zip) -> Checkpoint:
    return open_checkpoint(Memory(write(content)))


def arguments(network: Architecture) -> dict[object, object]:
    scale, share = network.embedding_scale
    return {
        "t_heads": network.heads,
        "emb_scale": scale,
        "freq_emb": share,
        "segment": Fraction(network.segment, RATE),
        "multi_freqs": [],
        "t_layers": network.layers,
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_found_from_its_shapes_and_arguments(name: str) -> None:
    network = NETWORKS[name]
    assert find_architecture(network.shapes(), arguments(network)) == network


@pytest.mark.parametrize("write", [torch_zip, torch_stream])
def test_a_package_of_demucs_gives_the_graph_of_its_weights(write: Callable[[object], bytes]) -> None:
    state = {name: array.astype(np.float16).astype(np.float32) for name, array in random_state(NETWORK).items()}
    checkpoint = opened(demucs_package(state, **ARGUMENTS), write)
    weights = read_weights(checkpoint)
    assert weights.network == replace(NETWORK, sources=SOURCES)
    expected = written(build(Weights(NETWORK, state.__getitem__), FORMS["default"]))
    assert written(build(weights, FORMS["default"])) == expected


@pytest.mark.parametrize("network", [SIX, NETWORKS["few layers"], NETWORKS["other branch first"]])
def test_other_networks_run(network: Architecture) -> None:
    found = natively(build(Weights(network, random_state(network).__getitem__), FORMS["default"]), feeds(network))
    assert found["waveforms"].shape == (1, network.stems, 2, network.segment)
    assert found["spectrograms"].shape == (1, network.stems, 4, 2048, network.frames)
    for array in found.values():
        assert np.isfinite(array).all()
        assert array.std(axis=(0, 2, *range(3, array.ndim))).min() > 0


def test_a_state_alone_is_a_network_without_names() -> None:
    state = {name: tensor(array.astype(np.float16)) for name, array in random_state(NETWORK).items()}
    assert read_architecture(opened(state)) == replace(NETWORK, segment=Architecture.segment)


def test_the_converter_of_six_stems(tmp_path: Path) -> None:
    names = ["drums", "bass", "other", "vocals", "guitar", "piano"]
    for folder, sources in (("right", names), ("wrong", names[::-1])):
        (tmp_path / folder).mkdir()
        package = demucs_package(random_state(SIX), **{**ARGUMENTS, "sources": sources})
        (tmp_path / folder / "network.th").write_bytes(torch_zip(package))
    convert(tmp_path / "right", tmp_path)
    assert {path.stem for path in tmp_path.glob("*.onnx")} == set(FORMS)
    with pytest.raises(DemixError, match="has the stems"):
        convert(tmp_path / "wrong", tmp_path)


Change = Callable[[dict[str, Shape]], object]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda shapes: shapes.update({"encoder.0.attention.weight": (8, 8)}), "encoder.0.attention.weight"),
        (lambda shapes: shapes.pop("tdecoder.1.rewrite.bias"), "tdecoder.1.rewrite.bias"),
        (lambda shapes: shapes.pop("freq_emb.embedding.weight"), "freq_emb.embedding.weight"),
        (lambda shapes: shapes.update({"freq_emb.embedding.weight": (1024, 8)}), "freq_emb.embedding.weight"),
        (lambda shapes: shapes.update({"tencoder.0.conv.weight": (16, 2, 8)}), "tencoder.0.conv.weight"),
        (lambda shapes: shapes.update({"encoder.1.dconv.layers.0.3.lstm.weight_ih_l0": (4, 4)}), "lstm"),
        (lambda shapes: shapes.clear(), "no HT-Demucs"),
        (lambda shapes: shapes.update({"encoder.0.conv.weight": ()}), "encoder.0.conv.weight"),
        (lambda shapes: shapes.update({"crosstransformer.layers.0.linear1.weight": (128, 63)}), "channel_upsampler"),
    ],
)
def test_a_variant_is_refused_by_the_name_of_its_tensor(change: Change, named: str) -> None:
    shapes = NETWORK.shapes()
    change(shapes)
    with pytest.raises(DemixError, match=named) as caught:
        find_architecture(shapes)
    assert caught.value.code == "model/incompatible"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("audio_channels", 1),
        ("cac", False),
        ("multi_freqs", [0.5]),
        ("samplerate", 48000),
        ("stride", 2),
        ("t_emb", "cape"),
        ("t_group_norm", True),
        ("t_norm_first", False),
        ("t_sparse_self_attn", True),
        ("t_weight_pos_embed", 0.5),
        ("dconv_depth", -2),
        ("t_heads", 3),
        ("t_heads", -8),
        ("t_heads", "8"),
        ("segment", 0.001),
        ("segment", 1e9),
        ("segment", float("nan")),
        ("emb_scale", None),
        ("sources", ["vocals"]),
        ("sources", [1, 2, 3, 4]),
    ],
)
def test_arguments_for_another_network_are_refused(name: str, value: object) -> None:
    with pytest.raises(DemixError) as caught:
        find_architecture(NETWORK.shapes(), {name: value})
    assert caught.value.code == "model/incompatible"


def test_an_encoder_that_is_too_deep_is_refused() -> None:
    deep = replace(NETWORK, channels=(8, 8, 8, 16, 64), squeezed=(2, 2, 2, 4, 8))
    with pytest.raises(DemixError, match="too many layers"):
        find_architecture(deep.shapes())
