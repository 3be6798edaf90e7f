"""The training loop, the same for every task: accelerate, EMA, checkpoints, exact resume, samples."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from accelerate import Accelerator
from diffusers.optimization import get_scheduler
from diffusers.training_utils import EMAModel
from torch import nn

from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.training.config import TrainingConfig
from x2x_core.training.draws import STEP, DrawnSamples, make_loader, seeded_generator

logger = logging.getLogger(__name__)

Progress = Callable[[int, int, dict[str, float]], None]


def make_task(config: TrainingConfig):
    """The task that a configuration names."""
    if config.task == "autoencoder":
        from x2x_core.training.autoencoder import AutoencoderTask

        return AutoencoderTask(config)
    if config.task == "lungs":
        from x2x_core.training.lungs import LungTask

        return LungTask(config)
    if config.task == "scorers":
        from x2x_core.training.scorers import ScorersTask

        return ScorersTask(config)
    from x2x_core.training.editing import EditTask

    return EditTask(config)


def train(config: TrainingConfig, *, resume: bool = True, progress: Progress | None = None) -> Path:
    """Train as configured and write the result to `config.out / "pipeline"`.

    Under `accelerate launch` every process takes its share of each step. A run that was stopped goes on from its last
    checkpoint and gives what it would have given.

    Args:
        config: the run.
        resume: whether to go on from the last checkpoint in `config.out`; ``False`` demands that there is none.
        progress: called on the main process with the steps done, the steps in all, and the means of the losses.

    Returns:
        The folder of the finished pipeline.

    Raises:
        ValueError: `config.out` holds a run of another configuration, or a checkpoint and `resume` is ``False``.
        FileNotFoundError: the data or the initial weights are missing.
    """
    return Run(config, resume, progress).train()


class Run:
    """One training run: its parts, wired up."""

    def __init__(self, config: TrainingConfig, resume: bool, progress: Progress | None) -> None:
        self.config, self.progress = config, progress
        self.out = Path(config.out)
        self.accelerator = Accelerator(
            mixed_precision=config.mixed_precision,
            gradient_accumulation_steps=config.gradient_accumulation,
            step_scheduler_with_optimizer=False,
        )
        self._claim_folder(resume)
        self.task = make_task(config)
        self._prepare()
        self.step = self._load_checkpoint()

    @property
    def _device(self) -> torch.device:
        return self.accelerator.device

    def _claim_folder(self, resume: bool) -> None:
        """Make sure that the folder is new or holds this very run."""
        if self.accelerator.is_main_process:
            self.out.mkdir(parents=True, exist_ok=True)
            recorded = self.out / "config.json"
            values = {k: v for k, v in self.config.as_dict().items() if k not in _FREE_FIELDS}
            if recorded.is_file() and json.loads(recorded.read_text()) != json.loads(json.dumps(values)):
                raise ValueError(f"`out` must be a new folder or hold this very run, but {self.out} holds a run of "
                                 "another configuration (config.json). Choose another folder.")  # fmt: skip
            if not resume and _checkpoints(self.out):
                raise ValueError(f"`resume` is off, but {self.out} holds checkpoints. Choose another folder.")
            recorded.write_text(json.dumps(values, indent=1) + "\n")
        self.accelerator.wait_for_everyone()

    def _prepare(self) -> None:
        config, module = self.config, self.task.module
        trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
        fused = self._device.type in ("cpu", "cuda")  # a third of the time of the plain loop
        optimizer = torch.optim.AdamW(
            trainable, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused
        )
        schedule = get_scheduler(
            config.schedule, optimizer, num_warmup_steps=config.warmup_steps, num_training_steps=config.steps
        )
        self.ema = EMAModel(trainable, decay=config.ema_decay)
        self.module, self.optimizer, self.schedule = self.accelerator.prepare(module, optimizer, schedule)
        self.ema.to(self._device)
        self.accelerator.register_for_checkpointing(self.ema)
        self.task.prepare(self._device, self.accelerator)
        self.samples = DrawnSamples(self.task.length, self.task.make, config.seed)

    # -- checkpoints --------------------------------------------------------------------------------------------------

    def _load_checkpoint(self) -> int:
        found = _checkpoints(self.out)
        if not found:
            return 0
        self.accelerator.load_state(str(found[-1]))
        logger.info("Going on from %s.", found[-1])
        return int(found[-1].name.split("-")[1])

    def _save_checkpoint(self) -> None:
        place = self.out / f"checkpoint-{self.step:07d}"
        partial = self.out / "checkpoint.partial"
        if self.accelerator.is_main_process and partial.exists():
            shutil.rmtree(partial)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(partial))
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            if place.exists():
                shutil.rmtree(place)
            partial.rename(place)  # a checkpoint is there whole or not at all
            for old in _checkpoints(self.out)[: -self.config.keep_checkpoints]:
                shutil.rmtree(old)
        self.accelerator.wait_for_everyone()

    # -- the loop -----------------------------------------------------------------------------------------------------

    def train(self) -> Path:
        """Run the remaining steps."""
        config, sums = self.config, _Means()
        if self.progress and self.accelerator.is_main_process:
            self.progress(self.step, config.steps, {})
        loader = make_loader(
            self.samples,
            self.step * config.gradient_accumulation,
            config.steps * config.gradient_accumulation,
            config.batch_size,
            config.workers,
            self.accelerator.process_index,
            self.accelerator.num_processes,
        )
        for number, batch in enumerate(loader, start=self.step * config.gradient_accumulation):
            sums.add(self._batch(number, batch))
            if (number + 1) % config.gradient_accumulation == 0:
                self.step += 1
                self._after_step(sums)
        return self._finish()

    def _batch(self, number: int, batch: dict) -> dict[str, torch.Tensor]:
        """One forward and backward pass; the optimiser steps at the end of each accumulation."""
        draw = number * self.accelerator.num_processes + self.accelerator.process_index
        generator = seeded_generator(self.config.seed, STEP, draw)
        batch = {key: value.to(self._device) if torch.is_tensor(value) else value for key, value in batch.items()}
        with self.accelerator.accumulate(self.module):
            with self.accelerator.autocast():
                losses = self.task.loss(self.module, batch, generator)
            self.accelerator.backward(losses["loss"])
            if self.accelerator.sync_gradients:
                self.accelerator.clip_grad_norm_(self.module.parameters(), self.config.max_grad_norm)
            self.optimizer.step()
            self.optimizer.zero_grad()
            if self.accelerator.sync_gradients:
                self.schedule.step()
                self.ema.step(self._trainable())
        return {name: value.detach() for name, value in losses.items()}

    def _trainable(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.module.parameters() if parameter.requires_grad]

    def _after_step(self, sums: _Means) -> None:
        config, last = self.config, self.step == self.config.steps
        if self.step % config.log_every == 0 or last:
            means = sums.take()
            if self.accelerator.is_main_process:
                self._log({"step": self.step, "learning_rate": self.schedule.get_last_lr()[0], **means})
                if self.progress:
                    self.progress(self.step, config.steps, means)
        if self.step % config.checkpoint_every == 0 or last:
            self._save_checkpoint()
        if config.sample_every and (self.step % config.sample_every == 0 or last):
            self._sample()

    def _log(self, values: dict[str, float]) -> None:
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(values) + "\n")

    def _sample(self) -> None:
        if self.accelerator.is_main_process:
            grid = self._with_average(lambda module: self.task.sample(module, self._device))
            (self.out / "samples").mkdir(exist_ok=True)
            notice = synthetic_metadata({"step": self.step, "task": self.config.task})
            write_png(self.out / "samples" / f"{self.step:07d}.png", grid, 8, notice)
        self.accelerator.wait_for_everyone()

    def _with_average(self, use: Callable[[nn.Module], object]):
        """Call `use` with the module holding the averaged weights."""
        module = self.accelerator.unwrap_model(self.module)
        self.ema.store(self._trainable())
        self.ema.copy_to(self._trainable())
        module.eval()
        try:
            return use(module)
        finally:
            module.train()
            self.ema.restore(self._trainable())

    def _finish(self) -> Path:
        folder = self.out / "pipeline"
        if self.accelerator.is_main_process:
            self._with_average(lambda module: self.task.save(module, folder))
        self.accelerator.wait_for_everyone()
        return folder


# Fields that may differ between a run and its resumption: they do not change the result.
_FREE_FIELDS = ("out", "workers", "checkpoint_every", "keep_checkpoints", "sample_every", "log_every")


def _checkpoints(out: Path) -> list[Path]:
    return sorted(out.glob("checkpoint-*"))


class _Means:
    """Running means of losses."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.count = 0

    def add(self, losses: dict[str, torch.Tensor]) -> None:
        self.count += 1
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value)

    def take(self) -> dict[str, float]:
        """The means since the last call."""
        means = {name: value / max(1, self.count) for name, value in self.sums.items()}
        self.sums, self.count = {}, 0
        return means
