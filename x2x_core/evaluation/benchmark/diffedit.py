"""DiffEdit's mask for a model that sees the image (Couairon et al., *DiffEdit*, 2022).

DiffEdit predicts noise with a text-to-image model for the requested words and for words that describe the image, at
half of the noise schedule and for several draws. It edits where the two predictions differ by more than half of a
clipping value, three times the mean difference. Here the predictions are those of an instruction-following model with
and without the instruction, and the image takes the place of DiffEdit's inversion.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

NOISE_LEVEL = 0.5  # share of the schedule, as in the paper and in diffusers
DRAWS = 4  # the paper uses 10; the pipeline's own relevance map uses as many as here
CLIP_RATIO = 3.0  # the difference is clipped at this multiple of its mean, as in diffusers
THRESHOLD = 0.5  # share of the clipping value


def diffedit_mask(difference: torch.Tensor) -> torch.Tensor:
    """Return the mask of a map of differences by the rule of diffusers' DiffEdit pipeline.

    Args:
        difference: `(B, 1, H, W)`, at least 0.

    Returns:
        `(B, 1, H, W)` bool; empty for a map of zeros.
    """
    clip = CLIP_RATIO * difference.mean(dim=(1, 2, 3), keepdim=True)
    return difference.minimum(clip) > THRESHOLD * clip


def find_mask(
    pipeline, images: torch.Tensor, prompts: Sequence[str], seeds: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find DiffEdit's map and mask for a batch.

    Args:
        pipeline: an `InstructX2XPipeline`.
        images: `(B, 1, H, W)` in [0, 1].
        prompts: one for each image.
        seeds: like `prompts`.

    Returns:
        Map `(B, 1, H, W)` in [0, 1] and mask `(B, 1, H, W)` bool, on the CPU.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    output = pipeline.relevance(
        images, list(prompts), generator=generators, relevance_noise_level=NOISE_LEVEL, relevance_samples=DRAWS
    )
    relevance_map = output.relevance_map.cpu()
    return relevance_map, diffedit_mask(relevance_map)
