"""What the published code does with any checkpoint, kept for `reference=True`."""

from __future__ import annotations

import logging
from typing import Any

from diffusers import DDIMScheduler

logger = logging.getLogger(__name__)

# The noise schedule of Stable Diffusion with DDIM, as the published code loads it whatever the checkpoint says.
PUBLISHED_SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}


def published_scheduler(scheduler: Any) -> DDIMScheduler:
    """DDIM on Stable Diffusion's noise schedule, as the published code uses it with any checkpoint.

    Only what the U-Net predicts (its noise, or v) is taken over from the pipeline's own scheduler.
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
    """DDIM on Stable Diffusion's noise schedule, for a U-Net that predicts "epsilon" (the noise) or "v_prediction"."""
    return DDIMScheduler(
        **PUBLISHED_SCHEDULE,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,
    )
