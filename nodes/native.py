"""Nodes for ComfyUI's own samplers: the method as an ordinary graph of models, conditionings and latents."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from x2x_core.edit_settings import DEFAULT

from .folders import checkpoint_names, checkpoint_path

CATEGORY = "InstructX2X/Native"
LARGEST_SEED = 0xFFFFFFFFFFFFFFFF
DTYPES = ("default", "float32", "bfloat16", "float16")


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
                    options=checkpoint_names(),
                    tooltip="A checkpoint that ships with the pack, or a folder with a model_index.json under ComfyUI's "
                    "models/diffusers or models/instructx2x.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=list(DTYPES),
                    default=DTYPES[0],
                    tooltip="Precision of the U-Net's weights. Default leaves the choice to ComfyUI.",
                ),
            ],
            outputs=[
                io.Model.Output("model", tooltip="The U-Net, which sees the noisy latents and the image's."),
                io.Clip.Output("clip", tooltip="The text encoder, for CLIP Text Encode."),
                io.Vae.Output("vae", tooltip="The autoencoder, for VAE Encode and VAE Decode."),
            ],
        )

    @classmethod
    def execute(cls, checkpoint: str, dtype: str) -> io.NodeOutput:
        from .native_loading import load_native

        return io.NodeOutput(*load_native(checkpoint_path(checkpoint), dtype))


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
                io.Float.Input(
                    "noise_level",
                    default=DEFAULT.relevance_noise_level,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="How much noise the model looks through, as a share of its schedule.",
                ),
                io.Int.Input(
                    "draws",
                    default=DEFAULT.relevance_samples,
                    min=1,
                    max=64,
                    tooltip="Noise draws that the map is averaged over: more are steadier and take longer.",
                ),
                _seed("Seed of the noise. The same seed on RandomNoise gives the pipeline's edit with that seed."),
            ],
            outputs=[
                io.Mask.Output(
                    "relevance", tooltip="0 where the instruction makes no difference, 1 where it makes the most."
                )
            ],
        )

    @classmethod
    def execute(
        cls, model: Any, positive: Any, negative: Any, latent: dict, noise_level: float, draws: int, seed: int
    ) -> io.NodeOutput:
        from .native_relevance import relevance_mask

        return io.NodeOutput(relevance_mask(model, positive, negative, latent, noise_level, draws, seed))


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
                    default=DEFAULT.guidance_scale,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    tooltip="How strongly the instruction is followed. 0 leaves it out: what the same noise becomes "
                    "without the instruction.",
                ),
                io.Float.Input(
                    "image_guidance_scale",
                    default=DEFAULT.image_guidance_scale,
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
            outputs=[io.Guider.Output("guider", tooltip="For SamplerCustomAdvanced.")],
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
        from .native_guider import region_guider

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
                    default=DEFAULT.soft_edge,
                    min=0.0,
                    max=0.5,
                    step=0.005,
                    tooltip="Width of the soft edge inside the mask, as a share of the picture's longer side.",
                ),
                io.Float.Input(
                    "strength",
                    default=DEFAULT.edit_strength,
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
            outputs=[io.Image.Output("result", tooltip="The original, edited inside the mask.")],
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
        from .native_compose import compose

        return io.NodeOutput(compose(image, edited, guidance_mask, soft_edge, strength, unchanged))


def _seed(tooltip: str) -> io.Int.Input:
    return io.Int.Input("seed", default=0, min=0, max=LARGEST_SEED, control_after_generate=True, tooltip=tooltip)


NATIVE_NODES = [X2XLoadNative, X2XNativeRelevanceMap, X2XRegionGuider, X2XNativeCompose]
