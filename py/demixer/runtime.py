"""The border to an ONNX runtime: numpy arrays in, numpy arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float32]


class Session(Protocol):
    """One loaded model."""

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        """Run the graph once.

        Parameters
        ----------
        feeds : mapping of str to np.ndarray, float32
            One array for each input; never modified.

        Returns
        -------
        dict of str to np.ndarray, float32
            One array for each output, owned by the caller.

        Raises
        ------
        RuntimeFailure
            `runtime/failed`, `runtime/out-of-memory` or `runtime/device-lost`.
        """
        ...


class Loaded(Session, Protocol):
    """A `Session` as its runtime gives it: `runtimes.native` and `runtimes.web`."""

    @property
    def ahead(self) -> int:
        """How many runs to ask for beyond the one that is waited for, so that the device always has work."""
        ...

    @property
    def seconds(self) -> float:
        """What all its runs took so far, without waiting for their turn."""
        ...
