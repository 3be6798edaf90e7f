"""Installing the attention processors, and restoring the U-Net's own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.models.attention_processor import (
    AttnProcessor,
    AttnProcessor2_0,
    FusedAttnProcessor2_0,
    SlicedAttnProcessor,
    XFormersAttnProcessor,
)

from x2x_core.common.errors import InputError
from x2x_core.guidance.attention.gate import AttentionGate
from x2x_core.guidance.attention.record import AttentionRecord

from .layers import CrossAttentionLayer, cross_attention_layers
from .processor import RSEAttnProcessor

logger = logging.getLogger(__name__)

STOCK_PROCESSORS = (AttnProcessor, AttnProcessor2_0, FusedAttnProcessor2_0, SlicedAttnProcessor, XFormersAttnProcessor)


@contextmanager
def rse_attention(
    unet: torch.nn.Module, record: AttentionRecord | None = None, gate: AttentionGate | None = None
) -> Iterator[None]:
    """Record or gate a U-Net's cross-attention; its own processors are restored at the end, also after an exception.

    With neither, nothing is touched. LoRA layers and sliced attention keep working.

    Args:
        unet: a `UNet2DConditionModel`, compiled or not.
        record: filled while the U-Net runs on batches [text, image], the draws of each text in sequence.
        gate: restricts the text branch while the U-Net runs on batches [text, image, unconditional], or on the text
            branch alone.

    Raises:
        InputError: the U-Net has no cross-attention, or processors that can't be replaced, such as IP-Adapters'.
    """
    if record is None and gate is None:
        yield
        return
    layers = cross_attention_layers(unet)
    check_processors(unet)
    replaced = [layer.module.processor for layer in layers]
    ours = [_processor(layer, record, gate) for layer in layers]
    try:
        for layer, processor in zip(layers, ours):
            layer.module.set_processor(processor)
        yield
    finally:
        _restore(layers, ours, replaced)


def check_processors(unet: torch.nn.Module) -> None:
    """Check that attention can be recorded and gated in a U-Net.

    Raises:
        InputError: it can't; the message says why.
    """
    for layer in cross_attention_layers(unet):
        kind = type(layer.module.processor)
        if "IPAdapter" in kind.__name__:
            raise InputError(
                "Attention can't be recorded or gated with an IP-Adapter loaded: its layers attend to a picture beside "
                "the text. Call `unload_ip_adapter()`, or leave `relevance_source` and `attention_gating` out."
            )
        if kind not in STOCK_PROCESSORS:
            raise InputError(
                f"Attention can be recorded or gated only with diffusers' stock processors, but {layer.name} has a "
                f"{kind.__name__}. Call `unet.set_attn_processor(AttnProcessor2_0())`, or leave `relevance_source` and "
                "`attention_gating` out."
            )


def _processor(
    layer: CrossAttentionLayer, record: AttentionRecord | None, gate: AttentionGate | None
) -> RSEAttnProcessor:
    return RSEAttnProcessor(
        layer.module.processor,
        record if record is not None and record.level == layer.level else None,
        None if gate is None else gate.inside(layer.level),
        None if gate is None else gate.null_states,
    )


def _restore(layers: Sequence[CrossAttentionLayer], ours: Sequence[RSEAttnProcessor], replaced: Sequence[Any]) -> None:
    """Restore the replaced processors; a processor that somebody else set in the meantime stays, with a warning."""
    kept = 0
    for layer, processor, before in zip(layers, ours, replaced):
        installed = layer.module.processor
        if installed is processor:
            layer.module.set_processor(before)
        elif installed is not before:
            kept += 1
    if kept:
        logger.warning(
            "%d attention processors were changed while attention was recorded or gated, which ended there. Set them "
            "before the call.",
            kept,
        )
