"""The transform against its definition, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demixer.stft import STFT, Real, Spectrum

Complex = npt.NDArray[np.complex128]

CONVENTIONS = st.integers(2, 128).flatmap(
    lambda half: st.builds(
        STFT,
        n_fft=st.just(2 * half),
        hop=st.integers(1, 2 * half // 3),
        normalized=st.booleans(),
        padding=st.sampled_from(["reflect", "zero"]),
    )
)


def noise(*shape: int) -> Real:
    return np.random.default_rng(shape).uniform(-1, 1, shape).astype(np.float32)


def slow_stft(samples: Real, convention: STFT) -> Complex:
    """The definition, frame for frame, in double precision."""
    n_fft, hop = convention.n_fft, convention.hop
    window = np.sin(np.pi * np.arange(n_fft) / n_fft) ** 2
    window /= np.sqrt(n_fft) if convention.normalized else 1
    half = n_fft // 2
    padded = np.pad(samples.astype(np.float64), half, "reflect" if convention.padding == "reflect" else "constant")
    frames = [window * padded[start : start + n_fft] for start in range(0, len(padded) - n_fft + 1, hop)]
    turns = np.outer(np.arange(half + 1), np.arange(n_fft)) / n_fft
    return np.asarray(np.exp(-2j * np.pi * turns) @ np.transpose(frames))


def slow_istft(spectrum: Spectrum, convention: STFT, length: int) -> npt.NDArray[np.float64]:
    """Griffin and Lim's least-squares inverse, one frame after the other, in double precision."""
    n_fft, hop = convention.n_fft, convention.hop
    window = np.sin(np.pi * np.arange(n_fft) / n_fft) ** 2
    total = np.zeros((spectrum.shape[-1] - 1) * hop + n_fft)
    weight = np.zeros_like(total)
    for index, frame in enumerate(spectrum.astype(np.complex128).T):
        place = slice(index * hop, index * hop + n_fft)
        total[place] += window * np.fft.irfft(frame, n_fft) * (np.sqrt(n_fft) if convention.normalized else 1)
        weight[place] += window**2
    half = n_fft // 2
    return np.asarray(total[half : half + length] / weight[half : half + length])


@given(CONVENTIONS, st.integers(1, 700), st.sampled_from([(), (1,), (2,), (3, 2)]))
def test_round_trip_at_every_length_and_hop(convention: STFT, length: int, leading: tuple[int, ...]) -> None:
    samples = noise(*leading, length)
    spectrum = convention.stft(samples)
    restored = convention.istft(spectrum, length)
    assert spectrum.shape == (*leading, convention.bins, convention.frames(length))
    assert [spectrum.dtype.name, restored.dtype.name] == ["complex64", "float32"]
    assert restored.shape == samples.shape
    assert np.abs(restored - samples).max() <= 1e-6


@pytest.mark.parametrize("n_fft", [1024, 4096, 16_384])
@pytest.mark.parametrize("length", [1, 1000, 343_980])
def test_round_trip_at_the_sizes_in_use(n_fft: int, length: int) -> None:
    convention = STFT(n_fft, n_fft // 4)
    samples = noise(2, length)
    assert np.abs(convention.istft(convention.stft(samples), length) - samples).max() <= 1e-6


@given(CONVENTIONS, st.integers(1, 500))
def test_the_definition(convention: STFT, length: int) -> None:
    samples = noise(length)
    expected = slow_stft(samples, convention)
    assert np.abs(convention.stft(samples) - expected).max() <= 1e-6 * np.abs(expected).max() + 1e-7


@given(CONVENTIONS, st.integers(1, 20))
def test_the_inverse_of_a_spectrogram_that_is_no_transform(convention: STFT, frames: int) -> None:
    length = 1 + (frames - 1) * convention.hop
    parts = noise(2, convention.bins, frames)
    spectrum = (parts[0] + 1j * parts[1]).astype(np.complex64)
    expected = slow_istft(spectrum, convention, length)
    restored = convention.istft(spectrum, length)
    assert np.abs(restored - expected).max() <= 2e-6 * max(np.abs(expected).max(), 1)


@pytest.mark.parametrize("n_fft", [64, 1000, 4096])
def test_a_frame_does_not_depend_on_those_beside_it(n_fft: int) -> None:
    convention = STFT(n_fft, n_fft // 4)
    samples = noise(3, 8 * n_fft)
    spectrum = convention.stft(samples)
    later = convention.stft(samples[:, n_fft:])
    assert np.array_equal(spectrum[..., 6:], later[..., 2:])
    assert np.array_equal(convention.stft(samples[1]), spectrum[1])
    assert np.array_equal(
        convention.istft(spectrum[1, :, :9], 4 * n_fft // 4), convention.istft(spectrum, 8 * n_fft)[1, :n_fft]
    )


def test_a_sine_on_a_bin_is_found_there() -> None:
    convention = STFT(512, 128)
    spectrum = np.abs(convention.stft(np.cos(2 * np.pi * 37 / 512 * np.arange(5120)).astype(np.float32)))
    assert np.all(spectrum[:, 4:-4].argmax(axis=0) == 37)
    np.testing.assert_allclose(spectrum[37, 4:-4], 512 / 4, rtol=1e-5)


def test_samples_beyond_the_last_frame_are_zero() -> None:
    convention = STFT(64, 16)
    samples = noise(2, 160)
    restored = convention.istft(convention.stft(samples), 1000)
    assert np.abs(restored[:, :160] - samples).max() <= 1e-6
    assert restored.shape == (2, 1000)
    assert not restored[:, 160 + 32 :].any()


def test_arguments_are_left_alone() -> None:
    convention = STFT(64, 16)
    samples = noise(2, 160)
    before = samples.copy()
    spectrum = convention.stft(samples)
    kept = spectrum.copy()
    convention.istft(spectrum, 160)
    assert np.array_equal(samples, before)
    assert np.array_equal(spectrum, kept)


@pytest.mark.parametrize(("n_fft", "hop"), [(3, 1), (2, 1), (0, 1), (64, 0), (64, 22), (64, -1)])
def test_impossible_sizes_are_refused(n_fft: int, hop: int) -> None:
    with pytest.raises(ValueError, match="n_fft"):
        STFT(n_fft, hop)
