"""Names of the U-Net's weights in the original layout."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .name_map import map_names

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_SIDES = {"down": "input_blocks", "up": "output_blocks"}


def unet_names(names: Iterable[str]) -> dict[str, str]:
    """Return original names (without prefix) of a `UNet2DConditionModel`'s weights, by diffusers name.

    Raises:
        InputError: the original layout has no place for a weight.
    """
    names = list(names)
    down_layers, up_layers = (_layers(names, side) for side in ("down_blocks", "up_blocks"))
    starts = {  # number of the first original block of each diffusers block
        "down": [1 + sum(down_layers[:block]) + block for block in range(len(down_layers))],
        "up": [sum(up_layers[:block]) for block in range(len(up_layers))],
    }
    with_attention = {name.split(".attentions.")[0] for name in names if ".attentions." in name}

    def original_name(name: str) -> str | None:
        for end, original in _ENDS.items():
            if name.startswith(end + "."):
                return original + name[len(end) :]
        match = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)", name)
        if match:
            side, block, kind, layer, rest = match.groups()
            number = starts[side][int(block)] + int(layer)
            return f"{_SIDES[side]}.{number}." + (f"0.{_resnet(rest)}" if kind == "resnets" else f"1.{rest}")
        match = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(?:down|up)samplers\.0\.conv\.(.+)", name)
        if match:
            side, block, rest = match.groups()
            if side == "down":
                return f"input_blocks.{starts['down'][int(block)] + down_layers[int(block)]}.0.op.{rest}"
            last = starts["up"][int(block)] + up_layers[int(block)] - 1
            return f"output_blocks.{last}.{2 if f'up_blocks.{block}' in with_attention else 1}.conv.{rest}"
        return _middle(name, "mid_block" in with_attention)

    return map_names("unet", names, original_name)


def _layers(names: list[str], side: str) -> list[int]:
    """Return the number of residual layers of each block of one side."""
    layers = {
        (int(match[1]), int(match[2]))
        for name in names
        if (match := re.match(rf"{side}\.(\d+)\.resnets\.(\d+)\.", name))
    }
    blocks = 1 + max((block for block, _ in layers), default=-1)
    return [sum(block == number for block, _ in layers) for number in range(blocks)]


def _middle(name: str, attention: bool) -> str | None:
    """Return the original name of a weight in the middle: residual, attention, residual, in one sequence."""
    match = re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)", name)
    if not match:
        return None
    kind, number, rest = match.groups()
    if kind == "attentions":
        return f"middle_block.{2 * int(number) + 1}.{rest}"
    return f"middle_block.{(2 if attention else 1) * int(number)}.{_resnet(rest)}"


def _resnet(rest: str) -> str:
    part, _, end = rest.rpartition(".")
    return f"{_RESNET.get(part, part)}.{end}"
