"""What files say of themselves: that they are synthetic, and the workflow that made them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from comfy.cli_args import args

from x2x_core.imaging.provenance import synthetic_metadata


def chunks(cls, parameters: Mapping[str, Any] | None) -> dict[str, str]:
    """Text chunks for a PNG.

    Args:
        cls: the node that writes it: ComfyUI's prompt and workflow are on it, unless metadata is turned off.
        parameters: how a synthetic picture was made; ``None``: it is none.
    """
    found = {} if parameters is None else synthetic_metadata(parameters)
    hidden = getattr(cls, "hidden", None)
    if args.disable_metadata or hidden is None:
        return found
    if hidden.prompt is not None:
        found["prompt"] = json.dumps(hidden.prompt)
    for name, value in (hidden.extra_pnginfo or {}).items():
        found[name] = json.dumps(value)
    return found
