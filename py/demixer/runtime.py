"""Interface to an ONNX runtime: numpy arrays in, numpy arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Float = npt.NDArray[np.float32]


class Session(Protocol):
    """A network loaded into a runtime."""

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        """Run the network once.

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
    """A `Session` with the figures that its runtime adds: `runtimes.native` and `runtimes.web`."""

    @property
    def ahead(self) -> int:
        """Number of runs to request beyond the one being awaited, which keeps the device busy."""
        ...

    @property
    def seconds(self) -> float:
        """Time of all runs so far, without waiting for their turn."""
        ...
