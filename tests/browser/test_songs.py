"""Real songs through the real page: downloads equal the files of the command line."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile
import soxr
from playwright.sync_api import Page, expect

from demixer import cli
from demixer.audio import Samples
from tests.parity.songs import snr

pytestmark = pytest.mark.slow

STEMS: Final = {
    "hpss": ("Harmonic", "Percussive"),
    "spleeter-2stems": ("Vocals", "Accompaniment"),
    "htdemucs": ("Drums", "Bass", "Other", "Vocals"),
}
LABELS: Final = {"hpss": "Harmonic / percussive", "spleeter-2stems": "Spleeter", "htdemucs": "HT-Demucs"}

#: dB between the browser's stems and the command line's, with the same graph (WASM against native kernels).
AGREEMENT: Final = {"hpss": 80, "spleeter-2stems": 60, "htdemucs": 50}


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The song that `stempeg` ships, by format."""
    files = metadata.files("stempeg") or []
    (shipped,) = (file for file in files if file.name.endswith(".stem.mp4"))
    clip = cli.read_song(Path(str(shipped.locate())))
    samples = clip.samples[:, : clip.rate * 58 // 10].T  # one segment of HT-Demucs
    folder = tmp_path_factory.mktemp("songs")
    paths = {name: folder / f"Falcon {name}" for name in ("44.wav", "44.mp3", "mono 22.wav", "48.flac")}
    soundfile.write(paths["44.wav"], samples, clip.rate, subtype="FLOAT")
    soundfile.write(paths["44.mp3"], samples, clip.rate)
    mono = soxr.resample(samples.mean(axis=1), clip.rate, 22_050)
    soundfile.write(paths["mono 22.wav"], mono, 22_050, subtype="PCM_16")
    soundfile.write(paths["48.flac"], soxr.resample(samples, clip.rate, 48_000), 48_000, subtype="PCM_24")
    return paths


def native(song: Path, model: str, output: Path) -> dict[str, tuple[Samples, int]]:
    """The stems that the command line writes, by their names on the page."""
    command = Path(sys.executable).with_name("demixer")
    subprocess.run([command, "separate", song, "-o", output, "--model", model], check=True)
    return {stem: read(output / song.stem / f"{stem.lower()}.wav") for stem in STEMS[model]}


def read(path: Path) -> tuple[Samples, int]:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.T, rate


def in_browser(page: Page, model: str, folder: Path) -> Iterator[tuple[str, Samples, int]]:
    """Separate the chosen song, and download every stem."""
    page.get_by_role("radio", name=LABELS[model]).check()
    page.get_by_role("button", name="Separate", exact=True).click()
    desk = page.get_by_role("region", name=re.compile("^Stems of"))
    for stem in STEMS[model]:
        button = desk.get_by_role("group", name=stem, exact=True).get_by_role("button", name=f"Download {stem}")
        expect(button).to_be_enabled(timeout=300_000)
        with page.expect_download() as download:
            button.click()
        path = folder / f"{model} {stem}.wav"
        download.value.save_as(path)
        assert soundfile.info(path).subtype == "FLOAT"
        yield (stem, *read(path))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        *product(["hpss"], ["44.wav", "44.mp3", "mono 22.wav", "48.flac"]),
        *product(["spleeter-2stems"], ["mono 22.wav", "48.flac"]),  # it is resampled
        ("htdemucs", "44.wav"),
    ],
)
def test_browser_equals_native(
    page: Page, songs: dict[str, Path], tmp_path: Path, name: str, model: str, base_url: str
) -> None:
    expected = native(songs[name], model, tmp_path)
    page.goto(base_url)
    page.locator("input[type=file]").set_input_files(songs[name])
    stems = []
    for stem, samples, rate in in_browser(page, model, tmp_path):
        reference, reference_rate = expected[stem]
        assert (rate, samples.shape) == (reference_rate, reference.shape)
        agreement = snr(reference, samples)
        print(f"{model}, {name}, {stem}: {agreement:.1f} dB")
        assert agreement >= AGREEMENT[model], stem
        stems.append(samples)
    mixture, _ = read(songs[name])
    np.testing.assert_allclose(np.sum(stems, axis=0), mixture, rtol=0, atol=1e-4)
