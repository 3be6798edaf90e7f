"""Speed and memory use of a run."""

from __future__ import annotations

import resource
import sys
import time

import torch


class Pace:
    """Samples per second of training alone.

    Args:
        samples_per_step: of all processes.
    """

    def __init__(self, samples_per_step: int) -> None:
        self.samples_per_step = samples_per_step
        self._start, self._steps = time.perf_counter(), 0

    def step(self) -> None:
        """Count an optimiser step."""
        self._steps += 1

    def exclude(self, seconds: float) -> None:
        """Exclude time that was not spent on training: checkpoints, samples, validation."""
        self._start += seconds

    def take(self) -> dict[str, float]:
        """Return the samples per second since the last call, and the peak memory in GB since the start."""
        now = time.perf_counter()
        pace = self._steps * self.samples_per_step / max(1e-9, now - self._start)
        self._start, self._steps = now, 0
        return {"samples_per_second": round(pace, 4), "peak_memory_gb": round(peak_memory() / 1e9, 3)}


def peak_memory() -> int:
    """Return the peak memory in bytes: of the GPU if there is one, otherwise of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
