"""Nodes for ComfyUI's own samplers: the method as an ordinary graph of models, conditionings and latents."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from . import sockets
from .load_pipeline import DTYPES
from .work.folders import DEMO, diffusers_places

CATEGORY = "InstructX2X/Native"


class X2XLoadNative(io.ComfyNode):
    """A checkpoint in diffusers layout as ComfyUI's MODEL, CLIP and VAE."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XLoadNative",
            display_name="Load InstructX2X (Native)",
            category=CATEGORY,
            description="Loads an InstructPix2Pix or InstructX2X checkpoint in diffusers layout for ComfyUI's own "
            "samplers.",
            inputs=[
                io.Combo.Input(
                    "checkpoint",
                    options=list(diffusers_places()),
                    default=DEMO,
                    tooltip="The demo that ships, or a folder in diffusers layout (models/instructx2x, models/diffusers, "
                    "models/checkpoints, nested ones too).",
                ),
                io.Combo.Input(
                    "dtype",
                    options=list(DTYPES),
                    default=DTYPES[0],
                    tooltip="Numbers that the U-Net computes with. auto leaves the choice to ComfyUI.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    "model",
                    display_name="model",
                    tooltip="The U-Net, which sees the noisy latents and the image's.",
                ),
                io.Clip.Output("clip", display_name="clip", tooltip="The text encoder, for CLIP Text Encode."),
                io.Vae.Output("vae", display_name="vae", tooltip="The autoencoder, for VAE Encode and VAE Decode."),
            ],
        )

    @classmethod
    def validate_inputs(cls, checkpoint, dtype) -> bool | str:
        if wrong := sockets.check_choices(dtype=(dtype, DTYPES)):
            return wrong
        if checkpoint is None or checkpoint in diffusers_places():
            return True
        return (
            f"`checkpoint` must be a folder that is on this machine, but {checkpoint!r} is not. Choose another one, or "
            "put it into models/instructx2x and refresh the page's node definitions (R)."
        )

    @classmethod
    def fingerprint_inputs(cls, checkpoint, dtype) -> str:
        from .work.checkpoints import fingerprint

        return f"{fingerprint(diffusers_places().get(checkpoint))} {dtype}"

    @classmethod
    def execute(cls, checkpoint: str, dtype: str) -> io.NodeOutput:
        from .comfy_native.loading import load_native

        return io.NodeOutput(*load_native(diffusers_places()[checkpoint], dtype))


class X2XNativeRelevanceMap(io.ComfyNode):
    """Where the instruction matters to the model, through ComfyUI's own sampling."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XNativeRelevanceMap",
            display_name="Relevance Map (Native)",
            category=CATEGORY,
            description="Noises the image's latent and asks the model what it sees with the instruction and without: "
            "where the two answers differ, the instruction matters.",
            inputs=[
                io.Model.Input("model", tooltip="An InstructPix2Pix model: its U-Net sees the image's latent too."),
                io.Conditioning.Input("positive", tooltip="The instruction, from CLIP Text Encode."),
                io.Conditioning.Input("negative", tooltip="CLIP Text Encode of an empty text."),
                io.Latent.Input("latent", tooltip="The image's latent, from VAE Encode."),
                sockets.noise_level_input(
                    "Noise at which the model is asked, 0 to 1; several with commas are averaged (0.6, 0.7, 0.8). "
                    "'recommended': what the checkpoint recommends, else 0.8."
                ),
                sockets.draws_input(
                    "Noise draws that are averaged at each level; more are steadier and slower. 0: what the "
                    "checkpoint recommends, else 4."
                ),
                sockets.seed_input(
                    "Of the noise. The seed of RandomNoise gives the map that the pipeline draws for that edit."
                ),
            ],
            outputs=[
                io.Mask.Output(
                    "relevance",
                    display_name="relevance",
                    tooltip="0 where the instruction makes no difference, 1 where it makes the most.",
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, noise_level) -> bool | str:
        return sockets.check_noise_level(noise_level)

    @classmethod
    def execute(
        cls, model: Any, positive: Any, negative: Any, latent: dict, noise_level: str, draws: int, seed: int
    ) -> io.NodeOutput:
        from .comfy_native.relevance import relevance_mask
        from .work.settings import read_levels

        return io.NodeOutput(relevance_mask(model, positive, negative, latent, read_levels(noise_level), draws, seed))


class X2XRegionGuider(io.ComfyNode):
    """InstructPix2Pix's guidance with two scales, in a region."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XRegionGuider",
            display_name="Region Guider",
            category=CATEGORY,
            description="Guides SamplerCustomAdvanced by the instruction and by the image, each with a scale of its "
            "own, and only inside the mask: outside it the latent stays the image's.",
            inputs=[
                io.Model.Input("model", tooltip="An InstructPix2Pix model: its U-Net sees the image's latent too."),
                io.Conditioning.Input("positive", tooltip="The instruction, from CLIP Text Encode."),
                io.Conditioning.Input("negative", tooltip="CLIP Text Encode of an empty text."),
                io.Latent.Input(
                    "image_latent",
                    tooltip="The image's latent, from VAE Encode: what the model edits. Give it to the sampler's "
                    "latent_image too.",
                ),
                io.Float.Input(
                    "guidance_scale",
                    default=7.5,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    tooltip="How strongly the instruction is followed. 0 leaves it out: what the same noise becomes "
                    "without the instruction.",
                ),
                io.Float.Input(
                    "image_guidance_scale",
                    default=1.5,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    tooltip="How strongly the image is followed. At 1 a step costs two U-Net calls instead of three.",
                ),
                io.Mask.Input(
                    "guidance_mask",
                    optional=True,
                    tooltip="Where the image may change (white from one half on). Without it, everywhere.",
                ),
            ],
            outputs=[io.Guider.Output("guider", display_name="guider", tooltip="For SamplerCustomAdvanced.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        positive: Any,
        negative: Any,
        image_latent: dict,
        guidance_scale: float,
        image_guidance_scale: float,
        guidance_mask: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        from .comfy_native.guider import region_guider

        scales = guidance_scale, image_guidance_scale
        return io.NodeOutput(region_guider(model, positive, negative, image_latent, scales, guidance_mask))


class X2XNativeCompose(io.ComfyNode):
    """Lay a decoded edit over the original picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XNativeCompose",
            display_name="Compose Edit",
            category=CATEGORY,
            description="Lays the edit over the original inside the mask; outside it the original stays bit for bit.",
            inputs=[
                io.Image.Input("image", tooltip="The original picture."),
                io.Image.Input("edited", tooltip="The decoded edit."),
                io.Mask.Input("guidance_mask", tooltip="Where the image may change, as the guider got it."),
                io.Float.Input(
                    "soft_edge",
                    default=0.02,
                    min=0.0,
                    max=0.5,
                    step=0.005,
                    tooltip="Width of the soft edge inside the mask, as a share of the picture's longer side. Edit "
                    "Radiograph takes 0.05 for pleural effusion, else 0.02.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How much of the edit is laid over the original: 0 is the original, 1 the full edit.",
                ),
                io.Image.Input(
                    "unchanged",
                    optional=True,
                    tooltip="What the edit is compared with: the decoded image's latent, or the decoded edit of the same "
                    "noise with a guidance scale of 0. The difference is laid over the original, which keeps its "
                    "grain. Without it the decoded edit takes the original's place.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    "result",
                    display_name="result",
                    tooltip="The original, edited inside the mask.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor,
        edited: torch.Tensor,
        guidance_mask: torch.Tensor,
        soft_edge: float,
        strength: float,
        unchanged: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        from .comfy_native.compose import compose

        return io.NodeOutput(compose(image, edited, guidance_mask, soft_edge, strength, unchanged))


NATIVE_NODES = [X2XLoadNative, X2XNativeRelevanceMap, X2XRegionGuider, X2XNativeCompose]
