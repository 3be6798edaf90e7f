"""Training loop, the same for every task."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from x2x_core.common.seeds import STEP, seeded_generator
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata

from .checkpoints import Checkpoints
from .config import TrainingConfig
from .data_loader import ProcessSampler, SeededSamples, make_loader
from .losses import LossMeans
from .optimisation import OptimisedModule
from .pace import Pace
from .processes import make_accelerator, share_of
from .run_folder import RunFolder
from .run_log import RunLog, check_trackers
from .task import Batch, Losses
from .tasks import make_task
from .validation import validation_losses

Progress = Callable[[int, int, dict[str, float]], None]


def train(config: TrainingConfig, *, resume: bool = True, progress: Progress | None = None) -> Path:
    """Train as configured and write the finished model to `config.out / "pipeline"`.

    Under `accelerate launch` every process takes its share of each step; all must see the folder `config.out`. An
    interrupted run resumes from its last checkpoint and ends with the same weights as an uninterrupted one.

    Args:
        config: the run.
        resume: whether to resume from the last checkpoint in `config.out`; ``False`` requires that there is none.
        progress: called on the main process with the steps done, the total steps, and the mean losses.

    Returns:
        The folder of the finished model.

    Raises:
        InputError: `config.out` holds a run of another configuration or of other data, or checkpoints although `resume`
            is ``False``; or the data, the initial weights or the device do not allow what is configured.
        InputNotFoundError: the data or the initial weights are missing.
        MissingExtraError: a library for a tracker, adapters or attention is not installed.
    """
    return Trainer(config, resume, progress).train()


class Trainer:
    """One training run.

    Args:
        config: the run.
        resume: see `train`.
        progress: see `train`.

    Raises:
        InputError: see `train`. A run folder that was new is left as it was.
    """

    def __init__(self, config: TrainingConfig, resume: bool = True, progress: Progress | None = None) -> None:
        check_trackers(config.trackers)
        self.config, self.progress = config, progress
        self.folder = RunFolder(config)
        self.accelerator = make_accelerator(config)
        self.share = share_of(self.accelerator)
        self.accumulation: int = self.accelerator.gradient_accumulation_steps
        self._start(resume)
        self.model = OptimisedModule(self.task.module, config, self.accelerator)
        self.task.prepare(self.accelerator)
        self.samples = SeededSamples(self.task.length, self.task.make, config.seed)
        self.checkpoints = Checkpoints(self.folder, self.accelerator, config.keep_checkpoints)
        self.step = self.checkpoints.load_latest()
        self.log = RunLog(config, self.accelerator, self.step)
        self.means = LossMeans()
        self.pace = Pace(config.batch_size * self.share.world * self.accumulation)

    def _start(self, resume: bool) -> None:
        """Claim the run folder and make the task; the main process goes first, since it writes files."""
        with self.accelerator.main_process_first():
            if self.accelerator.is_main_process:
                self.folder.check(resume)
                with self.folder.claimed():
                    self.task = make_task(self.config)
            else:
                self.task = make_task(self.config)

    def train(self) -> Path:
        """Run the remaining steps and write the finished model; return its folder."""
        self._report_progress({})
        for number, batch in enumerate(self._loader(), start=self.step * self.accumulation):
            self.means.add(self._run_batch(number, batch))
            if (number + 1) % self.accumulation == 0:
                self.step += 1
                self.pace.step()
                self.after_step()
        return self.finish()

    def _loader(self) -> DataLoader:
        config = self.config
        turns = range(self.step * self.accumulation, config.steps * self.accumulation)
        return make_loader(self.samples, ProcessSampler(turns, config.batch_size, self.share), config.workers)

    def _run_batch(self, number: int, batch: Batch) -> Losses:
        generator = seeded_generator(self.config.seed, STEP, self.share.number(number))
        batch = _to_device(batch, self.accelerator.device)
        return self.model.backward(lambda: self.task.loss(self.model.module, batch, generator))

    def _report_progress(self, means: dict[str, float]) -> None:
        if self.progress and self.accelerator.is_main_process:
            self.progress(self.step, self.config.steps, means)

    def after_step(self) -> None:
        """Log, save, validate and sample after an optimiser step, each at its own interval and after the last step."""
        config, last = self.config, self.step == self.config.steps
        if self.step % config.log_every == 0 or last:
            self._log()
        start = time.perf_counter()
        for every, act in (
            (config.checkpoint_every, lambda: self.checkpoints.save(self.step)),
            (config.validate_every, self._validate),
            (config.sample_every, self._sample),
        ):
            if every and (self.step % every == 0 or last):
                act()
        self.pace.exclude(time.perf_counter() - start)

    def _log(self) -> None:
        means = self._mean_over_processes(self.means.take())
        if self.accelerator.is_main_process:
            self.log.write(self.step, {"learning_rate": self.model.learning_rate, **means, **self.pace.take()})
            self._report_progress(means)

    def _mean_over_processes(self, means: dict[str, float]) -> dict[str, float]:
        values = torch.tensor(list(means.values()), dtype=torch.float32, device=self.accelerator.device)
        return dict(zip(means, self.accelerator.reduce(values, "mean").tolist(), strict=True))

    def _validate(self) -> None:
        """Log the losses of the averaged weights on the split "val"; each process computes its share."""
        task, config = self.task, self.config
        with self.model.averaged():
            sums = validation_losses(
                task.validation_sample,
                task.validation_length,
                config.batch_size,
                self._validation_loss,
                config.seed,
                self.share,
            )
        total = self.accelerator.reduce(sums.float().to(self.accelerator.device), "sum").tolist()
        error, change, count = total
        if self.accelerator.is_main_process:
            self.log.write(self.step, {"validation_error": error / count, "validation_change": change / count})

    def _validation_loss(self, batch: Batch, generator: torch.Generator) -> Losses:
        batch = _to_device(batch, self.accelerator.device)
        with self.accelerator.autocast():
            return self.task.validation_loss(self.model.module, batch, generator)

    def _sample(self) -> None:
        """Write a sample grid made with the averaged weights."""
        with self.model.averaged_whole(self._remake_module) as module:
            if module is not None:
                grid = self.task.sample(module, self.accelerator.device)
                self.folder.samples.mkdir(exist_ok=True)
                metadata = synthetic_metadata({"step": self.step, "task": self.config.task})
                write_png(self.folder.samples / f"{self.step:07d}.png", grid, 8, metadata)
                self.log.picture(self.step, grid)

    def _remake_module(self) -> torch.nn.Module:
        return make_task(self.config).module

    def finish(self) -> Path:
        """Write the model with the averaged weights; return its folder."""
        with self.model.averaged_whole(self._remake_module) as module:
            if module is not None:
                self.task.save(module, self.folder.pipeline)
        self.log.close()
        return self.folder.pipeline


def _to_device(batch: Batch, device: torch.device) -> Batch:
    return {key: value.to(device) if torch.is_tensor(value) else value for key, value in batch.items()}
