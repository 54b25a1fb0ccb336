"""HT-Demucs from checkpoints that torch saved, against demucs 4.1.0 itself with the same random weights."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from demixer.audio import Clip, Collected, Samples
from demixer.families.htdemucs import HTDemucs
from demixer.graphs.checkpoints import open_checkpoint
from demixer.graphs.htdemucs.architecture import RATE, Architecture
from demixer.graphs.htdemucs.forms import FORMS
from demixer.graphs.htdemucs.network import build, read_weights
from demixer.graphs.onnx_writer import write_model
from demixer.models import Preset
from demixer.runtimes.native import NativeSession
from demixer.separate import separate
from tests.parity.songs import snr
from tests.reduced import NETWORK, random_state

torch = pytest.importorskip("torch", reason="torch is in the extra `reference`")
demucs = pytest.importorskip("demucs.htdemucs", reason="demucs is in the extra `reference`")
states = pytest.importorskip("demucs.states", reason="demucs is in the extra `reference`")
apply = pytest.importorskip("demucs.apply", reason="demucs is in the extra `reference`")

FOUR: Final = ("drums", "bass", "other", "vocals")
SIX: Final = (*FOUR, "guitar", "piano")
FULL_SIX: Final = Architecture(stems=6, bottom=False, width=384, feed=1536, sources=SIX)


def reference(network: Architecture, seed: int = 0) -> Any:
    """The reference's network with random weights in half precision."""
    made = demucs.HTDemucs(
        sources=list(network.sources),
        channels=network.channels[0],
        depth=network.depth,
        dconv_comp=network.channels[0] / network.squeezed[0],
        dconv_mode=3 if network.residual_decoder else 1,
        kernel_size=network.kernel,
        bottom_channels=network.width if network.bottom else 0,
        t_hidden_scale=network.feed / network.width,
        t_layers=network.layers,
        t_heads=network.heads,
        t_cross_first=network.cross_first,
        segment=Fraction(network.segment, RATE),
        samplerate=RATE,
    )
    state = {name: torch.from_numpy(array).half().float() for name, array in random_state(network, seed).items()}
    made.load_state_dict(state)
    return made.eval()


def opened(path: Path, network: Any, *, as_zip: bool = True) -> HTDemucs:
    """The family with the graph of a checkpoint that the reference has saved."""
    arguments, named = network._init_args_kwargs
    state = states.get_state(network, None, half=True)
    package = {"klass": type(network), "args": arguments, "kwargs": named, "state": state}
    torch.save(package, path, _use_new_zipfile_serialization=as_zip)
    graph = path.with_suffix(".onnx")
    with open_checkpoint(path) as checkpoint, graph.open("wb") as sink:
        weights = read_weights(checkpoint)
        write_model(build(weights, FORMS["fp32"]), sink)
    return HTDemucs(NativeSession(graph), weights.network.stems, weights.network.segment)


def noise(samples: int) -> Samples:
    return 0.1 * np.random.default_rng(1).standard_normal((2, samples), dtype=np.float32)


def compared(expected: Any, found: Samples) -> list[float]:
    return [round(snr(a.numpy(), b), 1) for a, b in zip(expected, found, strict=True)]


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(replace(NETWORK, sources=FOUR), id="plain"),
        pytest.param(replace(NETWORK, sources=SIX, stems=6, bottom=False), id="six stems, no bottom"),
        pytest.param(replace(NETWORK, sources=FOUR, residual_decoder=False, cross_first=True, heads=4), id="variant"),
        pytest.param(
            Architecture(
                channels=(8, 16), squeezed=(2, 4), width=16, bottom=False, feed=32, segment=5_000, sources=FOUR
            ),
            id="shallow",
        ),
        pytest.param(FULL_SIX, id="htdemucs_6s", marks=pytest.mark.slow),
    ],
)
def test_a_segment_is_what_torch_computes(
    tmp_path: Path, network: Architecture, record_property: Callable[[str, object], None]
) -> None:
    theirs = reference(network)
    mixture = noise(network.segment)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(mixture)[None])[0]
    ours = opened(tmp_path / "network.th", theirs, as_zip=network.stems == 4)
    found = compared(expected, asyncio.run(ours.separate(mixture)))
    record_property("snr", found)
    print(found)
    assert min(found) >= 60


def test_a_bag_is_its_networks_one_after_another(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Of htdemucs_ft, each network gives the stem that it was tuned for."""
    networks = [reference(replace(NETWORK, sources=FOUR), seed) for seed in range(4)]
    song = noise(3 * NETWORK.segment)
    average, scale = song.mean(0).mean(), song.mean(0).std()
    bag = apply.BagOfModels(networks, np.eye(4).tolist())
    with torch.no_grad():
        theirs = apply.apply_model(bag, torch.from_numpy((song - average) / scale)[None], shifts=0, overlap=0.25)[0]
    expected = theirs * scale + average
    found = np.empty(expected.shape, np.float32)
    for index, network in enumerate(networks):
        family = opened(tmp_path / f"{index}.th", network)
        stems = Collected(len(FOUR), *song.shape)
        asyncio.run(separate(Clip(song, RATE), stems, family, Preset(overlap=0.25), raw=True))
        found[index] = stems.samples[index]
    decibels = compared(expected, found)
    record_property("snr", decibels)
    print(decibels)
    assert min(decibels) >= 60
