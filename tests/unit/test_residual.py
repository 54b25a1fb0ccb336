"""Models of a single target: the estimate stays as it is, and the residual is a stem of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from demixer import cli, families
from demixer.audio import Clip, Collected, Samples
from demixer.evaluation import score
from demixer.evaluation.songs import Song
from demixer.models import Model, Preset
from demixer.normalisation import UNITY, Normalisation
from demixer.separate import separate
from demixer.stems import MixtureConsistency, Residual
from demixer_build import device_check
from tests.unit import test_bridge


class Singer:
    """A family of one target, which is a fixed part of the mixture."""

    rate, segment, stems = 44_100, 20_000, 1
    gain = np.float32(0.6)

    def __init__(self, *, normalise: bool = False) -> None:
        self._normalise = normalise

    def normalisation(self, measured: Normalisation) -> Normalisation:
        return measured if self._normalise else UNITY

    async def separate(self, mixture: Samples) -> Samples:
        return self.gain * mixture[np.newaxis]


DESCRIPTION: Final[dict[str, Any]] = {
    "id": "singer",
    "label": "Singer",
    "summary": "One target.",
    "family": "singer",
    "stems": ["vocals", "accompaniment"],
    "residual": "accompaniment",
    "segment": Singer.segment / Singer.rate,
    "gflop_per_second": 1,
    "presets": {"standard": {"overlap": 0.25}},
}
MODEL: Final = Model.from_dict(DESCRIPTION)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The family *singer* in the registry for the length of a test."""
    families.load_all()
    with monkeypatch.context() as patch:
        patch.setattr(families, "_REGISTRY", dict(families._REGISTRY))
        families.register("singer", networks=0)(lambda _: Singer())
        yield


def song(length: int, channels: int, rate: int, offset: float = 0.0) -> Clip:
    samples = np.random.default_rng(length).normal(offset, 0.1, (channels, length))
    return Clip(samples.astype(np.float32), rate)


def run(clip: Clip, family: Singer, stems: int, *, raw: bool = False, residual: bool = False) -> Samples:
    sink = Collected(stems, clip.channels, clip.length)
    asyncio.run(separate(clip, sink, family, Preset(0.25), raw=raw, residual=residual))
    assert sink.written == clip.length
    return sink.samples


@given(
    length=st.integers(1, 90_000),
    channels=st.sampled_from([1, 2, 3, 6]),
    rate=st.sampled_from([22_050, 44_100, 48_000]),
    raw=st.booleans(),
)
def test_the_estimate_stays_and_the_residual_is_the_rest(length: int, channels: int, rate: int, raw: bool) -> None:
    clip = song(length, channels, rate)
    (estimate,) = run(clip, Singer(), stems=1, raw=True)
    target, residual = run(clip, Singer(), stems=2, raw=raw, residual=True)
    np.testing.assert_array_equal(target, estimate)
    np.testing.assert_array_equal(residual, clip.samples - target)
    np.testing.assert_allclose(target + residual, clip.samples, rtol=0, atol=1e-7)


def test_the_residual_takes_the_offset_that_the_normalisation_removed() -> None:
    clip = song(60_000, 2, 44_100, offset=0.1)
    target, residual = run(clip, Singer(normalise=True), stems=2, residual=True)
    np.testing.assert_allclose(target, Singer.gain * (clip.samples - clip.samples.mean()), atol=1e-5)
    np.testing.assert_allclose(target + residual, clip.samples, rtol=0, atol=1e-7)


def test_the_residual_of_several_targets_leaves_them_all_alone() -> None:
    rng = np.random.default_rng(0)
    mixture, stems = (rng.normal(0, 0.1, shape).astype(np.float32) for shape in ((2, 500), (3, 2, 500)))
    completed = Residual(3, 2).push(mixture, stems)
    np.testing.assert_array_equal(completed[:3], stems)
    np.testing.assert_array_equal(completed[3], mixture - stems.sum(axis=0))
    assert Residual(3, 2).finish().shape == (4, 2, 0)


def test_a_single_stem_is_never_made_the_mixture() -> None:
    with pytest.raises(ValueError, match="single stem"):
        run(song(1_000, 2, 44_100), Singer(), stems=1)
    with pytest.raises(ValueError, match="single stem"):
        MixtureConsistency(1, 2, 1_000)


@pytest.mark.usefixtures("registered")
def test_the_command_line_writes_both_stems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "load_models", lambda: {MODEL.id: MODEL})
    clip = song(50_000, 2, 44_100)
    soundfile.write(tmp_path / "song.wav", clip.samples.T, clip.rate, "FLOAT")
    arguments = ["separate", str(tmp_path / "song.wav"), "-o", str(tmp_path), "--model", MODEL.id]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    vocals, rest = (soundfile.read(tmp_path / "song" / f"{name}.wav", dtype="float32")[0].T for name in MODEL.stems)
    np.testing.assert_allclose(vocals, Singer.gain * clip.samples, atol=1e-6)
    np.testing.assert_allclose(vocals + rest, clip.samples, rtol=0, atol=1e-7)


@pytest.mark.usefixtures("registered")
def test_the_device_check_has_both_stems() -> None:
    clip = song(50_000, 2, 44_100)
    stems = asyncio.run(device_check.stems(MODEL, "default", clip.samples))
    assert len(stems) == len(MODEL.stems)
    np.testing.assert_allclose(stems[0], Singer.gain * clip.samples, atol=1e-6)


@pytest.mark.usefixtures("registered")
def test_an_evaluation_has_both_stems() -> None:
    clip = song(50_000, 2, 44_100)
    system = score.System(MODEL.id, MODEL, "standard", (), raw=False)
    estimates = score._separate(clip, score.Job(Song("song", {}), system, threads=1))
    assert list(estimates) == list(MODEL.stems)
    np.testing.assert_allclose(estimates["vocals"], Singer.gain * clip.samples, atol=1e-6)


@pytest.mark.usefixtures("registered")
def test_the_page_gets_both_stems() -> None:
    clip = song(50_000, 2, 44_100)
    reply, page = test_bridge.run(clip.samples, model=DESCRIPTION)
    assert reply["ok"], reply
    vocals, rest = (page.joined(index, "samples").reshape(-1, 2).T for index in range(2))
    np.testing.assert_allclose(vocals, Singer.gain * clip.samples, atol=1e-6)
    np.testing.assert_allclose(vocals + rest, clip.samples, rtol=0, atol=1e-7)
