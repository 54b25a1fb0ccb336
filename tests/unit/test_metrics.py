"""The metrics against their definitions, and against museval."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from demixer.audio import Samples
from demixer.metrics import TAPS, bss_eval, sdr
from tests import songs

RATE = 8_000


def noise(*shape: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def museval() -> ModuleType:
    """museval's metrics alone: the package itself does not load without a program called ffmpeg."""
    (path,) = (file for file in metadata.files("museval") or [] if file.as_posix() == "museval/metrics.py")
    spec = importlib.util.spec_from_file_location("museval_metrics", str(path.locate()))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_as_museval(references: Samples, estimates: Samples, window: int) -> None:
    ours = bss_eval(references, estimates, window)
    theirs: Any = museval().bss_eval(
        references.swapaxes(1, 2),
        estimates.swapaxes(1, 2),
        window=window,
        hop=window,
        compute_permutation=False,
        framewise_filters=False,
    )
    for mine, other in zip((ours.sdr, ours.isr, ours.sir, ours.sar), theirs, strict=False):
        np.testing.assert_allclose(mine, other, atol=0.001)  # dB; NaN where museval has NaN


def test_sdr_is_the_ratio_of_energies() -> None:
    signal = noise(2, 1_000)
    assert sdr(signal, 0.9 * signal) == pytest.approx(20, abs=1e-4)
    assert sdr(signal, np.zeros_like(signal)) == pytest.approx(0, abs=1e-4)
    assert sdr(signal, -signal) == pytest.approx(-6.0206, abs=1e-4)


def test_sdr_of_silence_is_finite() -> None:
    silence = np.zeros((2, 100), np.float32)
    assert sdr(silence, silence) == 0
    assert sdr(silence, silence + 1) < -90


def test_a_filtered_copy_is_spatial_distortion_alone() -> None:
    reference = noise(1, 2, 4 * RATE)
    estimate = 0.5 * reference + 0.25 * np.roll(reference, 10, axis=-1)
    estimate[..., :10] = 0.5 * reference[..., :10]
    measured = bss_eval(reference, estimate, 4 * RATE)
    np.testing.assert_allclose(measured.isr, measured.sdr, atol=0.01)
    assert measured.sar[0, 0] > 30
    assert measured.sir[0, 0] > 100


def test_leakage_is_interference() -> None:
    references = noise(2, 1, 4 * RATE)
    estimates = references + 0.1 * references[::-1]
    measured = bss_eval(references, estimates, 4 * RATE)
    np.testing.assert_allclose(measured.sir, 20, atol=0.3)
    assert (measured.sar > 60).all()


def test_noise_is_artifacts() -> None:
    references = noise(2, 1, 10 * RATE)
    estimates = references + 0.1 * noise(2, 1, 10 * RATE, seed=1)
    measured = bss_eval(references, estimates, 10 * RATE)
    # 512 taps of each of two stems explain that much of any noise.
    explained = 10 * np.log10(1 - 2 * TAPS / (10 * RATE))
    np.testing.assert_allclose(measured.sar, 20 - explained, atol=0.3)
    assert (measured.sir > 30).all()


def test_windows_with_a_silent_stem_are_not_measured() -> None:
    references = noise(2, 1, 3 * RATE)
    references[0, :, RATE : 2 * RATE] = 0
    measured = bss_eval(references, references + 0.1 * noise(2, 1, 3 * RATE, seed=1), RATE)
    np.testing.assert_array_equal(np.isnan(measured.sdr), [[False, True, False]] * 2)


def test_what_cannot_be_measured_is_refused() -> None:
    stems = noise(2, 1, RATE)
    with pytest.raises(ValueError, match="shape"):
        bss_eval(stems, stems[:1], RATE)
    with pytest.raises(ValueError, match="silent"):
        bss_eval(stems * np.array([1, 0], np.float32)[:, None, None], stems, RATE)


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "length"), [(1, 2 * RATE), (2, 3 * RATE + 1_234), (2, RATE // 2)])
def test_noise_as_museval(channels: int, length: int) -> None:
    references = noise(2, channels, length)
    references[0] = np.cumsum(references[0], axis=-1) / 50
    estimates = references + 0.3 * np.roll(references, 7, axis=-1) + 0.2 * references[::-1]
    estimates += 0.1 * noise(*references.shape, seed=1)
    if length > 2 * RATE:
        references[0, :, RATE : 2 * RATE] = 0
    assert_as_museval(references, estimates, RATE)


@pytest.mark.slow
def test_a_song_as_museval() -> None:
    # With the noise floor of a recording: among pure tones the filters are not determined, and museval's own
    # figures depend on the order in which it adds up.
    references = np.stack(list(songs.stems(3.0).values()))
    references += 1e-3 * noise(*references.shape, seed=2)
    mixture = references.sum(axis=0)
    estimates = 0.8 * references + 0.1 * mixture + 0.01 * noise(*references.shape)
    assert_as_museval(references, estimates.astype(np.float32), 44_100)
