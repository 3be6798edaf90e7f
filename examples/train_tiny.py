"""Simulate pairs, train a very small model for a few steps, and edit with it.

Usage: `python examples/train_tiny.py [OUT]`.

The model learns nothing in so few steps: the script shows the path. The configurations in `x2x_core/training/configs`
are those of real runs.
"""

import sys
from pathlib import Path

import torch

from x2x_core import InstructX2XPipeline
from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.files import read_image, write_png
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.simulation.dataset import simulate_dataset
from x2x_core.simulation.settings import SimulationSettings
from x2x_core.training.config import TrainingConfig
from x2x_core.training.trainer import train


def main(out: Path) -> None:
    """Simulate, train an autoencoder, train the editor, edit."""
    pairs = simulate_dataset("phantom", out / "pairs", SimulationSettings(count=5, size=64, seed=1), workers=1)

    small = {"data": str(pairs), "size": 64, "steps": 2, "batch_size": 2, "warmup_steps": 0}
    vae = train(TrainingConfig(task="autoencoder", out=str(out / "vae"), **small))
    model = train(
        TrainingConfig(
            task="edit", out=str(out / "editor"), autoencoder=str(vae), train_text_encoder=True, no_text="unchanged",
            **small,
        )
    )  # fmt: skip

    pipe = InstructX2XPipeline.from_pretrained(model)
    prompt = "Add the finding of moderate left pleural effusion."
    result = pipe(
        read_image(bundled_path("sample")).pixels,
        prompt,
        num_inference_steps=2,
        output_type="pt",
        generator=torch.Generator().manual_seed(0),
    )
    write_png(out / "edited.png", result.images, 8, synthetic_metadata({"prompt": prompt, "seed": 0}))
    print(out / "edited.png")


if __name__ == "__main__":  # the simulator starts processes, which import this file
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
