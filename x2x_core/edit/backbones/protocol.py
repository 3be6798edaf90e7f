"""The interface of a model that an edit can run on, `EditBackbone`, and of its noise schedule, `Schedule`.

Latents are `(B, C, h, w)` whatever the model's own tokens are, and each latent cell covers a square of pixels. *Image
latents* are what the autoencoder gives and takes; *latents* are scaled, the space in which noise is added.

A model predicts for up to three branches: with the instruction and the image, with the image alone, and with neither.
The first two are all that a relevance map needs. A backbone names those that its guidance combines: three
(InstructPix2Pix), two, or the first alone (guidance-distilled models).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch

from ..windows import Windows
from .conditioning import Conditioning, PromptInputs

Generators = torch.Generator | list[torch.Generator] | None


@dataclass(frozen=True)
class Geometry:
    """Sizes that a model works with."""

    latent_channels: int  # C; with 1 or 3, latents can't be given instead of pictures, which have as many
    image_channels: int  # of the pictures that it encodes, 1 or 3
    cell: int  # side of a latent cell in pixels
    resolution: int  # side of its canvas in pixels
    step: int  # the canvas's sides must be multiples of so many pixels


@dataclass(frozen=True)
class Traits:
    """Facts about a kind of model."""

    branches: tuple[str, ...]  # that guidance combines: the first of `conditioning.THREE_BRANCHES`
    callback_tensors: tuple[str, ...]  # that callbacks can receive: "latents", and some of the conditioning's
    # Arguments of an edit that have no meaning for the model, with the reason of each, a clause.
    refused: Mapping[str, str] = field(default_factory=dict)
    recommended: Mapping[str, Any] = field(default_factory=dict)  # settings that suit the model
    relevance_batch: int = 2  # the most items of one call of the network for a relevance map
    joined_batch: int = 0  # the most items of one call for an edit and its twin; 0: one call for each


class Schedule(Protocol):
    """A noise schedule with its solver: a scheduler of diffusers."""

    @property
    def order(self) -> int:
        """Timesteps of the solver to each denoising step."""

    def check(self, steps: int, restricted: bool) -> None:
        """Check that an edit can run on the schedule.

        Raises:
            InputError: it can't.
        """

    def noise_levels(self, shares: Sequence[float]) -> Sequence[Any]:
        """Return the noise level at each share of the schedule, [0, 1]; each has a `timestep`, a number."""

    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, level: Any) -> torch.Tensor:
        """Noise latents to a level, as in training."""

    def predicted_noise(self, prediction: torch.Tensor, noisy: torch.Tensor, level: Any) -> torch.Tensor:
        """Convert a model's prediction for noisy latents at a level to the noise that it implies."""

    def start(self, steps: int, cells: tuple[int, int], device: torch.device) -> torch.Tensor:
        """Prepare the solver, and return its timesteps."""

    def initial(self, noise: torch.Tensor) -> torch.Tensor:
        """Return the latents that denoising starts from without an image."""

    def background(self, clean: torch.Tensor, noise: torch.Tensor, index: int) -> torch.Tensor:
        """Return latents noised as those before step `index`; clean after the last step."""

    def model_input(self, latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        """Scale noisy latents as the model expects them."""

    def step(
        self,
        prediction: torch.Tensor,
        timestep: torch.Tensor,
        latents: torch.Tensor,
        eta: float,
        generator: Generators,
    ) -> torch.Tensor:
        """Take a step of the solver, and return the latents after it."""


class EditBackbone(Protocol):
    """A model that an edit can run on: V views of pictures on their canvases, B outputs, n branches, N items."""

    @property
    def pipe(self) -> Any:
        """The diffusers pipeline of the model: its device, progress bar, offloading and interruption."""

    @property
    def traits(self) -> Traits:
        """Facts about the model."""

    @property
    def geometry(self) -> Geometry:
        """The sizes that the model works with."""

    def check(self, prompts: PromptInputs) -> None:
        """Check that the pipeline's parts fit together, and fit the prompts.

        Raises:
            InputError: they don't.
        """

    def schedule(self, published: bool = False, solver: str | None = None) -> Schedule:
        """Return the pipeline's noise schedule, or with `published` that of the published code.

        Args:
            published: the published code's.
            solver: one of `x2x_core.edit.solver_names.SOLVERS`, for the pipeline's schedule; ``None``: its own.

        Raises:
            InputError: a solver that can't follow the schedule.
        """

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode pictures `(V, image_channels, H, W)` in [0, 1] to image latents `(V, ...)`."""

    def decode(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Decode image latents to pictures `(B, image_channels, H, W)`, about [-1, 1]."""

    def to_latents(self, image_latents: torch.Tensor) -> torch.Tensor:
        """Scale image latents to latents `(B, C, h, w)`."""

    def to_image_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Scale latents `(B, C, h, w)` to image latents."""

    def condition(self, prompts: PromptInputs, pixels: torch.Tensor, image_latents: torch.Tensor) -> Conditioning:
        """Encode the prompts, for all branches that the model can predict for.

        Args:
            prompts: of P pairs, each for `copies` outputs.
            pixels: `(B, image_channels, H, W)` in [0, 1], the picture of each output on its canvas.
            image_latents: `(B, ...)`, the same encoded.
        """

    def predict(
        self,
        conditioning: Conditioning,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        guidance_scale: float | torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Predict for each branch of a conditioning.

        Args:
            conditioning: of N items in n branches.
            noisy: `(N, C, h, w)`, as `Schedule.model_input` gives it.
            timesteps: `(N,)`.
            guidance_scale: for models that take it as an input: one number, or `(N, 1, 1, 1)`; ``None``: their usual
                one.

        Returns:
            n predictions `(N, C, h, w)`.
        """

    def guide(
        self,
        predictions: Sequence[torch.Tensor],
        guidance_scale: float | torch.Tensor,
        image_guidance_scale: float,
    ) -> torch.Tensor:
        """Combine the predictions of `traits.branches`.

        Args:
            predictions: each `(B, C, h, w)`.
            guidance_scale: of the instruction, one number or `(B, 1, 1, 1)`.
            image_guidance_scale: of the image, for three branches.

        Returns:
            `(B, C, h, w)`.
        """


@runtime_checkable
class TakesMask(Protocol):
    """A model that is told where it may change the picture, as inpainting models are."""

    def restrict(self, conditioning: Conditioning, pixels: torch.Tensor, mask: torch.Tensor) -> Conditioning:
        """Return the conditioning with a mask.

        Args:
            conditioning: of B outputs.
            pixels: `(B, image_channels, H, W)` in [0, 1], the picture of each output on its canvas.
            mask: `(B, 1, H, W)` in [0, 1], on the canvas.
        """


@runtime_checkable
class DenoisesWindows(Protocol):
    """A model that can predict for a window of its canvas."""

    @property
    def window_step(self) -> int:
        """Latent cells of which a window's sides must be multiples."""

    def cut(self, conditioning: Conditioning, windows: Windows) -> Conditioning:
        """Return the conditioning of windows in latent cells."""


@runtime_checkable
class EncodesWindows(Protocol):
    """A model that can encode windows of pictures for less than the whole."""

    def encode_windows(self, pixels: torch.Tensor, windows: Windows) -> torch.Tensor:
        """Encode pictures `(V, image_channels, H, W)` in [0, 1] where windows in latent cells show them.

        Returns:
            Image latents `(V, C, h, w)`, nearly those of the whole pictures in the windows; elsewhere these, or 0.
        """


@runtime_checkable
class HasAttention(Protocol):
    """A model whose cross-attention can be recorded and gated."""

    @property
    def unet(self) -> Any:
        """The U-Net."""
