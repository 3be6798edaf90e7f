"""Log of a run: a file with one JSON object per line, and optionally TensorBoard and Weights & Biases."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from x2x_core.common.errors import MissingExtraError
from x2x_core.common.extras import missing_extra
from x2x_core.common.storage import write_text

from .config import TrainingConfig

LOG_FILE = "log.jsonl"
_MODULES = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",)}


def check_trackers(trackers: Sequence[str]) -> None:
    """Check that the libraries of the trackers are installed.

    Raises:
        MissingExtraError: one is not; the message says how to install it.
    """
    for tracker in trackers:
        if not any(importlib.util.find_spec(module) for module in _MODULES[tracker]):
            raise _missing(tracker)


def _missing(tracker: str) -> MissingExtraError:
    if tracker == "tensorboard":
        return missing_extra("The tracker tensorboard", "TensorBoard", "tensorboard")
    return MissingExtraError(
        f"The tracker {tracker} needs the library {tracker}: install it with `pip install {tracker}`."
    )


def read_log(out: str | Path) -> list[dict[str, Any]]:
    """Return the entries of a run's log; empty if there is no log. A truncated last line is skipped."""
    file = Path(out) / LOG_FILE
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


class RunLog:
    """Log of a run, written by the main process.

    Args:
        config: the run.
        accelerator: its processes.
        step: step at which the run starts or resumes; later entries, of before an interruption, are removed.
    """

    def __init__(self, config: TrainingConfig, accelerator: Accelerator, step: int = 0) -> None:
        self.accelerator, self.trackers = accelerator, config.trackers
        self.file = Path(config.out) / LOG_FILE
        if accelerator.is_main_process and self.file.is_file():
            kept = [line for line in read_log(config.out) if line["step"] <= step]
            write_text(self.file, "".join(json.dumps(line) + "\n" for line in kept))
        if self.trackers:
            accelerator.init_trackers("instructx2x")

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append the values of a step; to be called on the main process."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        if self.trackers:
            self.accelerator.log(dict(values), step=step)

    def picture(self, step: int, grid: torch.Tensor) -> None:
        """Send a grid `(1, H, W)` in [0, 1] to the trackers; to be called on the main process."""
        pixels = (255 * grid.clamp(0, 1)).round().byte().expand(3, -1, -1).permute(1, 2, 0).cpu().numpy()[None]
        for name in self.trackers:
            options = {"dataformats": "NHWC"} if name == "tensorboard" else {}
            self.accelerator.get_tracker(name).log_images({"samples": pixels}, step=step, **options)

    def close(self) -> None:
        """Finish the trackers."""
        if self.trackers:
            self.accelerator.end_training()
