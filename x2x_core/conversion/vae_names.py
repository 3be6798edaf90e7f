"""Names of the autoencoder's weights in the original layout."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .name_map import map_names

_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def vae_names(names: Iterable[str]) -> dict[str, str]:
    """Return original names (without prefix) of an `AutoencoderKL`'s weights, by diffusers name.

    Raises:
        InputError: the original layout has no place for a weight.
    """
    names = list(names)
    last = len({name.split(".")[2] for name in names if name.startswith("decoder.up_blocks.")}) - 1

    def original_name(name: str) -> str | None:
        match = re.fullmatch(r"(encoder|decoder)\.(?:down|up)_blocks\.(\d+)\.(resnets|down|up)(.+)", name)
        if match:
            part, block, kind, rest = match.groups()
            level = f"encoder.down.{block}" if part == "encoder" else f"decoder.up.{last - int(block)}"
            if kind == "resnets":
                return f"{level}.block{rest.replace('conv_shortcut', 'nin_shortcut')}"
            return f"{level}.{kind}sample{rest.removeprefix('samplers.0')}"
        match = re.fullmatch(r"(encoder|decoder)\.mid_block\.(resnets|attentions)\.(\d+)\.(.+)", name)
        if match:
            return _middle(*match.groups())
        if re.fullmatch(r"(encoder|decoder)\.(conv_in|conv_norm_out|conv_out)\.\w+|(post_)?quant_conv\.\w+", name):
            return name.replace("conv_norm_out", "norm_out")
        return None

    return map_names("vae", names, original_name)


def _middle(part: str, kind: str, number: str, rest: str) -> str | None:
    """Return the original name of a weight in the middle of the encoder or decoder."""
    if kind == "resnets":
        return f"{part}.mid.block_{int(number) + 1}.{rest.replace('conv_shortcut', 'nin_shortcut')}"
    inner, _, end = rest.rpartition(".")
    return f"{part}.mid.attn_{int(number) + 1}.{_ATTENTION[inner]}.{end}" if inner in _ATTENTION else None
