"""What each weight is called in the diffusers layout and in the original one of latent diffusion.

The original layout is that of Rombach et al., *High-Resolution Image Synthesis with Latent Diffusion Models* (CVPR
2022), in which InstructPix2Pix published and which ComfyUI reads. The maps are made from the diffusers names alone,
one to one, so each serves both directions and no weight can be lost; diffusers' own functions go one way and pass
over what they don't know (the tests hold the maps to them).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from x2x_core.common.errors import InputError

PREFIXES = {
    "unet": "model.diffusion_model.",
    "vae": "first_stage_model.",
    "text_encoder": "cond_stage_model.transformer.text_model.",
}
"""What the names of each part begin with in an original single file."""

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def unet_names(names: Iterable[str]) -> dict[str, str]:
    """Original names (without prefix) of a `UNet2DConditionModel`'s weights, by their diffusers names.

    Raises:
        InputError: a weight that the original layout has no place for.
    """
    names = list(names)
    layers = _layers_of(names, "down_blocks")
    starts = [1 + sum(layers[:block]) + block for block in range(len(layers))]
    up_layers = _layers_of(names, "up_blocks")
    up_starts = [sum(up_layers[:block]) for block in range(len(up_layers))]
    attended = {name.split(".attentions.")[0] for name in names if ".attentions." in name}

    def place(name: str) -> str | None:
        for end, original in _UNET_ENDS.items():
            if name.startswith(end + "."):
                return original + name[len(end) :]
        found = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)", name)
        if found:
            side, block, kind, layer, rest = found.groups()
            first = (starts if side == "down" else up_starts)[int(block)] + int(layer)
            return f"{_SIDES[side]}.{first}." + (f"0.{_resnet(rest)}" if kind == "resnets" else f"1.{rest}")
        found = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(?:down|up)samplers\.0\.conv\.(.+)", name)
        if found:
            side, block, rest = found.groups()
            if side == "down":
                return f"input_blocks.{starts[int(block)] + layers[int(block)]}.0.op.{rest}"
            last = up_starts[int(block)] + up_layers[int(block)] - 1
            return f"output_blocks.{last}.{2 if f'up_blocks.{block}' in attended else 1}.conv.{rest}"
        return _middle(name, "mid_block" in attended)

    return _all_placed("unet", names, place)


_SIDES = {"down": "input_blocks", "up": "output_blocks"}


def _layers_of(names: list[str], side: str) -> list[int]:
    """How many residual layers each block of one side of the U-Net has."""
    found = {
        tuple(map(int, m.groups())) for name in names if (m := re.match(rf"{side}\.(\d+)\.resnets\.(\d+)\.", name))
    }
    return [sum(block == number for block, _ in found) for number in range(1 + max((b for b, _ in found), default=-1))]


def _middle(name: str, attended: bool) -> str | None:
    """The middle of the U-Net: residual, attention, residual, one after the other."""
    found = re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)", name)
    if not found:
        return None
    kind, number, rest = found.groups()
    if kind == "attentions":
        return f"middle_block.{2 * int(number) + 1}.{rest}"
    return f"middle_block.{(2 if attended else 1) * int(number)}.{_resnet(rest)}"


def _resnet(rest: str) -> str:
    part, _, end = rest.rpartition(".")
    return f"{_RESNET.get(part, part)}.{end}"


def vae_names(names: Iterable[str]) -> dict[str, str]:
    """Original names (without prefix) of an `AutoencoderKL`'s weights, by their diffusers names.

    Raises:
        InputError: a weight that the original layout has no place for.
    """
    names = list(names)
    last = len({name.split(".")[2] for name in names if name.startswith("decoder.up_blocks.")}) - 1

    def place(name: str) -> str | None:
        found = re.fullmatch(r"(encoder|decoder)\.(?:down|up)_blocks\.(\d+)\.(resnets|down|up)(.+)", name)
        if found:
            part, block, kind, rest = found.groups()
            level = f"encoder.down.{block}" if part == "encoder" else f"decoder.up.{last - int(block)}"
            if kind == "resnets":
                return f"{level}.block{rest.replace('conv_shortcut', 'nin_shortcut')}"
            return f"{level}.{kind}sample{rest.removeprefix('samplers.0')}"
        found = re.fullmatch(r"(encoder|decoder)\.mid_block\.(resnets|attentions)\.(\d+)\.(.+)", name)
        if found:
            part, kind, number, rest = found.groups()
            if kind == "resnets":
                return f"{part}.mid.block_{int(number) + 1}.{rest.replace('conv_shortcut', 'nin_shortcut')}"
            inner, _, end = rest.rpartition(".")
            return (
                f"{part}.mid.attn_{int(number) + 1}.{_VAE_ATTENTION[inner]}.{end}" if inner in _VAE_ATTENTION else None
            )
        if re.fullmatch(r"(encoder|decoder)\.(conv_in|conv_norm_out|conv_out)\.\w+|(post_)?quant_conv\.\w+", name):
            return name.replace("conv_norm_out", "norm_out")
        return None

    return _all_placed("vae", names, place)


def text_encoder_names(names: Iterable[str]) -> dict[str, str]:
    """Original names (without prefix) of a `CLIPTextModel`'s weights: the same.

    Raises:
        InputError: a weight that the original layout has no place for.
    """
    return _all_placed(
        "text_encoder",
        list(names),
        lambda name: name if re.match(r"(embeddings|encoder|final_layer_norm)\.", name) else None,
    )


def _all_placed(part: str, names: list[str], place: Callable[[str], str | None]) -> dict[str, str]:
    placed = {name: place(name) for name in names}
    without = [name for name, original in placed.items() if original is None]
    if without:
        raise InputError(
            f"`{part}` has weights that the original layout has no place for: {', '.join(sorted(without))}."
        )
    if len(set(placed.values())) != len(placed):
        raise InputError(f"`{part}` has two weights of one original name. Its blocks are not Stable Diffusion's.")
    return placed


NAMES = {"unet": unet_names, "vae": vae_names, "text_encoder": text_encoder_names}
"""The map of each part."""


def original_names(part: str, names: Iterable[str]) -> dict[str, str]:
    """Original names, prefix included, of the weights of one part ("unet", "vae" or "text_encoder")."""
    return {name: PREFIXES[part] + original for name, original in NAMES[part](names).items()}


def ema_name(original: str) -> str:
    """Where an original file keeps the running average of a U-Net's weight: the name without its points."""
    return "model_ema." + original.removeprefix("model.").replace(".", "")
