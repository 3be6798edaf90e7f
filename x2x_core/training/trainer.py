"""The training loop, the same for every task: accelerate, EMA, checkpoints, exact resume, samples."""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs
from diffusers.optimization import get_scheduler
from torch import nn

from x2x_core.common.errors import InputError
from x2x_core.common.seeds import STEP, seeded_generator
from x2x_core.common.storage import write_text
from x2x_core.imaging.files import write_png
from x2x_core.imaging.provenance import synthetic_metadata

from .averages import WeightAverage
from .config import TrainingConfig
from .draws import DrawnSamples, make_loader
from .sharding import is_sharded, prepare_sharding, reshard
from .tracking import Log, Pace, check_trackers
from .validation import validation_losses

logger = logging.getLogger(__name__)

Progress = Callable[[int, int, dict[str, float]], None]

# How long processes wait for the main one, which encodes the data, draws samples and writes checkpoints by itself.
_PATIENCE = timedelta(hours=12)


def make_task(config: TrainingConfig):
    """The task that a configuration names."""
    if config.task == "autoencoder":
        from .autoencoder import AutoencoderTask

        return AutoencoderTask(config)
    if config.task == "lungs":
        from .lungs import LungTask

        return LungTask(config)
    if config.task == "scorers":
        from .scorers import ScorersTask

        return ScorersTask(config)
    from .editing import EditTask

    return EditTask(config)


def train(config: TrainingConfig, *, resume: bool = True, progress: Progress | None = None) -> Path:
    """Train as configured and write the result to `config.out / "pipeline"`.

    Under `accelerate launch` every process takes its share of each step. A run that was stopped goes on from its last
    checkpoint and gives what it would have given. `config.out` must be a folder that all processes see.

    Args:
        config: the run.
        resume: whether to go on from the last checkpoint in `config.out`; ``False`` demands that there is none.
        progress: called on the main process with the steps done, the steps in all, and the means of the losses.

    Returns:
        The folder of the finished pipeline.

    Raises:
        InputError: `config.out` holds a run of another configuration, or a checkpoint and `resume` is ``False``.
        InputNotFoundError: the data or the initial weights are missing.
        MissingExtraError: what a tracker, adapters or an attention need is not installed.
    """
    return Run(config, resume, progress).train()


class Run:
    """One training run: its parts, wired up."""

    def __init__(self, config: TrainingConfig, resume: bool, progress: Progress | None) -> None:
        check_trackers(config.trackers)
        self.config, self.progress = config, progress
        self.out = Path(config.out)
        self.accelerator = Accelerator(
            mixed_precision=config.mixed_precision,
            step_scheduler_with_optimizer=False,
            log_with=list(config.trackers) or None,
            project_dir=config.out,
            kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)],
        )
        _check_together(self.accelerator.num_processes)
        self.accumulation = config.accumulation(self.accelerator.num_processes)
        self.accelerator.gradient_accumulation_steps = self.accumulation
        self._claim_folder(resume)
        with self.accelerator.main_process_first():  # it converts and writes what the others then find
            self.task = make_task(config)
        self._prepare()
        self.step = self._load_checkpoint()
        self.log = Log(config, self.accelerator, self.step)
        self.pace = Pace(config.batch_size * self.accelerator.num_processes * self.accumulation)

    @property
    def _device(self) -> torch.device:
        return self.accelerator.device

    def _claim_folder(self, resume: bool) -> None:
        """Make sure that the folder is new or holds this very run."""
        if self.accelerator.is_main_process:
            self.out.mkdir(parents=True, exist_ok=True)
            recorded = self.out / "config.json"
            values = json.loads(json.dumps(_binding(self.config)))
            if recorded.is_file() and _compared(json.loads(recorded.read_text())) != values:
                raise InputError(f"`out` must be a new folder or hold this very run, but {self.out} holds a run of "
                                 "another configuration (config.json). Choose another folder.")  # fmt: skip
            if not resume and _checkpoints(self.out):
                raise InputError(f"`resume` is off, but {self.out} holds checkpoints. Choose another folder.")
            write_text(recorded, json.dumps(values, indent=1) + "\n")
        self.accelerator.wait_for_everyone()

    def _prepare(self) -> None:
        config, module = self.config, self.task.module
        trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
        fused = self._device.type in ("cpu", "cuda")  # a third of the time of the plain loop
        optimizer = torch.optim.AdamW(trainable, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused)
        schedule = get_scheduler(
            config.schedule, optimizer, num_warmup_steps=config.warmup_steps, num_training_steps=config.steps
        )
        prepare_sharding(self.accelerator)
        module.train()
        self.module, self.optimizer, self.schedule = self.accelerator.prepare(module, optimizer, schedule)
        self.ema = WeightAverage(self._trainable(), decay=config.ema_decay)
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
            self.step * self.accumulation,
            config.steps * self.accumulation,
            config.batch_size,
            config.workers,
            self.accelerator.process_index,
            self.accelerator.num_processes,
        )
        for number, batch in enumerate(loader, start=self.step * self.accumulation):
            sums.add(self._batch(number, batch))
            if (number + 1) % self.accumulation == 0:
                self.step += 1
                self.pace.step()
                self._after_step(sums)
        return self._finish()

    def _batch(self, number: int, batch: dict) -> dict[str, torch.Tensor]:
        """One forward and backward pass; the optimiser steps at the end of each accumulation."""
        draw = number * self.accelerator.num_processes + self.accelerator.process_index
        generator = seeded_generator(self.config.seed, STEP, draw)
        with self.accelerator.accumulate(self.module):
            with self.accelerator.autocast():
                losses = self.task.loss(self.module, self._moved(batch), generator)
            self.accelerator.backward(losses["loss"])
            if self.accelerator.sync_gradients:
                self.accelerator.clip_grad_norm_(self.module.parameters(), self.config.max_grad_norm)
            self.optimizer.step()
            self.optimizer.zero_grad()
            if self.accelerator.sync_gradients:
                self.schedule.step()
                self.ema.step(self._trainable())
        return {name: value.detach() for name, value in losses.items()}

    def _moved(self, batch: dict) -> dict:
        return {key: value.to(self._device) if torch.is_tensor(value) else value for key, value in batch.items()}

    def _trainable(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.module.parameters() if parameter.requires_grad]

    def _after_step(self, sums: _Means) -> None:
        config, last = self.config, self.step == self.config.steps
        if self.step % config.log_every == 0 or last:
            means = self._over_processes(sums.take())
            if self.accelerator.is_main_process:
                rate = self.schedule.get_last_lr()[0]
                self.log.write(self.step, {"learning_rate": rate, **means, **self.pace.take()})
                if self.progress:
                    self.progress(self.step, config.steps, means)
        began = time.perf_counter()
        for every, act in (
            (config.checkpoint_every, self._save_checkpoint),
            (config.validate_every, self._validate),
            (config.sample_every, self._sample),
        ):
            if every and (self.step % every == 0 or last):
                act()
        self.pace.pause(time.perf_counter() - began)

    def _over_processes(self, means: dict[str, float]) -> dict[str, float]:
        """The means of the means of all processes."""
        values = torch.tensor(list(means.values()), dtype=torch.float32, device=self._device)
        return dict(zip(means, self.accelerator.reduce(values, "mean").tolist()))

    # -- looks at the averaged weights --------------------------------------------------------------------------------

    def _validate(self) -> None:
        """Log the loss of the averaged weights on the split "val"; every process takes its share."""
        with self._averaged():
            sums = validation_losses(
                self.task.validation_sample,
                self.task.validation_length,
                self.config.batch_size,
                self._validation_loss,
                self.config.seed,
                self.accelerator.process_index,
                self.accelerator.num_processes,
            )
        error, change, count = self.accelerator.reduce(sums.float().to(self._device), "sum").tolist()
        if self.accelerator.is_main_process:
            self.log.write(self.step, {"validation_error": error / count, "validation_change": change / count})

    def _validation_loss(self, batch: dict, generator: torch.Generator) -> dict[str, torch.Tensor]:
        with self.accelerator.autocast():
            return self.task.loss(self.module, self._moved(batch), generator, dropout=0.0)

    def _sample(self) -> None:
        with self._whole_module() as module:
            if module is not None:
                grid = self.task.sample(module, self._device)
                (self.out / "samples").mkdir(exist_ok=True)
                notice = synthetic_metadata({"step": self.step, "task": self.config.task})
                write_png(self.out / "samples" / f"{self.step:07d}.png", grid, 8, notice)
                self.log.picture(self.step, grid)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The averaged weights in place of the trained ones, on every process."""
        self.module.eval()
        reshard(self.module)
        with self.ema.in_place_of(self._trainable()):
            yield
            reshard(self.module)
        self.module.train()

    @contextmanager
    def _whole_module(self) -> Iterator[nn.Module | None]:
        """On the main process the module with the averaged weights, on the others ``None``; they wait at the end."""
        with self._averaged():
            module = self.accelerator.unwrap_model(self.module)
            if is_sharded(self.accelerator):
                state = self.accelerator.get_state_dict(self.module)  # every process takes part
                if self.accelerator.is_main_process:
                    module = make_task(self.config).module.eval()
                    module.load_state_dict(state)
                    module.to(self._device)
            yield module if self.accelerator.is_main_process else None
            self.accelerator.wait_for_everyone()

    def _finish(self) -> Path:
        folder = self.out / "pipeline"
        with self._whole_module() as module:
            if module is not None:
                self.task.save(module, folder)
        self.log.close()
        return folder


def _check_together(processes: int) -> None:
    """See that processes that were launched together know of each other: alone they would write over one another."""
    launched = int(os.environ.get("WORLD_SIZE", 1))
    if launched != processes:
        raise InputError(
            f"{launched} processes were launched to train together, but accelerate runs each by itself ({processes}). "
            "Without a GPU use `torchrun` with ACCELERATE_USE_CPU=1 and no FSDP; else check the launch configuration."
        )


# Fields that may differ between a run and its resumption: they do not change the result.
_FREE_FIELDS = (
    "out", "workers", "checkpoint_every", "keep_checkpoints", "sample_every", "sample_steps", "validate_every", "validation_pairs",
    "log_every", "trackers", "card",
)  # fmt: skip


def _binding(config: TrainingConfig) -> dict:
    """The fields that decide the result."""
    return {name: value for name, value in config.as_dict().items() if name not in _FREE_FIELDS}


def _compared(recorded: dict) -> dict:
    """A recorded run's fields as they are compared: those of a run before a field came had its default."""
    from dataclasses import MISSING, fields

    known = {entry.name: entry.default for entry in fields(TrainingConfig) if entry.default is not MISSING}
    defaults = {name: value for name, value in known.items() if name not in _FREE_FIELDS}
    return json.loads(json.dumps(defaults)) | {name: v for name, v in recorded.items() if name not in _FREE_FIELDS}


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
