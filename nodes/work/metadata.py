"""Metadata of saved files: provenance, and ComfyUI's workflow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from comfy.cli_args import args

from x2x_core.imaging.provenance import Proof, synthetic_metadata


def chunks(node: Any, parameters: Mapping[str, Any] | None, proof: Proof | None = None) -> dict[str, str]:
    """Return text chunks for a PNG.

    Args:
        node: the node class that writes the file, with ComfyUI's prompt and workflow, which are included unless
            metadata is disabled.
        parameters: how a synthetic picture was made; ``None``: the picture is not synthetic.
        proof: values of a synthetic picture, by which `x2x verify` checks it later.
    """
    texts = {} if parameters is None else synthetic_metadata(parameters, proof)
    hidden = getattr(node, "hidden", None)
    if args.disable_metadata or hidden is None:
        return texts
    if hidden.prompt is not None:
        texts["prompt"] = json.dumps(hidden.prompt)
    for name, value in (hidden.extra_pnginfo or {}).items():
        texts[name] = json.dumps(value)
    return texts
