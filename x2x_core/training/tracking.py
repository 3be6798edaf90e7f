"""Where a run's figures go: a file of lines always, TensorBoard and Weights & Biases where asked for; and its pace."""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from x2x_core.common.errors import MissingExtraError
from x2x_core.common.extras import missing_extra
from x2x_core.common.storage import write_text

from .config import TrainingConfig

LOG = "log.jsonl"
_MODULES = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",)}


def check_trackers(trackers: tuple[str, ...]) -> None:
    """See that what the trackers need is installed.

    Raises:
        MissingExtraError: it isn't; the message says what to install.
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
    """The lines of a run's log; none where there is no log. A last line that was cut off is left out."""
    file = Path(out) / LOG
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


class Log:
    """The figures of a run, by step; written by the main process.

    Args:
        config: the run.
        accelerator: its processes.
        step: from which the run goes on; what was logged after it, before the run was stopped, is taken back.
    """

    def __init__(self, config: TrainingConfig, accelerator: Accelerator, step: int = 0) -> None:
        self.accelerator, self.trackers = accelerator, config.trackers
        self.file = Path(config.out) / LOG
        if accelerator.is_main_process and self.file.is_file():
            kept = [line for line in read_log(config.out) if line["step"] <= step]
            write_text(self.file, "".join(json.dumps(line) + "\n" for line in kept))
        if self.trackers:
            accelerator.init_trackers("instructx2x")

    def write(self, step: int, values: dict[str, float]) -> None:
        """Append the figures of a step; call it on the main process."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        if self.trackers:
            self.accelerator.log(values, step=step)

    def picture(self, step: int, grid: torch.Tensor) -> None:
        """Show a grid `(1, H, W)` in [0, 1] where the trackers can; call it on the main process."""
        pixels = (255 * grid.clamp(0, 1)).round().byte().expand(3, -1, -1).permute(1, 2, 0).cpu().numpy()[None]
        for name in self.trackers:
            options = {"dataformats": "NHWC"} if name == "tensorboard" else {}
            self.accelerator.get_tracker(name).log_images({"samples": pixels}, step=step, **options)

    def close(self) -> None:
        """Let the trackers finish."""
        if self.trackers:
            self.accelerator.end_training()


class Pace:
    """How fast a run goes, and what memory it takes."""

    def __init__(self, samples_per_step: int) -> None:
        self.samples_per_step = samples_per_step
        self.began, self.steps = time.perf_counter(), 0

    def step(self) -> None:
        """Count an optimiser step."""
        self.steps += 1

    def pause(self, seconds: float) -> None:
        """Leave out what was no training: a checkpoint, samples, validation."""
        self.began += seconds

    def take(self) -> dict[str, float]:
        """Samples a second since the last call, and the peak of memory in GB since the beginning."""
        now = time.perf_counter()
        pace = self.steps * self.samples_per_step / max(1e-9, now - self.began)
        self.began, self.steps = now, 0
        return {"samples_per_second": round(pace, 4), "peak_memory_gb": round(peak_memory() / 1e9, 3)}


def peak_memory() -> int:
    """Bytes: of the GPU's memory where there is one, else of this process's."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
