"""Names of weights in the original layout of latent diffusion.

The original layout is that of Rombach et al., *High-Resolution Image Synthesis with Latent Diffusion Models* (CVPR
2022), in which InstructPix2Pix published its weights and which ComfyUI reads. The maps are derived from the diffusers
names alone and are one to one, so each serves both directions and no weight can be lost. diffusers' own functions go
one way and skip what they do not know; the tests compare the maps with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .name_map import map_names
from .unet_names import unet_names
from .vae_names import vae_names

#: Prefixes of the names of each part in an original single file.
PREFIXES = {
    "unet": "model.diffusion_model.",
    "vae": "first_stage_model.",
    "text_encoder": "cond_stage_model.transformer.text_model.",
}


def text_encoder_names(names: Iterable[str]) -> dict[str, str]:
    """Return original names (without prefix) of a `CLIPTextModel`'s weights, which are the same.

    Raises:
        InputError: the original layout has no place for a weight.
    """

    def original_name(name: str) -> str | None:
        return name if re.match(r"(embeddings|encoder|final_layer_norm)\.", name) else None

    return map_names("text_encoder", names, original_name)


_NAMES = {"unet": unet_names, "vae": vae_names, "text_encoder": text_encoder_names}


def original_names(part: str, names: Iterable[str]) -> dict[str, str]:
    """Return original names, prefix included, of the weights of one part ("unet", "vae" or "text_encoder").

    Raises:
        InputError: the original layout has no place for a weight.
    """
    return {name: PREFIXES[part] + original for name, original in _NAMES[part](names).items()}


def ema_name(original: str) -> str:
    """Return the name of the EMA of a U-Net's weight in an original file: the name without its dots."""
    return "model_ema." + original.removeprefix("model.").replace(".", "")
