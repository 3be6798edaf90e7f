"""A block that combines a workflow's result with the original picture."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.modular_pipelines import ModularPipelineBlocks
from diffusers.modular_pipelines.modular_pipeline_utils import ComponentSpec, InputParam, OutputParam

from x2x_core.edit.composition import compose_decoded, compose_difference, match_channels
from x2x_core.imaging.geometry import resize
from x2x_core.imaging.inputs import read_images
from x2x_core.imaging.soft import soft_edges

from .masks import to_masks

# Width of the mask's soft inner edge, share of the picture's longer side.
SOFT_EDGE = 0.02


class CompositionBlock(ModularPipelineBlocks):
    """Put the result into the original: outside the mask it equals the original bit for bit.

    With the latents of the original in the state (inpainting workflows put `image_latents` there), the difference of
    two decodings is added to the original; without them, the decoding itself is inserted.
    """

    model_name = "stable-diffusion-xl"

    @property
    def description(self) -> str:
        """The block in a sentence."""
        return "Combine the edited picture with the original, which stays as it is outside the mask."

    @property
    def expected_components(self) -> list[ComponentSpec]:
        """The autoencoder."""
        return [ComponentSpec("vae", AutoencoderKL)]

    @property
    def inputs(self) -> list[InputParam]:
        """The original, the mask and the result."""
        return [
            InputParam("image", required=True, description="The original, of 8 or 16 bits or floating point."),
            InputParam("mask_image", required=True, description="White where the image may change."),
            InputParam("images", required=True, description="The decoded result."),
            InputParam("image_latents", type_hint=torch.Tensor, description="The original's latents, scaled."),
            InputParam("soft_edge", default=SOFT_EDGE, description="Share of the longer side, [0, 0.5]."),
            InputParam("composition", default="difference", description="difference or decoded."),
        ]

    @property
    def intermediate_outputs(self) -> list[OutputParam]:
        """The result."""
        return [OutputParam("images", description="Pictures of the original's own size and kind.")]

    @torch.no_grad()
    def __call__(self, components: Any, state: Any) -> tuple[Any, Any]:
        """Combine the pictures."""
        block_state = self.get_block_state(state)
        originals = read_images(block_state.image)
        edited = read_images(block_state.images).pixels
        index = [0] * len(edited) if len(originals) == 1 else list(range(len(originals)))
        mask = to_masks(block_state.mask_image).expand(len(edited), -1, -1, -1)
        original = originals.pixels[index]
        weight = soft_edges(mask, [block_state.soft_edge * max(originals.size)] * len(edited))
        latents = block_state.image_latents
        if block_state.composition == "difference" and latents is not None:
            unchanged = _decoded(components.vae, latents)
            change = resize(edited - unchanged.expand_as(edited), originals.size)
            result = compose_difference(original, match_channels(change, original.shape[1]), weight)
        else:
            picture = match_channels(resize(edited, originals.size), original.shape[1])
            result = compose_decoded(original, picture, weight)
        block_state.images = originals.give_back(result, mask, index, "pil")
        self.set_block_state(state, block_state)
        return components, state


def _decoded(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Decode scaled latents to pictures in [0, 1] on the CPU."""
    decoded = vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor, return_dict=False)[0]
    return (decoded.float().cpu() / 2 + 0.5).clamp(0, 1)
