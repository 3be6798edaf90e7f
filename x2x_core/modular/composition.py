"""A block that combines a workflow's result with the original picture."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.modular_pipelines import ModularPipelineBlocks
from diffusers.modular_pipelines.modular_pipeline_utils import InputParam, OutputParam

from x2x_core.edit.composition import compose_decoded, compose_difference, match_channels
from x2x_core.imaging.geometry import resize
from x2x_core.imaging.inputs import read_images
from x2x_core.imaging.soft import soft_edges

from .masks import to_masks

_CHANNELS = 3  # of what autoencoders of pictures take
# Width of the mask's soft inner edge, share of the picture's longer side.
SOFT_EDGE = 0.02


class CompositionBlock(ModularPipelineBlocks):
    """Put the result into the original: outside the mask it equals the original bit for bit.

    The difference of two decodings is added to the original: of the result, and of the original's own latents. With a
    Stable Diffusion autoencoder, those are the `image_latents` that inpainting workflows put into the state; other
    autoencoders encode the original anew. In a workflow without an autoencoder the decoding itself is inserted.
    """

    @property
    def description(self) -> str:
        """The block in a sentence."""
        return "Combine the edited picture with the original, which stays as it is outside the mask."

    @property
    def inputs(self) -> list[InputParam]:
        """The original, the mask and the result."""
        return [
            InputParam("image", required=True, description="The original, of 8 or 16 bits or floating point."),
            InputParam("mask_image", required=True, description="White where the image may change."),
            InputParam("images", required=True, description="The decoded result."),
            InputParam("image_latents", type_hint=torch.Tensor, description="The original's latents, as denoised."),
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
        index = [number for number in range(len(originals)) for _ in range(len(edited) // len(originals))]
        mask = _for_each(to_masks(block_state.mask_image), len(edited))
        original = originals.pixels[index]
        weight = soft_edges(mask, [block_state.soft_edge * max(originals.size)] * len(edited))
        vae = getattr(components, "vae", None)
        if block_state.composition == "difference" and vae is not None:
            unchanged = _decoded(
                vae, _unscaled(vae, block_state.image_latents, resize(original, (edited.shape[-2], edited.shape[-1])))
            )
            change = resize(edited - _for_each(unchanged, len(edited)), originals.size)
            result = compose_difference(original, match_channels(change, original.shape[1]), weight)
        else:
            picture = match_channels(resize(edited, originals.size), original.shape[1])
            result = compose_decoded(original, picture, weight)
        block_state.images = originals.give_back(result, mask, index, "pil")
        self.set_block_state(state, block_state)
        return components, state


def _unscaled(vae: Any, latents: torch.Tensor | None, pixels: torch.Tensor) -> torch.Tensor:
    """Return the latents of the original as `vae` decodes them.

    Args:
        vae: an autoencoder of pictures, or of films.
        latents: as denoised; of other autoencoders than Stable Diffusion's, and if ``None``, `pixels` are encoded.
        pixels: `(B, C, h, w)` in [0, 1] of the result's size.
    """
    scale = getattr(vae.config, "scaling_factor", None)
    if latents is not None and latents.ndim == 4 and scale is not None:
        return latents / scale + (getattr(vae.config, "shift_factor", None) or 0)
    placed = match_channels(pixels, _CHANNELS).to(vae.device, vae.dtype) * 2 - 1
    return vae.encode(placed[:, :, None] if _takes_films(vae) else placed).latent_dist.mode()


def _decoded(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Decode unscaled latents to pictures in [0, 1] on the CPU."""
    decoded = vae.decode(latents.to(vae.device, vae.dtype), return_dict=False)[0]
    frame = decoded[:, :, 0] if _takes_films(vae) else decoded
    return (frame.float().cpu() / 2 + 0.5).clamp(0, 1)


def _takes_films(vae: Any) -> bool:
    """Return True for an autoencoder with a dimension of frames, such as Qwen-Image's."""
    return hasattr(vae.config, "temperal_downsample")


def _for_each(values: torch.Tensor, count: int) -> torch.Tensor:
    """Return values `(N, ...)` of N pictures for `count` results, the copies of one picture after each other."""
    return values.repeat_interleave(count // len(values), dim=0)
