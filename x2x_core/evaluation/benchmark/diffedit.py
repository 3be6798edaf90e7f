"""DiffEdit's mask, as far as it applies to a model that sees the image (Couairon et al., *DiffEdit*, 2022).

DiffEdit asks a text-to-image model to predict noise with the wanted words and with those that describe the image, at half
of the noise schedule and for several draws, and edits where the two differ by more than half of a value that three times
the mean is clipped to. Here the predictions are those of an instruction-following model, with and without the
instruction; the image stands in place of DiffEdit's inversion.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

NOISE_LEVEL = 0.5  # share of the schedule, as in the paper and in diffusers
DRAWS = 4  # the paper takes 10; as many here as the pipeline's own relevance map takes
CLIP_RATIO = 3.0  # the difference is clipped to this many times its mean, as in diffusers
THRESHOLD = 0.5  # of the clipped difference


def diffedit_mask(difference: torch.Tensor) -> torch.Tensor:
    """The mask of a map of differences, by the rule of diffusers' DiffEdit pipeline.

    Args:
        difference: `(B, 1, H, W)`, at least 0.

    Returns:
        `(B, 1, H, W)` bool; nowhere for a map that is 0.
    """
    clip = CLIP_RATIO * difference.mean(dim=(1, 2, 3), keepdim=True)
    return difference.minimum(clip) > THRESHOLD * clip


def find_mask(
    pipeline, images: torch.Tensor, prompts: Sequence[str], seeds: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Map and mask of DiffEdit for a batch.

    Args:
        pipeline: an `InstructX2XPipeline`.
        images: `(B, 1, H, W)` in [0, 1].
        prompts, seeds: one for each image.

    Returns:
        The map `(B, 1, H, W)` in [0, 1] and the mask `(B, 1, H, W)` bool.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    found = pipeline.relevance(
        images, list(prompts), generator=generators, relevance_noise_level=NOISE_LEVEL, relevance_samples=DRAWS
    )
    return found.relevance_map.cpu(), diffedit_mask(found.relevance_map.cpu())
