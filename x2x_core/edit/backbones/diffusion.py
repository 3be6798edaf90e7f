"""The noise schedule of diffusion, by `alphas_cumprod`: a scheduler of diffusers, see `protocol.Schedule`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.guidance import relevance
from x2x_core.guidance.relevance import NoiseLevel

from ..background import noised_background
from .protocol import Generators


@dataclass(frozen=True)
class DiffusionSchedule:
    """A variance-preserving schedule: DDIM, Euler, DPMSolverMultistep and the like."""

    scheduler: Any

    @property
    def order(self) -> int:
        """Timesteps of the solver to each denoising step."""
        return self.scheduler.order

    def check(self, steps: int, restricted: bool) -> None:
        """Check the number of steps, and that the schedule can noise an image to any of its levels.

        Raises:
            InputError: too many steps, or a scheduler without `alphas_cumprod`.
        """
        check_steps(steps, self.scheduler)
        if restricted and not hasattr(self.scheduler, "alphas_cumprod"):
            raise InputError(
                "`scheduler` must be one for a noise schedule with `alphas_cumprod`, such as DDIM, Euler or "
                f"DPMSolverMultistep, got {type(self.scheduler).__name__}."
            )

    def noise_levels(self, shares: Sequence[float]) -> list[NoiseLevel]:
        """Return the noise level at each share of the schedule."""
        return relevance.noise_levels(shares, self.scheduler.alphas_cumprod, self.scheduler.config.num_train_timesteps)

    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, level: NoiseLevel) -> torch.Tensor:
        """Noise latents to a level."""
        return relevance.add_noise(latents, noise, level.alpha_cumprod)

    def predicted_noise(self, prediction: torch.Tensor, noisy: torch.Tensor, level: NoiseLevel) -> torch.Tensor:
        """Convert a prediction of noise, v or sample to noise."""
        return relevance.predicted_noise(prediction, noisy, level.alpha_cumprod, self.scheduler.config.prediction_type)

    def start(self, steps: int, cells: tuple[int, int], device: torch.device) -> torch.Tensor:
        """Prepare the solver, and return its timesteps."""
        self.scheduler.set_timesteps(steps, device=device)
        return self.scheduler.timesteps

    def initial(self, noise: torch.Tensor) -> torch.Tensor:
        """Return noise in the solver's own scale."""
        return noise * self.scheduler.init_noise_sigma

    def background(self, clean: torch.Tensor, noise: torch.Tensor, index: int) -> torch.Tensor:
        """Return latents noised as those before step `index`."""
        return noised_background(self.scheduler, clean, noise, self.scheduler.timesteps, index)

    def model_input(self, latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        """Scale noisy latents as the solver prescribes."""
        return self.scheduler.scale_model_input(latents, timestep)

    def step(
        self,
        prediction: torch.Tensor,
        timestep: torch.Tensor,
        latents: torch.Tensor,
        eta: float,
        generator: Generators,
    ) -> torch.Tensor:
        """Take a step of the solver, with those of `eta` and `generator` that it accepts."""
        return scheduler_step(self.scheduler, prediction, timestep, latents, {"eta": eta, "generator": generator})


def check_steps(steps: int, scheduler: Any) -> None:
    """Check that a scheduler has as many timesteps as steps.

    Raises:
        InputError: it has fewer.
    """
    longest = scheduler.config.get("num_train_timesteps")
    if longest is not None and steps > longest:
        raise InputError(
            f"`num_inference_steps` must be at most {longest}, the number of timesteps that the scheduler was trained "
            f"with, got {steps}."
        )


def scheduler_step(
    scheduler: Any, prediction: torch.Tensor, timestep: torch.Tensor, latents: torch.Tensor, options: dict[str, Any]
) -> torch.Tensor:
    """Return the latents after a step, with those options that the scheduler's step accepts."""
    accepted = inspect.signature(scheduler.step).parameters
    kwargs = {name: value for name, value in options.items() if name in accepted}
    return scheduler.step(prediction, timestep, latents, **kwargs, return_dict=False)[0]
