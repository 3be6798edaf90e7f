"""Arithmetic of the published code that differs from the default, for `reference=True`."""

from __future__ import annotations

import logging
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.schedulers import DDIMScheduler

logger = logging.getLogger(__name__)

# Stable Diffusion's noise schedule, which the published code uses with every checkpoint.
PUBLISHED_SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}


def published_scheduler(scheduler: Any) -> DDIMScheduler:
    """Return DDIM on Stable Diffusion's noise schedule, as the published code uses it with every checkpoint.

    Only the prediction type (noise or v) is copied from the pipeline's own scheduler.
    """
    own = scheduler.config
    if any(own.get(name, value) != value for name, value in PUBLISHED_SCHEDULE.items()):
        logger.warning(
            "`reference=True` runs on Stable Diffusion's noise schedule, as the published code does; this checkpoint "
            "has another one (%s), so the result may be poor.",
            own.get("beta_schedule"),
        )
    return stable_diffusion_ddim(own.get("prediction_type", "epsilon"))


def stable_diffusion_ddim(prediction_type: str) -> DDIMScheduler:
    """Return DDIM on Stable Diffusion's noise schedule.

    Args:
        prediction_type: of the U-Net, "epsilon" (the noise) or "v_prediction".
    """
    return DDIMScheduler(
        **PUBLISHED_SCHEDULE,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,
    )


def to_published_latents(pseudomask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resample a pseudomask `(B, 1, H, W)` to the latents' size by the published rule: bilinear, not antialiased."""
    return F.interpolate(pseudomask, size, mode="bilinear", align_corners=False)
