"""Measure how well a model of one step predicts the change of pairs, with a place hint and without one.

    python benchmarks/place_hints.py --pairs runs/films-held-out --model demo --count 48

The pairs are a dataset such as one of `x2x simulate --films`, of patients that the model was not trained on. The change
is the difference of the predictions with and without the instruction at pure noise, at a guidance scale of 1, in
latents; the hint is where the pair changes by more than a quarter of its most. Prints the mean squared error, its share
of the true change's own, and the cosine of the two changes, over all pairs and by finding and operation.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from x2x_core import InstructX2XPipeline
from x2x_core.evaluation.benchmark.pairs import TruePair
from x2x_core.evaluation.benchmark.plan import read_pairs
from x2x_core.guidance.place_hint import add_place_hint
from x2x_core.language.instruction import Instruction
from x2x_core.training.autoencoder.coding import encode
from x2x_core.training.editing.loss_weights import change_weight

SIZE, CELLS, STRENGTH, SHARE, SEED = 256, 32, 3.0, 0.25, 0


@torch.no_grad()
def predicted_change(pipe: Any, image: torch.Tensor, text: str, noise: torch.Tensor) -> torch.Tensor:
    """Return the change of latents `(1, 4, h, w)` that an instruction makes at pure noise.

    Args:
        pipe: an `InstructX2XPipeline` that predicts v, whose last noise level is pure noise.
        image: latents of the image, `(1, 4, h, w)`, unscaled.
        text: the instruction.
        noise: `(1, 4, h, w)`.
    """
    length = pipe.tokenizer.model_max_length
    ids = pipe.tokenizer([text, ""], padding="max_length", max_length=length, truncation=True, return_tensors="pt")
    states = pipe.text_encoder(ids.input_ids)[0]
    last = pipe.scheduler.config.num_train_timesteps - 1
    both = torch.cat([noise, image], dim=1).expand(2, -1, -1, -1)
    with_text, without = -pipe.unet(both, torch.full((2,), last), states).sample  # v is -x0 where no signal is left
    return (with_text - without)[None]


def changes(pipe: Any, pair: TruePair, noise: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the true change of a pair and the predicted ones, each `(1, 4, h, w)`, scaled."""
    images = torch.stack([pair.before[0], pair.after[0]])
    image, target = encode(pipe.vae, images[:, None]).split(1)
    weight = change_weight(images, (CELLS, CELLS))[None]
    place = weight > SHARE * weight.max()
    return {
        "true": (target - image) * pipe.vae.config.scaling_factor,
        "open": predicted_change(pipe, image, pair.instruction, noise),
        "hint": predicted_change(pipe, image, pair.instruction, add_place_hint(noise, place, STRENGTH)),
    }


def show(name: str, found: Sequence[dict[str, torch.Tensor]]) -> None:
    """Print the figures of some pairs."""
    true = torch.cat([own["true"] for own in found])
    texts = []
    for kind in ("open", "hint"):
        made = torch.cat([own[kind] for own in found])
        error = (made - true).square().mean()
        cosine = (made * true).sum() / (made.norm() * true.norm())
        texts.append(f"{kind}: error {error:.5f}, share {error / true.square().mean():.2f}, cosine {cosine:.2f}")
    print(f"{name:<20} n={len(found):<4}{'   '.join(texts)}")


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--model", default="demo")
    parser.add_argument("--count", type=int, default=48)
    args = parser.parse_args()
    pipe = InstructX2XPipeline.from_pretrained(args.model)
    generator = torch.Generator().manual_seed(SEED)
    groups = defaultdict(list)
    for pair in read_pairs(args.pairs, args.count, SIZE, args.split):
        noise = torch.randn(1, 4, CELLS, CELLS, generator=generator)
        found, clause = changes(pipe, pair, noise), Instruction.parse(pair.instruction).clauses[0]
        for group in ("all", clause.finding, str(clause.operation)):
            groups[group].append(found)
    for name, found in groups.items():
        show(name, found)


if __name__ == "__main__":
    main()
