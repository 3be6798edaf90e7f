"""Tiny models of ComfyUI's own architectures with random weights, for tests inside ComfyUI and on its server.

Each is a `TinyModel`: MODEL, CONDITIONING and a VAE that halves nothing but resolution.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F

CELL = 8  # pixels to a side of a latent cell
WIDTH = 32  # of the text embeddings
POOLED = 16  # of what FLUX reads of the text as a whole
FLUX = {
    "in_channels": 16, "out_channels": 16, "vec_in_dim": POOLED, "context_in_dim": WIDTH, "hidden_size": 32,
    "mlp_ratio": 2.0, "num_heads": 2, "depth": 1, "depth_single_blocks": 1, "axes_dim": [4, 6, 6], "theta": 10_000,
    "patch_size": 2, "qkv_bias": True, "guidance_embed": False, "txt_ids_dims": [],
}  # fmt: skip
QWEN = {
    "image_model": "qwen_image", "in_channels": 64, "out_channels": 16, "num_layers": 1, "attention_head_dim": 16,
    "num_attention_heads": 2, "joint_attention_dim": WIDTH, "axes_dims_rope": (4, 6, 6),
}  # fmt: skip
SD15 = {
    "image_size": 32, "use_checkpoint": False, "use_spatial_transformer": True, "legacy": False,
    "adm_in_channels": None, "use_temporal_attention": False, "use_temporal_resblock": False, "in_channels": 4,
    "out_channels": 4, "model_channels": 32, "channel_mult": [1, 2], "num_res_blocks": [1, 1],
    "transformer_depth": [0, 1], "transformer_depth_output": [0, 0, 1, 1], "transformer_depth_middle": 1,
    "context_dim": WIDTH, "use_linear_in_transformer": False,
}  # fmt: skip


@dataclass(frozen=True)
class TinyVae:
    """An autoencoder that keeps the mean colour of each cell, in latents of any number of channels.

    Args:
        channels: of the latents.
        frames: latents have a dimension of frames, as those of Qwen-Image.
    """

    channels: int
    frames: bool = False
    downscale_ratio: int = CELL

    def _colours(self) -> torch.Tensor:
        """Return the latent of each colour, `(3, channels)` with orthonormal rows."""
        draws = torch.randn(self.channels, 3, generator=torch.Generator().manual_seed(self.channels))
        return torch.linalg.qr(draws)[0].T

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode an IMAGE, cropped to whole cells as ComfyUI crops it."""
        rows, columns = (side // CELL * CELL for side in pixels.shape[1:3])
        top, left = (pixels.shape[1] - rows) // 2, (pixels.shape[2] - columns) // 2
        part = pixels[:, top : top + rows, left : left + columns, :3].movedim(-1, 1)
        cells = F.avg_pool2d(part * 2 - 1, CELL)
        latents = torch.einsum("bchw,cd->bdhw", cells, self._colours().to(cells))
        return latents.unsqueeze(2) if self.frames else latents

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Decode latents to an IMAGE."""
        latents = latents[:, :, 0] if latents.ndim == 5 else latents
        cells = torch.einsum("bdhw,cd->bchw", latents, self._colours().to(latents))
        pixels = F.interpolate(cells, scale_factor=CELL, mode="bilinear")
        return (pixels / 2 + 0.5).clamp(0, 1).movedim(1, -1)


@dataclass(frozen=True)
class TinyModel:
    """A MODEL with its VAE."""

    model: Any
    vae: TinyVae

    def text(self, words: str, **more: Any) -> list:
        """Return a CONDITIONING that depends on all letters of a text."""
        generator = torch.Generator().manual_seed(sum(place * ord(one) for place, one in enumerate(words, 1)))
        embeds = torch.randn(1, 5, WIDTH, generator=generator)
        return [[embeds, {"pooled_output": torch.randn(1, POOLED, generator=generator), **more}]]


def flux() -> TinyModel:
    """FLUX.1, as FLUX.1 Kontext with reference latents."""
    import comfy.supported_models
    from comfy.ldm.flux.model import FluxParams

    known = {field.name for field in fields(FluxParams)}  # they differ between versions of ComfyUI
    shape = {name: value for name, value in FLUX.items() if name in known}
    return TinyModel(_model(comfy.supported_models.Flux({"image_model": "flux", **shape})), TinyVae(16))


def qwen_image() -> TinyModel:
    """Qwen-Image, whose latents have a dimension of frames."""
    import comfy.supported_models

    return TinyModel(_model(comfy.supported_models.QwenImage(QWEN)), TinyVae(16, frames=True))


def stable_diffusion(inpainting: bool = False) -> TinyModel:
    """Stable Diffusion 1.5, or its inpainting model with nine input channels."""
    import comfy.supported_models

    config = comfy.supported_models.SD15({**SD15, "in_channels": 9 if inpainting else 4})
    return TinyModel(_model(config), TinyVae(4))


MAKERS = {
    "flux": flux,
    "qwen-image": qwen_image,
    "stable-diffusion": stable_diffusion,
    "inpainting": lambda: stable_diffusion(inpainting=True),
}


def _model(config: Any) -> Any:
    """Return a MODEL with random weights."""
    import comfy.model_patcher

    config.set_inference_dtype(torch.float32, None)
    network = config.get_model({})
    for number, weights in enumerate(network.diffusion_model.parameters()):
        fan_in = weights[0].numel() if weights.ndim > 1 else 4
        draws = torch.randn(weights.shape, generator=torch.Generator().manual_seed(number))
        weights.data = draws / fan_in**0.5
    cpu = torch.device("cpu")
    return comfy.model_patcher.ModelPatcher(network, load_device=cpu, offload_device=cpu)
