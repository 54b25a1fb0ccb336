"""onnxruntime on this machine's processor: the sessions of the command line and the tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import onnxruntime as ort

from demixer.errors import ModelError, RuntimeFailure
from demixer.runtime import Float


class NativeSession:
    """A network loaded by onnxruntime's CPU provider.

    Parameters
    ----------
    path : Path
        The ONNX file.
    threads : int
        Number of threads; 0 for one a core.

    Raises
    ------
    ModelError
        `model/integrity` when the file is not a graph that onnxruntime can load.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # The memory pattern of the first run would be allocated in the second beside the memory of the first.
        options.enable_mem_pattern = False
        try:
            self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions share no public base class
            raise ModelError(
                "model/integrity",
                f"The model file {path.name} cannot be loaded.",
                "Run `python build.py site` to build it again.",
            ) from error
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._turns = ThreadPoolExecutor(1)  # one run at a time, on all cores
        self.ahead = 1
        self.seconds = 0.0

    async def run(self, feeds: Mapping[str, Float]) -> dict[str, Float]:
        """Run the network once, in a thread and in turn, so that other segments can be prepared meanwhile."""
        try:
            arrays = await asyncio.get_running_loop().run_in_executor(self._turns, self._compute, dict(feeds))
        except MemoryError as error:
            raise RuntimeFailure(
                "runtime/out-of-memory", "There is not enough memory to run the model.", "Close other programs."
            ) from error
        except Exception as error:
            raise RuntimeFailure("runtime/failed", f"The model could not be run: {error}") from error
        return dict(zip(self._outputs, arrays, strict=True))

    def _compute(self, feeds: dict[str, Float]) -> list[Any]:
        begin = time.perf_counter()
        try:
            return list(self._session.run(self._outputs, feeds))
        finally:
            self.seconds += time.perf_counter() - begin
