"""Noise schedule with zero terminal signal-to-noise ratio."""

from __future__ import annotations

from diffusers import DDIMScheduler

from x2x_core.common.errors import InputError


def rescale_to_zero_snr(scheduler: DDIMScheduler) -> DDIMScheduler:
    """Return a scheduler whose noise levels are scaled so that the last one is pure noise.

    Otherwise the last level keeps a trace of the target, which a model learns to read; an edit, which starts from pure
    noise, then depends on what the noise happens to look like (Lin et al., *Common diffusion noise schedules and sample
    steps are flawed*, 2024, algorithm 1).

    Raises:
        InputError: the model predicts noise, which says nothing about the image at pure noise.
    """
    prediction_type = scheduler.config.prediction_type
    if prediction_type != "v_prediction":
        raise InputError(
            f"`zero_snr` requires a model that predicts v_prediction, but this one predicts "
            f"{prediction_type}. Leave it out."
        )
    return DDIMScheduler.from_config(scheduler.config, rescale_betas_zero_snr=True)
