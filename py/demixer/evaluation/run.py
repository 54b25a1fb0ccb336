"""Runs jobs in processes or on a Dask cluster, and keeps each result at once, so that a second run resumes."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path

from demixer.errors import RuntimeFailure
from demixer.evaluation import score
from demixer.evaluation.score import Failure, Job, Result

Outcome = Result | Failure


def run(
    jobs: Sequence[Job], workers: Executor, kept: Path, done: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Run every job that has no result yet, or a stale one.

    Parameters
    ----------
    jobs : sequence of Job
    workers : Executor
        `processes` or `cluster`.
    kept : Path
        Folder of results, one file a job; failures are not kept.
    done : callable
        Called with every outcome as it arrives.

    Returns
    -------
    list of Result or Failure
        In the order of `jobs`.

    Raises
    ------
    RuntimeFailure
        `runtime/out-of-memory` when a worker is killed from outside.
    """
    kept.mkdir(parents=True, exist_ok=True)
    outcomes: dict[str, Outcome] = {}
    running: dict[Future[Outcome], Job] = {}
    for job in jobs:
        result = _read(kept / f"{job.key}.json")
        if result and result.code == job.code:
            outcomes[job.key] = result
            done(result)
        else:
            running[workers.submit(score.run, job)] = job
    for future in as_completed(running):
        key = running[future].key
        try:
            outcomes[key] = future.result()
        except Exception as error:  # each kind of executor has its own
            workers.shutdown(wait=False, cancel_futures=True)
            raise RuntimeFailure(
                "runtime/out-of-memory",
                f"A worker died: {error}",
                "Use fewer --jobs, then run this again: finished songs are kept.",
            ) from error
        _keep(outcomes[key], kept / f"{key}.json")
        done(outcomes[key])
    return [outcomes[job.key] for job in jobs]


def processes(count: int) -> AbstractContextManager[Executor]:
    """Processes on this machine; spawned, since onnxruntime's threads do not survive a fork."""
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def threads(count: int) -> int:
    """Number of threads for each of that many processes."""
    return max(1, (os.cpu_count() or 1) // count)


def _read(file: Path) -> Result | None:
    """The kept result; None when there is none, or one of another form."""
    if not file.exists():
        return None
    try:
        return Result(**json.loads(file.read_text(encoding="utf-8")))
    except (TypeError, ValueError):
        return None


def _keep(outcome: Outcome, file: Path) -> None:
    if isinstance(outcome, Result):
        part = file.with_suffix(".part")
        part.write_text(json.dumps(asdict(outcome), indent=1), encoding="utf-8")
        part.replace(file)
