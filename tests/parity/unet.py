"""Spleeter's network evaluated plainly: numpy, float32, the batch norms where the definition has them.

Shares nothing with `demixer.graphs.spleeter`: the convolutions are matrix products over shifted copies,
padded by TensorFlow's rule for "same"; a transposed convolution is the adjoint of one, its contributions scattered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Network = Mapping[str, Array]

LEVELS: Final = 6
STRIDE: Final = 2


def share(network: Network, magnitude: Array) -> Array:
    """The network's estimate of one stem's share of each bin.

    Parameters
    ----------
    network : mapping of str to np.ndarray
        Parameters by their names in the checkpoint.
    magnitude : np.ndarray [shape=(channels, frames, bins)], float32

    Returns
    -------
    np.ndarray [shape=(channels, frames, bins)], float32
    """
    skips = []
    x = magnitude
    for level in range(1, LEVELS + 1):
        convolved = convolve(x, *layer(network, f"down{level}_conv.1"))
        skips.append(convolved)
        x = batch_norm(network, f"down{level}_act.0", convolved)
        x = np.where(x > 0, x, np.float32(0.2) * x)

    x = skips.pop()
    for level in range(1, LEVELS + 1):
        if level > 1:
            x = np.concatenate([skips.pop(), x])
        x = np.maximum(deconvolve(x, *layer(network, f"up{level}.0")), 0)
        x = batch_norm(network, f"up{level}.3", x)
    logit = dilated(x, *layer(network, "up7.0"))
    return np.asarray(1 / (1 + np.exp(-logit)), np.float32)


def layer(network: Network, name: str) -> tuple[Array, Array]:
    """Kernel and bias."""
    return network[f"{name}.weight"], network[f"{name}.bias"][:, None, None]


def batch_norm(network: Network, name: str, x: Array) -> Array:
    """By its definition, with what was measured in training."""
    gain, offset, mean, variance = (
        network[f"{name}.{part}"][:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
    )
    return np.asarray((x - mean) / np.sqrt(variance + np.float32(1e-3)) * gain + offset, np.float32)


def convolve(x: Array, kernel: Array, bias: Array) -> Array:
    """Stride two, padded by the rule for "same": what is missing, the smaller half of it before."""
    before, after = same(x.shape[1], kernel.shape[-1])
    padded = np.pad(x, [(0, 0), (before, after), (before, after)])
    rows, columns = x.shape[1] // STRIDE, x.shape[2] // STRIDE
    taps = [
        padded[:, i : i + STRIDE * rows : STRIDE, j : j + STRIDE * columns : STRIDE]
        for i in range(kernel.shape[2])
        for j in range(kernel.shape[3])
    ]
    positions = np.stack([tap.reshape(len(tap), -1) for tap in taps], axis=1)  # [channels, taps, positions]
    product: Array = kernel.reshape(len(kernel), -1) @ positions.reshape(-1, rows * columns)
    return product.reshape(-1, rows, columns) + bias


def deconvolve(x: Array, kernel: Array, bias: Array) -> Array:
    """The adjoint of `convolve`: every value scatters a kernel, and what falls on the padding is dropped."""
    rows, columns = STRIDE * x.shape[1], STRIDE * x.shape[2]
    size = kernel.shape[-1]
    before, after = same(rows, size)
    canvas = np.zeros((kernel.shape[1], before + rows + after, before + columns + after), np.float32)
    for i in range(size):
        for j in range(size):
            scattered = np.tensordot(kernel[:, :, i, j], x, axes=(0, 0))
            canvas[:, i : i + rows : STRIDE, j : j + columns : STRIDE] += scattered
    return canvas[:, before : before + rows, before : before + columns] + bias


def dilated(x: Array, kernel: Array, bias: Array) -> Array:
    """Kernel 4 x 4 that takes every second value: it spans seven, so that three are missing on each side."""
    padded = np.pad(x, [(0, 0), (3, 3), (3, 3)])
    total = np.zeros((kernel.shape[0], *x.shape[1:]), np.float32)
    for i in range(4):
        for j in range(4):
            shifted = padded[:, 2 * i : 2 * i + x.shape[1], 2 * j : 2 * j + x.shape[2]]
            total += np.tensordot(kernel[:, :, i, j], shifted, axes=(1, 0))
    return total + bias


def same(size: int, kernel: int) -> tuple[int, int]:
    """Padding before and after, so that a stride of two halves the size exactly."""
    missing = max((size // STRIDE - 1) * STRIDE + kernel - size, 0)
    return missing // 2, missing - missing // 2
