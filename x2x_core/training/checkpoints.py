"""Checkpoints of a run: the complete state, for an exact resume."""

from __future__ import annotations

import logging
import shutil

from accelerate import Accelerator

from .run_folder import RunFolder

logger = logging.getLogger(__name__)


class Checkpoints:
    """Checkpoints in a run folder; each is written completely or not at all.

    Args:
        folder: the run folder.
        accelerator: holds the state: weights, optimiser, schedule and what else is registered with it.
        keep: number of checkpoints to keep.
    """

    def __init__(self, folder: RunFolder, accelerator: Accelerator, keep: int) -> None:
        self.folder, self.accelerator, self.keep = folder, accelerator, keep

    def load_latest(self) -> int:
        """Load the latest checkpoint, if there is one, and return its step; otherwise 0."""
        checkpoints = self.folder.checkpoints()
        if not checkpoints:
            return 0
        self.accelerator.load_state(str(checkpoints[-1]))
        logger.info("Resuming from %s.", checkpoints[-1])
        return int(checkpoints[-1].name.split("-")[1])

    def save(self, step: int) -> None:
        """Save the state after a step; to be called on all processes."""
        accelerator = self.accelerator
        place = self.folder.path / f"checkpoint-{step:07d}"
        partial = self.folder.path / "checkpoint.partial"
        if accelerator.is_main_process and partial.exists():
            shutil.rmtree(partial)
        accelerator.wait_for_everyone()
        accelerator.save_state(str(partial))
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            if place.exists():
                shutil.rmtree(place)
            partial.rename(place)
            for old in self.folder.checkpoints()[: -self.keep]:
                shutil.rmtree(old)
        accelerator.wait_for_everyone()
