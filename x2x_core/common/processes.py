"""Distribution of work to processes, a few items at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from x2x_core.common.errors import WorkerLostError


def usable_cores() -> int:
    """Count the cores that this process may use; a scheduler or container can limit them."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def processes_for(items: Sized, workers: int | None = None) -> int:
    """Return the number of processes for some items, at least 1; ``None`` workers: one per core."""
    return max(1, min(workers or usable_cores(), len(items)))


def distribute(
    work: Callable[[Any], Any],
    items: Iterable[Any],
    workers: int,
    start: Callable[..., None] | None = None,
    started_with: tuple[Any, ...] = (),
) -> Iterator[Any]:
    """Call `work` on every item; yields each result as it arrives, in any order. Only a few items are queued at a time.

    Args:
        work: a module-level function of one item.
        items: any iterable, also an unlimited stream.
        workers: number of processes; 1 does all work in this process.
        start: called once in each process, before any work.
        started_with: arguments of `start`.

    Raises:
        WorkerLostError: a process was killed.
    """
    items = iter(items)
    if workers == 1:
        if start:
            start(*started_with)
        yield from map(work, items)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_process, (start, started_with)) as pool:
        waiting: set[Future[Any]] = {pool.submit(work, item) for item in islice(items, 2 * workers)}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                waiting |= {pool.submit(work, item) for item in islice(items, len(finished))}
                yield from (future.result() for future in finished)
        except BrokenProcessPool as error:
            raise WorkerLostError(
                "A process was killed, perhaps for lack of memory. Start again to continue; fewer "
                "`--workers` need less memory."
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _start_process(start: Callable[..., None] | None, started_with: tuple[Any, ...]) -> None:
    # A process whose parent was killed would wait for work forever.
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles interruptions
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    if start:
        start(*started_with)


def _leave_with_parent() -> None:
    """Exit when the parent process ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
