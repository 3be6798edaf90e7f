"""Editing of rows by several processes or machines: a pipeline of Ray Data whose actors hold the model.

Each block is the rows of one image, and one actor takes it. Results stream back row by row to this process, which alone
writes them. So the output folder needs no disk that all machines share, only the images do, and what holds of one
process holds of many: a row is there as a whole or not at all.

Ray Data gives the block of a process that ended to a new one without end. A ledger, an actor that outlives the workers,
counts how often they ended in a row, and ends that.
"""

from __future__ import annotations

import logging
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra

from .plan import Group, Row
from .software import check_software, software
from .worker import Files, Worker, WorkerSettings, error_files

Commit = Callable[[Row, Files], None]
_BLOCK, _ROW, _RESULT = "block", "row", "result"  # columns


@dataclass(frozen=True)
class RayEngine:
    """Engine that edits rows on a Ray cluster: the one of RAY_ADDRESS, or processes of this machine.

    Args:
        workers: number of actors; ``None``: as many as the cluster has processors, or GPUs if `gpus` is not 0.
        gpus: of each actor.
        retries: how often a row is tried again whose process ended, before it gets an error.
    """

    workers: int | None = None
    gpus: float = 0
    retries: int = 3

    def __call__(self, settings: WorkerSettings, groups: Sequence[Group], commit: Commit) -> None:
        """Edit the rows of all groups; see `x2x_core.batch.run.Engine`."""
        with needs_extra("The engine ray", "Ray Data", "ray"):
            import ray
            import ray.data
        import torch

        if settings.threads is None:  # Ray starts an actor with one thread, which rounds sums otherwise
            settings = replace(settings, threads=torch.get_num_threads())
        is_own = not ray.is_initialized()
        if is_own:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
            logging.getLogger(ray.data.__name__).setLevel(logging.ERROR)
        try:
            self._edit(ray, settings, groups, commit)
        finally:
            if is_own:
                ray.shutdown()

    def _edit(self, ray: Any, settings: WorkerSettings, groups: Sequence[Group], commit: Commit) -> None:
        count = self.workers or int(ray.cluster_resources().get("GPU" if self.gpus else "CPU", 1))
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        ledger = ray.remote(num_cpus=0, scheduling_strategy=here)(Ledger).remote()
        blocks = [{_BLOCK: ray.cloudpickle.dumps(group)} for group in groups]
        results = ray.data.from_items(blocks, override_num_blocks=len(blocks)).map_batches(
            RayWorker,
            fn_constructor_args=(settings, software(), ledger, self.retries),
            compute=ray.data.ActorPoolStrategy(size=min(max(1, count), len(groups)), max_tasks_in_flight_per_actor=1),
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=1,
            num_gpus=self.gpus,
        )
        results.context.target_max_block_size = 1  # byte: each row comes back as soon as it is edited
        results.context.execution_no_progress_timeout_s = -1
        results.context.enable_progress_bars = False
        left = {row.number: row for group in groups for row in group.rows}
        with closing(iter(results.iter_batches(batch_size=1, batch_format="pyarrow", prefetch_batches=0))) as stream:
            for table in stream:
                number, result = table[_ROW][0].as_py(), pickle.loads(table[_RESULT][0].as_py())
                if isinstance(result, InputError):
                    raise result
                if result is not None:
                    commit(left.pop(number), result)
                    ledger.write.remote(number)
        if left:
            raise RuntimeError(f"Ray returned no result of the rows {sorted(left)}.")


class Ledger:
    """Record of the rows that are begun and of those that are written."""

    def __init__(self) -> None:
        self._begun: Counter[int] = Counter()
        self._written: set[int] = set()

    def begin(self, row: int) -> int | None:
        """Return how often processes ended in a row that is begun now, ``None`` if its results are written."""
        if row in self._written:
            return None
        self._begun[row] += 1
        return self._begun[row] - 1

    def end(self, row: int) -> None:
        """Note that the row's results are on their way."""
        self._begun[row] -= 1

    def write(self, row: int) -> None:
        """Note that the row's results are written."""
        self._written.add(row)


class RayWorker:
    """Worker in a process of its own, which must run the software of the one that starts it.

    Args:
        settings: see `WorkerSettings`.
        started_by: what `software` returned in the process that starts this one.
        ledger: an actor with a `Ledger`.
        retries: see `RayEngine`.
    """

    def __init__(self, settings: WorkerSettings, started_by: Mapping[str, str], ledger: Any, retries: int) -> None:
        self._settings, self._started_by, self._ledger, self._retries = settings, started_by, ledger, retries
        self._worker: Worker | None = None

    def __call__(self, block: Any) -> Iterator[Any]:
        """Edit the rows of a block: one table with row and result for each."""
        import pyarrow
        import ray

        group: Group = pickle.loads(block[_BLOCK][0].as_py())
        for row in group.rows:
            ends = ray.get(self._ledger.begin.remote(row.number))
            result = None if ends is None else self._result(row, group.is_shared, ends)
            yield pyarrow.table({_ROW: [row.number], _RESULT: [pickle.dumps(result)]})
            if ends is not None:
                self._ledger.end.remote(row.number)

    def _result(self, row: Row, is_shared: bool, ends: int) -> Files | InputError:
        """Return the files of a row in which processes have ended so often; an error that ends the batch as a value."""
        if ends > self._retries:
            return error_files(row, f"The process that edited this row ended, {ends} times.")
        try:
            if self._worker is None:  # not when the process starts: the message of an actor that cannot start is lost
                check_software(self._started_by)
                self._worker = Worker(self._settings)
            return self._worker.edit(row, is_shared)
        except InputError as error:
            return error


def check_engine(name: str, workers: int | None) -> None:
    """Check the choice of an engine.

    Raises:
        InputError: another name, or a number of workers that does not fit.
    """
    if name not in ("local", "ray"):
        raise InputError(f"`engine` must be local or ray, got {name!r}.")
    if workers is not None and name != "ray":
        raise InputError("`workers` requires `engine='ray'`: the local engine is one process.")
    if workers is not None and workers < 1:
        raise InputError(f"`workers` must be at least 1, got {workers}.")
