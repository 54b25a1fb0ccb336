"""The sorting network against `numpy.median`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demixer.median import median_filter


@given(
    st.sampled_from([3, 5, 9, 17, 33]),
    st.integers(1, 90),
    st.integers(1, 40),
    st.booleans(),
    st.integers(0, 99),
)
def test_every_median_is_exact(size: int, length: int, width: int, fortran: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Few different values, so that ties occur, and a wide range of magnitudes with zeros.
    values = rng.choice([0, 1e-40, 1e-9, 0.5, 1, 3, 1e20], (length, width)).astype(np.float32)
    values = np.asfortranarray(values) if fortran else values
    before = values.copy()
    mirrored = np.pad(values, ((size // 2, size // 2), (0, 0)), mode="symmetric")
    expected = np.median(np.lib.stride_tricks.sliding_window_view(mirrored, size, axis=0), axis=-1)
    assert np.array_equal(median_filter(values, size), expected)
    assert np.array_equal(values, before)


def test_arrays_wider_than_a_stripe() -> None:
    values = np.random.default_rng(0).random((40, 3000), np.float32)
    mirrored = np.pad(values, ((4, 4), (0, 0)), mode="symmetric")
    expected = np.median(np.lib.stride_tricks.sliding_window_view(mirrored, 9, axis=0), axis=-1)
    assert np.array_equal(median_filter(values, 9), expected)
    assert np.array_equal(median_filter(np.asfortranarray(values), 9), expected)


@pytest.mark.parametrize("size", [-3, 0, 1, 2, 4, 7, 15, 31])
def test_sizes_that_the_network_has_not(size: int) -> None:
    with pytest.raises(ValueError, match="size"):
        median_filter(np.ones((50, 2), np.float32), size)
