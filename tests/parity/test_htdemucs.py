"""Our pipeline and our graphs against demucs 4.1.0 itself, on real music.

`reference.py` made the golden figures: sketches of the stems, in which every sample takes part.
"""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from demixer.audio import Clip, Collected, Samples
from demixer.families.htdemucs import HTDemucs
from demixer.metrics import sdr
from demixer.models import Preset
from demixer.runtimes.native import NativeSession
from demixer.separate import separate
from demixer_build.paths import MODELS
from tests.parity.songs import GOLDEN, LITHIUM, RATE, sketch, snr, songs, songs_with_stems

pytestmark = pytest.mark.slow

STEMS = ("drums", "bass", "other", "vocals")
STANDARD = Preset(overlap=0.25)


@pytest.fixture(scope="module")
def fp32(artifact: Callable[[str, str], Path]) -> HTDemucs:
    return HTDemucs(NativeSession(artifact("htdemucs", "fp32")))


@pytest.fixture(scope="module")
def music() -> dict[str, Samples]:
    return songs()


@pytest.fixture(scope="module")
def exact(fp32: HTDemucs, music: dict[str, Samples]) -> Callable[[str], Samples]:
    """The stems of a song in float32, which are computed once."""

    @cache
    def stems(name: str) -> Samples:
        return run(fp32, music[name])

    return stems


def run(family: HTDemucs, song: Samples) -> Samples:
    clip = Clip(song, RATE)
    stems = Collected(len(STEMS), clip.channels, clip.length)
    asyncio.run(separate(clip, stems, family, STANDARD, raw=True))
    assert stems.written == clip.length
    return stems.samples


def decibels(reference: Samples, estimate: Samples) -> dict[str, float]:
    return {name: round(snr(a, b), 1) for name, a, b in zip(STEMS, reference, estimate, strict=True)}


@pytest.mark.parametrize(
    "name",
    [
        "falcon",  # real music; a short last segment, centred in its context
        "medley",  # 20 s, several segments, a DC offset that the reference gives to every stem
        "line",  # shorter than a segment
        pytest.param("lithium", marks=pytest.mark.skipif(not LITHIUM.exists(), reason="only where the data set is")),
    ],
)
def test_pipeline_gives_what_demucs_gives(
    name: str,
    exact: Callable[[str], Samples],
    music: dict[str, Samples],
    record_property: Callable[[str, object], None],
) -> None:
    golden = np.load(GOLDEN / f"{name}.npz")
    assert snr(golden["mixture"], sketch(music[name])) > 90, "the song itself was decoded differently"
    found = decibels(golden["stems"], sketch(exact(name)))
    record_property("snr", found)
    print(name, found)
    assert min(found.values()) >= 60, found


def test_golden_figures_belong_to_the_published_weights() -> None:
    made = json.loads((GOLDEN / "reference.json").read_text())
    source = tomllib.loads((MODELS / "htdemucs" / "model.toml").read_text())["source"]
    assert list(source["files"].values()) == [made["weights"]]


def test_default_precision_keeps_the_stems(
    artifact: Callable[[str, str], Path],
    exact: Callable[[str], Samples],
    music: dict[str, Samples],
    record_property: Callable[[str, object], None],
) -> None:
    """Eight bits may cost 0.03 dB of SDR on stempeg's song and, where the data set is, on lithium."""
    default = HTDemucs(NativeSession(artifact("htdemucs", "default")))
    for name, (mixture, stems) in songs_with_stems().items():
        assert np.array_equal(mixture, music[name])
        reference, fast = exact(name), run(default, mixture)
        against_exact = decibels(reference, fast)
        loss = [round(sdr(stem, a) - sdr(stem, b), 4) for stem, a, b in zip(stems, reference, fast, strict=True)]
        record_property(name, {"snr": against_exact, "loss": loss})
        print(f"{name}: default against fp32 {against_exact}, SDR lost {loss}")
        assert max(loss) <= 0.03, (name, loss)
        assert min(against_exact.values()) >= 35, (name, against_exact)


def test_a_single_sample_is_a_song(fp32: HTDemucs) -> None:
    stems = run(fp32, np.array([[0.5], [0.25]], np.float32))
    assert stems.shape == (4, 2, 1)
    assert np.isfinite(stems).all()
