"""Samples as bytes of files: layouts read back, rounding, dither and clipping."""

from __future__ import annotations

import asyncio
from hashlib import md5
from io import BytesIO

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from demixer.audio import Clip, Samples
from demixer.pcm import Bytes, Layout, Quantiser, Rendering


def noise(length: int = 5_000, scale: float = 0.2) -> Samples:
    return np.random.default_rng(2).normal(0, scale, (2, length)).astype(np.float32)


def rendered(samples: Samples, layout: Layout, seed: int = 0, cut: int = 777) -> tuple[Bytes, int]:
    rendering = Rendering(Clip(samples, 44_100), layout, seed)

    async def read() -> list[Bytes]:
        return [await rendering.read(0, cut), await rendering.read(cut, samples.shape[1])]

    return np.concatenate(asyncio.run(read())), rendering.clipped


@pytest.mark.parametrize(("wide", "packed"), [("wide16", "packed16"), ("wide24", "packed24")])
def test_the_digest_is_that_of_the_samples_of_a_wav_file(wide: Layout, packed: Layout) -> None:
    samples = noise()
    rendering = Rendering(Clip(samples, 44_100), wide, 0)
    for start, stop in ((0, 777), (777, samples.shape[1])):
        asyncio.run(rendering.read(start, stop))
    assert rendering.digest == md5(rendered(samples, packed)[0].tobytes(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(("layout", "subtype"), [("packed16", "PCM_16"), ("packed24", "PCM_24"), ("float", "FLOAT")])
def test_packed_layouts_are_what_a_wav_file_has(layout: Layout, subtype: str) -> None:
    samples = noise()
    data, clipped = rendered(samples, layout)
    read, _ = soundfile.read(
        BytesIO(data.tobytes()),
        format="RAW",
        subtype=subtype,
        channels=2,
        samplerate=44_100,
        endian="LITTLE",
        dtype="float64",
    )
    steps = {"packed16": 2.0**-15, "packed24": 2.0**-23, "float": 0.0}[layout]
    # The dither of 16 bits is up to one step wide on each side, besides the rounding.
    assert np.abs(read.T - samples).max() <= (1.5 if layout == "packed16" else 0.5) * steps
    assert clipped == 0


@pytest.mark.parametrize("bits", [16, 24])
def test_wide_layouts_hold_the_same_steps(bits: int) -> None:
    layouts: dict[int, tuple[Layout, Layout]] = {16: ("wide16", "packed16"), 24: ("wide24", "packed24")}
    wide, packed = (rendered(noise(), layout)[0] for layout in layouts[bits])
    assert np.array_equal(wide.view(np.int32).view(np.uint8).reshape(-1, 4)[:, 4 - bits // 8 :].ravel(), packed)


def test_planes_follow_each_other_in_each_block() -> None:
    planar, packed = rendered(noise(), "planar16")[0].view(np.int16), rendered(noise(), "packed16")[0].view(np.int16)
    first, rest = np.split(planar, [2 * 777])
    together = np.concatenate([first.reshape(2, -1), rest.reshape(2, -1)], axis=1)
    # Dither is drawn block by block, in the same order for both.
    assert np.array_equal(together, packed.reshape(-1, 2).T)


@given(st.floats(1.0, 1e6, width=32), st.sampled_from([16, 24]), st.integers(0, 5))
def test_what_is_beyond_full_scale_is_clipped_and_never_wraps(peak: float, bits: int, seed: int) -> None:
    quantiser = Quantiser(bits, seed)
    steps = quantiser.push(np.array([[peak, -peak, peak, -peak]], np.float32))
    full = 2 ** (bits - 1)
    # Dither may take two steps off full scale itself.
    assert (steps[0, ::2] >= full - 3).all()
    assert (steps[0, ::2] <= full - 1).all()
    assert (steps[0, 1::2] <= -full + 2).all()
    assert (steps[0, 1::2] >= -full).all()
    assert quantiser.clipped == (4 if peak > 1 else 0)


class TestDither:
    def test_makes_the_error_independent_of_a_quiet_signal(self) -> None:
        """A tone below half a step is lost by rounding; with dither it is there, in noise of half a step's power."""
        step = 2.0**-15
        tone = 0.3 * step * np.sin(np.arange(1 << 16) * 0.05)
        steps = Quantiser(16, 0).push(tone[np.newaxis].astype(np.float32))[0]
        assert not np.rint(tone / step).any()
        amplitude = 2 * np.mean(steps * np.sin(np.arange(steps.size) * 0.05))
        assert amplitude == pytest.approx(0.3, abs=0.02)
        # Triangular dither of two steps' width has a variance of 1/6, rounding of 1/12: together 1/4.
        assert np.var(steps - tone / step) == pytest.approx(0.25, abs=0.01)

    def test_is_another_one_for_another_seed_and_the_same_for_the_same(self) -> None:
        samples = noise()
        first, again, other = (rendered(samples, "packed16", seed)[0] for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_is_left_out_where_rounding_is_inaudible(self) -> None:
        assert not Quantiser(24, 0).push(np.zeros((1, 1_000), np.float32)).any()
