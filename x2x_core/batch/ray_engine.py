"""Editing of rows by several processes or machines, through Ray: actors that hold a model, and rows that are retried.

Actors return the files of a row; this process alone writes them. So the output folder needs no disk that all machines
share, only the images do, and what holds of one process holds of many: a row is there as a whole or not at all.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.common.extras import needs_extra

from .plan import Group, Row
from .software import check_software, software
from .worker import Files, Worker, WorkerSettings, error_files

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RayEngine:
    """Engine that edits rows on a Ray cluster: the one of RAY_ADDRESS, or processes of this machine.

    Args:
        workers: number of actors; ``None``: as many as the cluster has processors, or GPUs if `gpus` is not 0.
        gpus: of each actor.
        retries: how often a row is tried again whose actor died, before it gets an error.
    """

    workers: int | None = None
    gpus: float = 0
    retries: int = 3

    def __call__(self, settings: WorkerSettings, groups: Sequence[Group], commit: Callable[[Row, Files], None]) -> None:
        """Edit the rows of all groups; see `x2x_core.batch.run.Engine`."""
        with needs_extra("The engine ray", "Ray", "ray"):
            import ray
        import torch

        if settings.threads is None:  # Ray starts an actor with one thread, which rounds sums otherwise
            settings = replace(settings, threads=torch.get_num_threads())
        is_own = not ray.is_initialized()
        if is_own:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        try:
            count = self.workers or int(ray.cluster_resources().get("GPU" if self.gpus else "CPU", 1))
            pool = _Pool(ray, settings, self, min(max(1, count), len(groups)))
            pool.edit(groups, commit)
        finally:
            if is_own:
                ray.shutdown()


class RemoteWorker(Worker):
    """Worker in a process of its own, which must run the software of the one that starts it.

    Args:
        settings: see `WorkerSettings`.
        started_by: what `software` returned in the process that starts this one.
    """

    def __init__(self, settings: WorkerSettings, started_by: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._started_by: Mapping[str, str] | None = started_by

    def edit(self, row: Row, is_shared: bool = False) -> Files:
        """Edit a row; see `Worker.edit`."""
        if self._started_by is not None:  # here, since the message of an actor that cannot start is lost
            check_software(self._started_by)
            self._started_by = None
        return super().edit(row, is_shared)


class _Pool:
    """Actors, each with a group of rows of one image, of which it edits one at a time."""

    def __init__(self, ray: Any, settings: WorkerSettings, engine: RayEngine, count: int) -> None:
        self._ray, self._engine = ray, engine
        self._actor_class = ray.remote(num_cpus=1, num_gpus=engine.gpus, max_restarts=0)(RemoteWorker)
        self._settings, self._software = ray.put(settings), software()
        self._count = count
        self._shared: set[int] = set()  # rows whose image other rows have, too
        self._attempts: dict[int, int] = {}  # by row
        self._waiting: dict[Any, tuple[Any, deque[Row]]] = {}  # future to actor and group, whose first row it edits

    def edit(self, all_groups: Sequence[Group], commit: Callable[[Row, Files], None]) -> None:
        """Edit all rows."""
        self._shared = {row.number for group in all_groups if group.is_shared for row in group.rows}
        groups = deque(deque(group.rows) for group in all_groups)
        for _ in range(self._count):
            self._take(self._new_actor(), groups)
        while self._waiting:
            ready, _ = self._ray.wait(list(self._waiting), num_returns=1)
            actor, group = self._waiting.pop(ready[0])
            try:
                files = self._ray.get(ready[0])
            except self._ray.exceptions.RayTaskError as error:
                raise (error.cause or error) from error
            except self._ray.exceptions.RayError as error:  # the actor or its machine died
                actor = self._new_actor()
                self._count_death(group, error, commit)
            else:
                commit(group.popleft(), files)
            if group:
                self._submit(actor, group)
            else:
                self._take(actor, groups)

    def _new_actor(self) -> Any:
        return self._actor_class.remote(self._settings, self._software)

    def _take(self, actor: Any, groups: deque[deque[Row]]) -> None:
        """Give an actor the next group, if there is one."""
        if groups:
            self._submit(actor, groups.popleft())

    def _submit(self, actor: Any, group: deque[Row]) -> None:
        self._waiting[actor.edit.remote(group[0], group[0].number in self._shared)] = (actor, group)

    def _count_death(self, group: deque[Row], error: Exception, commit: Callable[[Row, Files], None]) -> None:
        """Count the attempts at a row, and give it an error after the last of them."""
        row = group[0]
        self._attempts[row.number] = self._attempts.get(row.number, 0) + 1
        logger.warning("The process that edited row %d ended (%s).", row.number, type(error).__name__)
        if self._attempts[row.number] > self._engine.retries:
            tried = self._attempts[row.number]
            commit(group.popleft(), error_files(row, f"The process that edited this row ended, {tried} times."))


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
