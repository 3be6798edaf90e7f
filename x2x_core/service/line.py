"""Line in front of a service's workers: a number of places, and one job at a time for each worker."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

Worker = TypeVar("Worker")
Result = TypeVar("Result")
Job = Callable[[Worker, threading.Event], Result]
_LONGEST_WAIT = 600  # seconds that a client is told to wait


class BusyError(Exception):
    """All places are taken.

    Args:
        retry_after: whole seconds after which a place may be free.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"All places are taken: try again in {retry_after} s.")
        self.retry_after = retry_after


class Line(Generic[Worker]):
    """Places in line and the workers behind it; to be used from one event loop.

    Args:
        workers: each runs one job at a time, in a thread.
        waiting: requests that may wait beside those that run.
    """

    def __init__(self, workers: Sequence[Worker], waiting: int) -> None:
        self.places = len(workers) + waiting
        self.taken = 0
        self.running = 0
        self._workers = len(workers)
        self._idle: asyncio.Queue[Worker] = asyncio.Queue()
        for worker in workers:
            self._idle.put_nowait(worker)
        self._threads = ThreadPoolExecutor(len(workers), "x2x-edit")
        self._usual = 5.0  # seconds of a job

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place in line while the context is open.

        Raises:
            BusyError: there is none.
        """
        if self.taken >= self.places:
            raise BusyError(self.retry_after())
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    def retry_after(self) -> int:
        """Return the whole seconds after which a place may be free, by how long jobs took lately."""
        return min(max(math.ceil(self._usual * self.taken / self._workers), 1), _LONGEST_WAIT)

    async def run(self, job: Job[Worker, Result]) -> Result:
        """Run a job on the next idle worker.

        A cancelled call sets the job's event and returns at once; the worker is idle again when the job has ended.

        Args:
            job: called in a thread with a worker and the event that tells it to stop.
        """
        worker = await self._idle.get()
        stop, began = threading.Event(), time.monotonic()
        self.running += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, job, worker, stop)

        def finish(done: asyncio.Future[Result]) -> None:
            self.running -= 1
            self._idle.put_nowait(worker)
            if not done.cancelled() and done.exception() is None:
                self._usual = 0.7 * self._usual + 0.3 * (time.monotonic() - began)

        future.add_done_callback(finish)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            stop.set()
            raise

    def close(self) -> None:
        """Let running jobs end, and start no others."""
        self._threads.shutdown(wait=False, cancel_futures=True)
