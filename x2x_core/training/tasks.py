"""Registry of training tasks, by the name that a configuration's `task` has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .autoencoder.task import AutoencoderTask
from .config import Task, TrainingConfig
from .editing.task import EditTask
from .extents.task import ExtentTask
from .lungs.task import LungTask
from .scorers.task import ScorersTask
from .task import TrainingTask

TASKS: Mapping[Task, Callable[[TrainingConfig], TrainingTask]] = {
    "autoencoder": AutoencoderTask,
    "edit": EditTask,
    "extents": ExtentTask,
    "lungs": LungTask,
    "scorers": ScorersTask,
}


def make_task(config: TrainingConfig) -> TrainingTask:
    """Return the task that a configuration names, with its data found and its model made.

    Raises:
        InputError: the data or the initial weights cannot be used.
        MissingExtraError: an optional library is missing.
    """
    return TASKS[config.task](config)
