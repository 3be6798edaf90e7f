"""RadEdit's way of editing on the weights of any pipeline here (Pérez-García et al., *RadEdit*, ECCV 2024).

The image is inverted as in edit-friendly DDPM inversion (Huberman-Spiegelglas et al., 2024): it is noised to each level
of the schedule by noise of its own, and the noise that each step must add to retrace these latents is solved for. The
edit takes the same steps with the same noise, guided by the instruction inside the edit mask, and by the prediction
without it elsewhere. After each step the inverted latents replace those inside the keep mask. What lies in neither mask
may change to fit the edit.

The published code replaces them by the inverted latents of the level just left, one step too noisy, and once there is
a keep mask does so everywhere outside the edit mask. Here both are as in the paper: the level just reached, and inside
the keep mask alone.

RadEdit's model makes images from text. For a model that sees the image, "without the instruction" is the prediction
from the image alone, by the image guidance scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.schedulers import DDIMScheduler
from diffusers.utils.torch_utils import randn_tensor

from x2x_core.common.errors import InputError
from x2x_core.edit.arguments import EditKwargs
from x2x_core.edit.backbones.conditioning import IMAGE
from x2x_core.edit.backbones.diffusion import DiffusionSchedule
from x2x_core.edit.backbones.instruct_pix2pix import InstructPix2Pix
from x2x_core.edit.backbones.protocol import EditBackbone
from x2x_core.edit.background import blend
from x2x_core.edit.composing import compose
from x2x_core.edit.decoding import check_latents
from x2x_core.edit.editor import Editor
from x2x_core.edit.encoding import encode
from x2x_core.edit.outputs import InstructX2XPipelineOutput
from x2x_core.edit.placing import place_outputs
from x2x_core.edit.request import read_request
from x2x_core.edit.scales import Scales
from x2x_core.edit.state import Edited, Encoded, Guidance
from x2x_core.guidance.relevance import add_noise

SKIP = 0.3  # share of the noisiest steps left out, as published
BAND = 1 / 32  # of the longer side: between edit mask and keep mask, where the edit may blend into the image
Predict = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # latents and timestep to a prediction


def skipped_steps(count: int, skip: float = SKIP) -> int:
    """Return how many of the noisiest steps of a schedule are left out: a share of them, rounded down."""
    return int(count * skip)


@dataclass(frozen=True)
class Steps:
    """The steps of an edit: T timesteps, and the share of the signal's variance before each and after the last."""

    scheduler: Any  # DDIM
    timesteps: torch.Tensor  # (T,), from the noisiest
    alphas: tuple[float, ...]  # T + 1

    @classmethod
    def of(cls, scheduler: Any, count: int, skip: float = SKIP, device: torch.device | None = None) -> Steps:
        """Return the last steps of a schedule, by DDIM.

        Args:
            scheduler: a diffusers scheduler with `alphas_cumprod`.
            count: steps of the whole schedule.
            skip: share of them that is left out, the noisiest.
            device: of the timesteps.
        """
        ddim = DDIMScheduler.from_config(scheduler.config, clip_sample=False)  # not of latents
        ddim.set_timesteps(count, device=device)
        timesteps = ddim.timesteps[skipped_steps(count, skip) :]
        alphas = [float(ddim.alphas_cumprod[int(timestep)]) for timestep in timesteps]
        return cls(ddim, timesteps, (*alphas, float(ddim.final_alpha_cumprod)))

    def mean(self, index: int, prediction: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Return the mean of the latents after a step: the posterior's of DDPM, for the image that is predicted."""
        now, after = self.alphas[index], self.alphas[index + 1]
        clean = self.scheduler.step(prediction, int(self.timesteps[index]), latents).pred_original_sample
        kept = now / after
        return (after**0.5 * (1 - kept) * clean + kept**0.5 * (1 - after) * latents) / (1 - now)


@dataclass(frozen=True)
class Inversion:
    """The latents of an image at each level, and what each step adds to its mean to get from one to the next."""

    latents: tuple[torch.Tensor, ...]  # T + 1, each (B, C, h, w), the last clean
    noise: tuple[torch.Tensor, ...]  # T, scaled by the deviation of its step


def invert(steps: Steps, clean: torch.Tensor, noise: Sequence[torch.Tensor], predict: Predict) -> Inversion:
    """Invert an image.

    Args:
        steps: of the edit.
        clean: the image's latents `(B, C, h, w)`, scaled.
        noise: T draws, each of the same shape, standard normal.
        predict: the prediction without the instruction.
    """
    levels = [add_noise(clean, own, alpha) for own, alpha in zip(noise, steps.alphas[:-1], strict=True)]
    latents, added = [*levels, clean], []
    for index, timestep in enumerate(steps.timesteps):
        mean = steps.mean(index, predict(latents[index], timestep), latents[index])
        random = steps.alphas[index + 1] < 1  # a step to the end of a schedule without noise adds none
        added.append(latents[index + 1] - mean if random else torch.zeros_like(mean))
    return Inversion(tuple(latents), tuple(added))


def denoise_masked(
    steps: Steps,
    inversion: Inversion,
    guided: Predict,
    unguided: Predict,
    edit_cells: torch.Tensor,
    keep_cells: torch.Tensor,
) -> torch.Tensor:
    """Edit inverted latents.

    Args:
        steps: of the inversion.
        inversion: of the image.
        guided: the prediction guided by the instruction.
        unguided: the prediction without the instruction.
        edit_cells: `(B, 1, h, w)` bool, the edit mask.
        keep_cells: like `edit_cells`, the keep mask.

    Returns:
        `(B, C, h, w)`; inside the keep mask the image's own latents.
    """
    latents = inversion.latents[0]
    for index, timestep in enumerate(steps.timesteps):
        prediction = torch.where(edit_cells, guided(latents, timestep), unguided(latents, timestep))
        latents = steps.mean(index, prediction, latents) + inversion.noise[index]
        latents = blend(latents, inversion.latents[index + 1], ~keep_cells)
    return latents


@torch.no_grad()
def radedit(
    pipeline: Any,
    image: Any,
    prompt: str | Sequence[str],
    edit_mask: torch.Tensor,
    keep_mask: torch.Tensor | None = None,
    *,
    skip: float = SKIP,
    **arguments: Any,
) -> InstructX2XPipelineOutput:
    """Edit pictures in RadEdit's way.

    Args:
        pipeline: an `InstructX2XPipeline` or `X2XEdit`, of a model with a diffusion schedule.
        image: as for the pipeline.
        prompt: as for the pipeline.
        edit_mask: where the instruction guides, `(B, 1, H, W)` bool at the pictures' size.
        keep_mask: what stays, like `edit_mask`; ``None``: nothing.
        skip: share of the steps left out, the noisiest, [0, 1).
        arguments: `num_inference_steps`, `guidance_scale`, `image_guidance_scale`, `generator` and others that the
            pipeline's call takes with `restricted=False`.

    Returns:
        The edits, with the edit mask as `guidance_map`, and as `guidance_mask` what the keep mask does not cover.
        Inside the keep mask the pictures equal the input, not the decoding that the published code returns.

    Raises:
        InputError: a model of another schedule, `skip` out of range, masks of another size, or an argument that can't
            be used.
    """
    if not 0 <= skip < 1:
        raise InputError(f"`skip` must be at least 0 and below 1, got {skip!r}.")
    backbone = getattr(pipeline, "backbone", None) or InstructPix2Pix(pipeline)
    editor = Editor(backbone, pipeline.pseudomasks, pipeline.config)
    request = read_request(editor, EditKwargs, image, prompt, {**arguments, "restricted": False})
    schedule = request.denoising.schedule
    if not isinstance(schedule, DiffusionSchedule) or not hasattr(schedule.scheduler, "alphas_cumprod"):
        raise InputError("`pipeline` must have a noise schedule with `alphas_cumprod`: RadEdit inverts by DDPM.")
    encoded = encode(backbone, request.encoding, place_outputs(request.placing, None))
    keep = torch.zeros_like(edit_mask) if keep_mask is None else keep_mask
    for name, mask in (("edit_mask", edit_mask), ("keep_mask", keep)):
        if mask.shape != (len(encoded.image_index), 1, *encoded.images.size) or mask.dtype != torch.bool:
            raise InputError(
                f"`{name}` must be bool, (B, 1, H, W) at the pictures' size, got {mask.dtype} {tuple(mask.shape)}."
            )
    steps = Steps.of(schedule.scheduler, request.denoising.num_inference_steps, skip, encoded.clean.device)
    clean, generator = encoded.clean, request.denoising.generator
    draws = randn_tensor((len(clean), len(steps.timesteps), *clean.shape[1:]), generator, clean.device, clean.dtype)
    guided, unguided = _predictions(backbone, request.scales, encoded)
    inversion = invert(steps, clean, draws.unbind(1), unguided)
    edit_cells, free_cells = (encoded.canvases.cells_of(mask).to(clean.device) for mask in (edit_mask, ~keep))
    edited = denoise_masked(steps, inversion, guided, unguided, edit_cells, ~free_cells)
    check_latents(edited)
    guidance = Guidance(edit_mask.float(), ~keep, free_cells)
    composed = compose(backbone, request.composing, encoded, guidance, Edited(edited))
    backbone.pipe.maybe_free_model_hooks()
    return InstructX2XPipelineOutput.of(composed, guidance, None, encoded.canvases, request.instructions, None)


def _predictions(backbone: EditBackbone, scales: Scales, encoded: Encoded) -> tuple[Predict, Predict]:
    """Return the prediction guided by the instruction, and that without it."""
    branches = backbone.traits.branches
    whole = encoded.conditioning.of(*branches)
    rest = encoded.conditioning.of(*([IMAGE] if scales.image == 1 else branches[1:]))
    text = torch.tensor(scales.text).view(-1, 1, 1, 1)

    def guided(latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        predictions = backbone.predict(whole, latents, timestep.expand(len(latents)))
        return backbone.guide(predictions, text, scales.image)

    def unguided(latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        image, *neither = backbone.predict(rest, latents, timestep.expand(len(latents)))
        return backbone.guide((image, image, *neither), text, scales.image) if neither else image

    return guided, unguided
