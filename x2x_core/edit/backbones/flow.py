"""The noise schedule of flow matching: a scheduler of diffusers, see `protocol.Schedule`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from x2x_core.common.errors import InputError

from .diffusion import check_steps, scheduler_step
from .protocol import Generators


@dataclass(frozen=True)
class FlowLevel:
    """A noise level of flow matching."""

    timestep: float
    sigma: float  # share of the noise, [0, 1]; that of the signal is 1 - sigma


def shift_by_tokens(
    scheduler: Any, calculate_shift: Callable[..., float], patch: int
) -> Callable[[tuple[int, int], int], float]:
    """Return the shift of a schedule that depends on the number of tokens, as FLUX.1 and Qwen-Image have it.

    Args:
        scheduler: its configuration holds the shifts of the shortest and longest sequence.
        calculate_shift: diffusers' own.
        patch: side of a token in latent cells.
    """
    config = scheduler.config

    def shift(cells: tuple[int, int], steps: int) -> float:
        tokens = cells[0] * cells[1] // patch**2
        lengths = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
        return calculate_shift(tokens, *lengths, config.get("base_shift", 0.5), config.get("max_shift", 1.15))

    return shift


@dataclass(frozen=True)
class FlowSchedule:
    """Straight paths from noise to image, whose velocity the model predicts: `FlowMatchEulerDiscreteScheduler`.

    Args:
        scheduler: of diffusers.
        shift: mu, from the canvas's latent cells and the number of steps, for schedulers with `use_dynamic_shifting`;
            ``None``: the schedule does not depend on them.
    """

    scheduler: Any
    shift: Callable[[tuple[int, int], int], float] | None = None

    @property
    def order(self) -> int:
        """Timesteps of the solver to each denoising step."""
        return self.scheduler.order

    def check(self, steps: int, restricted: bool) -> None:
        """Check the number of steps, and that the scheduler is one of flow matching.

        Raises:
            InputError: too many steps, or another scheduler.
        """
        check_steps(steps, self.scheduler)
        if not hasattr(self.scheduler, "scale_noise"):
            raise InputError(
                "`scheduler` must be one of flow matching, such as FlowMatchEulerDiscreteScheduler, got "
                f"{type(self.scheduler).__name__}."
            )

    def noise_levels(self, shares: Sequence[float]) -> list[FlowLevel]:
        """Return the noise level at each share of the schedule: the share of the noise itself."""
        return [FlowLevel(share * self.scheduler.config.num_train_timesteps, share) for share in shares]

    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, level: FlowLevel) -> torch.Tensor:
        """Return the point between image and noise."""
        return (1 - level.sigma) * latents + level.sigma * noise

    def predicted_noise(self, prediction: torch.Tensor, noisy: torch.Tensor, level: FlowLevel) -> torch.Tensor:
        """Convert a velocity, noise less image, to noise; from noise alone, where it would be that noise, keep it."""
        return prediction if level.sigma == 1 else noisy + (1 - level.sigma) * prediction

    def start(self, steps: int, cells: tuple[int, int], device: torch.device) -> torch.Tensor:
        """Prepare the solver as diffusers' pipelines do, and return its timesteps."""
        sigmas = None if self.scheduler.config.get("use_flow_sigmas") else np.linspace(1.0, 1 / steps, steps)
        chosen = {"num_inference_steps": steps} if sigmas is None else {"sigmas": sigmas}
        mu = None if self.shift is None else self.shift(cells, steps)
        self.scheduler.set_timesteps(**chosen, device=device, mu=mu)
        self.scheduler.set_begin_index(0)
        return self.scheduler.timesteps

    def initial(self, noise: torch.Tensor) -> torch.Tensor:
        """Return the noise."""
        return noise

    def background(self, clean: torch.Tensor, noise: torch.Tensor, index: int) -> torch.Tensor:
        """Return latents noised as those before step `index`."""
        if index >= len(self.scheduler.timesteps):
            return clean
        sigma = self.scheduler.sigmas[index].to(clean)
        return (1 - sigma) * clean + sigma * noise

    def model_input(self, latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        """Return the latents."""
        return latents

    def step(
        self,
        prediction: torch.Tensor,
        timestep: torch.Tensor,
        latents: torch.Tensor,
        eta: float,
        generator: Generators,
    ) -> torch.Tensor:
        """Take a step of the solver."""
        return scheduler_step(self.scheduler, prediction, timestep, latents, {"generator": generator})
