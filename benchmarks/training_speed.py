"""Measure the speed and memory of training.

    python benchmarks/training_speed.py --size small             # a small U-Net at 256x256, batches of 4
    python benchmarks/training_speed.py --size small --set latent_variants=1
    python benchmarks/training_speed.py --size sd --batch 1 --steps 1    # Stable Diffusion's sizes, 512x512, bfloat16

Makes a random model and random pairs in a temporary folder, trains on them with the trainer of `x2x train`, and prints
as JSON the samples per second (the median over the steps after the first), the peak memory, and the duration of the
paper's schedule (4,500 steps of 1,024 pairs) on this device. Both wall and CPU time are printed: on a shared CPU the
latter is more reliable.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image

from x2x_core.conversion.checkpoint import CONFIGS, Checkpoint, expected_shapes
from x2x_core.conversion.folder import write_folder
from x2x_core.conversion.standard_configs import stable_diffusion_files
from x2x_core.imaging.provenance import versions
from x2x_core.training.config import TrainingConfig
from x2x_core.training.config_files import load_config
from x2x_core.training.pace import peak_memory
from x2x_core.training.small_tokenizer import make_tokenizer
from x2x_core.training.trainer import Trainer

PAPER_SAMPLES = 4500 * 1024
# Beside Stable Diffusion's own sizes ("sd"): a tenth of its width, for machines without a GPU.
SMALL = {
    "unet": {"block_out_channels": [64, 128, 192], "layers_per_block": 1, "cross_attention_dim": 128,
             "norm_num_groups": 16, "attention_head_dim": 4, "sample_size": 32,
             "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
             "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]},
    "vae": {"block_out_channels": [16, 32, 64, 128], "layers_per_block": 1, "norm_num_groups": 8},
    "text_encoder": {"hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 3, "num_attention_heads": 4},
}  # fmt: skip
PIXELS = {"small": 256, "sd": 512}


def make_model(folder: Path, size: str) -> None:
    """Write a random InstructPix2Pix in the diffusers layout."""
    tokenizer = make_tokenizer(["add the finding of pleural effusion"], length=77)
    files = stable_diffusion_files(8, torch.float32)
    for part, path in CONFIGS.items():
        changed = dict(SMALL[part]) if size == "small" else {}
        if part == "text_encoder":
            changed["vocab_size"] = len(tokenizer)
            changed |= {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
        files[path] = json.dumps(json.loads(files[path]) | changed)
    generator = torch.Generator().manual_seed(0)
    weights = {
        part: {name: 0.02 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}
        for part, shapes in expected_shapes(files).items()
    }
    with tempfile.TemporaryDirectory() as place:
        tokenizer.save_pretrained(place)
        files |= {f"tokenizer/{file.name}": file.read_text() for file in Path(place).iterdir()}
    write_folder(Checkpoint(weights, files), folder)


def make_pairs(folder: Path, pixels: int, count: int = 16) -> None:
    """Write random pairs in the pair layout."""
    draws = np.random.default_rng(0)
    rows = [("split", "instruction", "past_dicom_id", "current_dicom_id")]
    for name in ("past", "current"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(draws.integers(0, 256, (pixels, pixels), dtype=np.uint8)).save(
                folder / name / f"{number}.png"
            )
    rows += [
        ("train", "Add the finding of pleural effusion.", f"{number}.png", f"{number}.png") for number in range(count)
    ]
    with (folder / "instructions.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def configuration(folder: Path, size: str, batch: int, steps: int, changes: dict[str, Any]) -> TrainingConfig:
    """Return the paper's configuration on the random model, for a few steps."""
    pixels = PIXELS[size]
    fields = {
        "task": "edit", "data": str(folder / "data"), "out": str(folder / "run"), "init": str(folder / "model"),
        "size": pixels, "steps": steps, "batch_size": batch, "learning_rate": 1e-4, "warmup_steps": 0,
        "schedule": "constant_with_warmup", "mixed_precision": "bf16", "gradient_checkpointing": size == "sd",
        "checkpoint_every": 10**6, "log_every": 1, "augment": {"flip": 0.5, "rotation": 2.0},
    }  # fmt: skip
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(fields | changes))
    return load_config(file)


class TimedTrainer(Trainer):
    """A trainer that records the time of each step and writes no checkpoint and no pipeline."""

    def measure(self) -> list[tuple[float, float]]:
        """Return wall and CPU seconds of each optimiser step, with reading and encoding."""
        self.times: list[tuple[float, float]] = []
        self.began = time.perf_counter(), time.process_time()
        self.train()
        return self.times

    def after_step(self) -> None:
        """Record the time of the step."""
        if self.accelerator.device.type == "cuda":
            torch.cuda.synchronize()
        now = time.perf_counter(), time.process_time()
        self.times.append((now[0] - self.began[0], now[1] - self.began[1]))
        self.began = now

    def finish(self) -> Path:
        """Write nothing."""
        return self.folder.path


def measure(size: str, batch: int, steps: int, changes: dict[str, Any]) -> dict[str, Any]:
    """Train for some steps and return the measurements."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_model(folder / "model", size)
        make_pairs(folder / "data", PIXELS[size])
        trainer = TimedTrainer(configuration(folder, size, batch, steps, changes))
        trained = sum(value.numel() for value in trainer.task.module.parameters() if value.requires_grad)
        times = trainer.measure()
        device = str(trainer.accelerator.device)
    samples = batch * trainer.accumulation * trainer.accelerator.num_processes
    clock, processor = (statistics.median(seconds) for seconds in zip(*(times[1:] or times)))
    pace = samples / (clock if device.startswith("cuda") else processor)
    return {
        "size": size, "pixels": PIXELS[size], "batch": batch, "trained_parameters": trained, "changes": changes,
        "seconds_of_steps": [tuple(round(value, 2) for value in pair) for pair in times],
        "samples_per_second": round(samples / clock, 4), "samples_per_processor_second": round(samples / processor, 4),
        "peak_memory_gb": round(peak_memory() / 1e9, 2),
        "paper_schedule_days": round(PAPER_SAMPLES / pace / 86400, 1) if size == "sd" else None,
        "device": torch.cuda.get_device_name() if device.startswith("cuda") else device,
        "threads": torch.get_num_threads(), "versions": versions(),
    }  # fmt: skip


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=sorted(PIXELS), default="small")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    given = parser.parse_args()
    changes = {text.partition("=")[0]: yaml.safe_load(text.partition("=")[2]) for text in given.set}
    print(json.dumps(measure(given.size, given.batch, given.steps, changes)))


if __name__ == "__main__":
    main()
