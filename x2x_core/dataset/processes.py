"""Work dealt to processes, a little at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from x2x_core.common.errors import WorkerLostError


def usable_cores() -> int:
    """The cores that this process may use, which a cluster's scheduler or container can make fewer than there are."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def deal(
    work: Callable[[Any], Any],
    items: Iterable[Any],
    workers: int,
    start: Callable[..., None] | None = None,
    started_with: tuple = (),
) -> Iterator[Any]:
    """Do `work` on every item; yields each result as it comes, in any order. A few items wait in line, not all.

    Args:
        work: a function of a module, of one item.
        items: may be a stream.
        workers: processes; 1: all is done in this one.
        start: called once in each process with `started_with`, before any work.

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
        waiting: set[Future] = {pool.submit(work, item) for item in islice(items, 2 * workers)}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                waiting |= {pool.submit(work, item) for item in islice(items, len(finished))}
                yield from (future.result() for future in finished)
        except BrokenProcessPool as error:
            raise WorkerLostError(
                "A process was killed, perhaps for lack of memory. Start again to go on where it was; fewer "
                "`--workers` need less memory."
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _start_process(start: Callable[..., None] | None, started_with: tuple) -> None:
    # A process whose parent was killed outright would wait for work for ever.
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interruption is the parent's to deal with
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    if start:
        start(*started_with)


def _leave_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
