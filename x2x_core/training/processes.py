"""Processes that train together, through accelerate."""

from __future__ import annotations

import os
from datetime import timedelta

from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs

from x2x_core.common.errors import InputError

from .config import TrainingConfig
from .data_loader import ProcessShare
from .sharding import prepare_sharding

# How long processes wait for the main one, which alone encodes the data, draws samples and writes checkpoints.
_TIMEOUT = timedelta(hours=12)


def make_accelerator(config: TrainingConfig) -> Accelerator:
    """Return the accelerator of a run, with the accumulation set.

    Raises:
        InputError: the device does not support the precision, processes that were launched together are not connected,
            FSDP 1 is configured, or `total_batch` cannot be divided among the processes.
    """
    try:
        accelerator = Accelerator(
            mixed_precision=config.mixed_precision,
            step_scheduler_with_optimizer=False,
            log_with=list(config.trackers) or None,
            project_dir=config.out,
            kwargs_handlers=[InitProcessGroupKwargs(timeout=_TIMEOUT)],
        )
    except ValueError as error:
        raise InputError(f"`mixed_precision: {config.mixed_precision}` cannot be used here: {error}") from error
    check_connected(accelerator.num_processes)
    prepare_sharding(accelerator)
    accelerator.gradient_accumulation_steps = config.accumulation(accelerator.num_processes)
    return accelerator


def check_connected(processes: int) -> None:
    """Check that processes launched together are connected; otherwise they would overwrite each other's files.

    Raises:
        InputError: accelerate does not know of the others.
    """
    launched = int(os.environ.get("WORLD_SIZE", 1))
    if launched != processes:
        raise InputError(
            f"{launched} processes were launched to train together, but accelerate runs each by itself ({processes}). "
            "Without a GPU use `torchrun` with ACCELERATE_USE_CPU=1 and no FSDP; else check the launch configuration."
        )


def share_of(accelerator: Accelerator) -> ProcessShare:
    """Return this process among all."""
    return ProcessShare(accelerator.process_index, accelerator.num_processes)
