"""Where a run's figures go: a file of lines always, TensorBoard and Weights & Biases where asked for; and its pace."""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
import time
from pathlib import Path

import torch
from accelerate import Accelerator

from x2x_core.training.config import TrainingConfig

LOG = "log.jsonl"
_MISSING = {
    "tensorboard": 'The tracker tensorboard needs the extra `tensorboard`: pip install "instructx2x[tensorboard]".',
    "wandb": "The tracker wandb needs the library wandb: pip install wandb.",
}
_MODULES = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",)}


def check_trackers(trackers: tuple[str, ...]) -> None:
    """See that what the trackers need is installed.

    Raises:
        ImportError: it isn't; the message says what to install.
    """
    for tracker in trackers:
        if not any(importlib.util.find_spec(module) for module in _MODULES[tracker]):
            raise ImportError(_MISSING[tracker])


class Log:
    """The figures of a run, by step; written by the main process."""

    def __init__(self, config: TrainingConfig, accelerator: Accelerator) -> None:
        self.accelerator, self.trackers = accelerator, config.trackers
        self.file = Path(config.out) / LOG
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
