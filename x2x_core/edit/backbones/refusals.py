"""Arguments of an edit that have no meaning for some models, with the reason of each."""

from __future__ import annotations

_REASONS = {
    "reference": "the published code runs InstructPix2Pix alone",
    "eta": "it belongs to DDIM",
    "mask_context": "it predicts for whole canvases alone",
    "solver": "its noise schedule is one of flow matching",
    "prompt_embeds": "give `prompt`, which is encoded here",
    "negative_prompt_embeds": "give `negative_prompt`, which is encoded here",
    "negative_prompt": "its guidance is distilled, and nothing steers it away",
    "guidance_scale": "its guidance is distilled, without a scale",
    "image_guidance_scale": "it predicts nothing without the picture",
    "ip_adapter_image": "IP-Adapters are not supported",
    "ip_adapter_image_embeds": "IP-Adapters are not supported",
    "cross_attention_kwargs": "set the scale of LoRA layers with `pipe.set_adapters`",
}

# Those that no transformer with flow matching takes.
FLOW = (
    "reference",
    "eta",
    "solver",
    "mask_context",
    "prompt_embeds",
    "negative_prompt_embeds",
    "image_guidance_scale",
    "ip_adapter_image",
    "ip_adapter_image_embeds",
    "cross_attention_kwargs",
)


def refusals(*names: str) -> dict[str, str]:
    """Return arguments by name, with the reason why a model refuses each."""
    return {name: _REASONS[name] for name in names}
