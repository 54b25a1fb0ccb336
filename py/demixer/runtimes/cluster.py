"""Dask clusters as executors."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from demixer.errors import RuntimeFailure


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a running Dask scheduler, which must see the songs and the models under the same paths.

    Raises
    ------
    RuntimeFailure
        `runtime/start-failed` when Dask is not installed or the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise RuntimeFailure(
            "runtime/start-failed", "Dask is not installed.", "Run `pip install 'demixer[cluster]'` first."
        ) from error
    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RuntimeFailure(
            "runtime/start-failed", f"No Dask scheduler answers at {address}.", "Check the address and the network."
        ) from error
    with client, client.get_executor(pure=False) as workers:
        yield workers
