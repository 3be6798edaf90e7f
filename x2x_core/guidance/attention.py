"""Cross-attention that can be watched, and held to a place.

In a text-led U-Net every position of the image asks every token of the text (`attn2`): softmax(Q K^T / sqrt(d)) V. Two
things are made of that here.

*Watching.* The softmax says how much each position looks at each token: where in the picture a word is (Hertz et al.,
*Prompt-to-Prompt*, 2022; Tang et al., *What the DAAM*, 2022). `AttentionRecord` averages it over heads, over the layers
of one resolution and over noise draws, for groups of tokens.

*Gating.* The text branch of a guidance batch [text, image, unconditional] follows the instruction only where the image
may change. At position x of a layer, with m(x) = 1 where the guidance mask allows a change,

    out(x) = m(x) A(q(x), K_text, V_text) + (1 - m(x)) A(q(x), K_null, V_null),

A being attention and "null" the text of the image branch (the negative prompt, or none). It is the outputs that are
chosen from, not the scores: each position looks at one whole text, and each softmax stays what it was in training. So
with m = 1 everywhere it is the stock layer, and with m = 0 everywhere the text branch is the image branch, and guidance
by the text vanishes. m is taken to the layer's grid by its maximum over each of the layer's positions, so that whatever
touches the mask follows the instruction. Self-attention and convolutions still carry something across the mask's edge:
gating keeps the instruction out of where it has no business, and it is the blending of the latents that holds them.
(Text that applies in a region alone is also what *paint-with-words* does, by raising scores: Balaji et al., *eDiff-I*,
2022.)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import (
    Attention,
    AttnProcessor,
    AttnProcessor2_0,
    FusedAttnProcessor2_0,
    SlicedAttnProcessor,
    XFormersAttnProcessor,
)
from diffusers.utils import is_xformers_available

from x2x_core.common.errors import InputError

from .maps import BRANCHES

if is_xformers_available():
    import xformers.ops

logger = logging.getLogger(__name__)

STOCK_PROCESSORS = (AttnProcessor, AttnProcessor2_0, FusedAttnProcessor2_0, SlicedAttnProcessor, XFormersAttnProcessor)
GRID_SHARE = 0.5  # side of the grid that is watched, share of the latents' side
SCORES_AT_ONCE = 2**24  # attention scores that watching holds in memory at a time: 64 MiB
_XFORMERS_DTYPES = (torch.float32, torch.float16, torch.bfloat16)


# -- layers -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CrossAttentionLayer:
    """One `attn2` layer of a U-Net."""

    name: str
    module: Attention
    level: int  # how often the latents were halved before it


def cross_attention_layers(unet: torch.nn.Module) -> list[CrossAttentionLayer]:
    """The `attn2` layers of a `UNet2DConditionModel`, compiled or not.

    Raises:
        InputError: there are none.
    """
    unet = getattr(unet, "_orig_mod", unet)
    blocks = len(getattr(unet, "down_blocks", ()))
    found = [
        CrossAttentionLayer(name, module, _level(name, blocks))
        for name, module in unet.named_modules()
        if name.endswith("attn2") and isinstance(module, Attention)
    ]
    if not found:
        raise InputError(f"`unet` must have cross-attention layers (attn2), but {type(unet).__name__} has none.")
    return found


def _level(name: str, blocks: int) -> int:
    """How often the latents are halved before a layer: once after each block on the way down but the last."""
    place = re.match(r"(down|up)_blocks\.(\d+)\.", name)
    if place is None:
        return blocks - 1
    number = int(place.group(2))
    return number if place.group(1) == "down" else blocks - 1 - number


def grid_at(level: int, cells: tuple[int, int]) -> tuple[int, int]:
    """`(height, width)` of a layer's grid for latents of `(height, width)` cells: halved `level` times, rounded up."""
    height, width = (-(-side // 2**level) for side in cells)
    return height, width


def watched_level(layers: Sequence[CrossAttentionLayer], grid_share: float = GRID_SHARE) -> int:
    """The level whose grid's side is nearest a share of the latents' side, in octaves; of two, the finer."""
    if not 0 < grid_share <= 1:
        raise InputError(f"`grid_share` must lie in (0, 1], got {grid_share:g}.")
    shares = {layer.level: 2.0**-layer.level for layer in layers}
    ratios = {level: max(share, grid_share) / min(share, grid_share) for level, share in shares.items()}
    return min(sorted(ratios), key=ratios.get)


# -- watching ---------------------------------------------------------------------------------------------------------


class AttentionRecord:
    """Attention to groups of tokens, averaged over heads, layers and noise draws.

    Only tensors change while a U-Net runs, in place: compiled U-Nets record as others do.

    Args:
        weights: `(B, G, T)`: what each of T tokens counts in each of G groups, for B texts. A row of ones on n tokens
            gives the attention that all of them get together, of 1/n their mean.
        cells: `(height, width)` of the latents.
        level: of the layers to watch; see `CrossAttentionLayer` and `watched_level`.
    """

    def __init__(self, weights: torch.Tensor, cells: tuple[int, int], level: int) -> None:
        if weights.ndim != 3 or 0 in weights.shape:
            raise InputError(f"`weights` must be (B, groups, tokens), got shape {tuple(weights.shape)}.")
        self.weights = weights.float()
        self.level = level
        self.grid = grid_at(level, cells)
        batch, groups, _ = weights.shape
        self._total = torch.zeros(batch, groups, self.grid[0] * self.grid[1], device=weights.device)
        self._seen = torch.zeros((), device=weights.device)

    @property
    def maps(self) -> torch.Tensor:
        """`(B, G, height, width)` float32 in [0, 1] for rows of weights in [0, 1].

        Raises:
            RuntimeError: nothing was recorded yet.
        """
        if not self._seen:
            raise RuntimeError("No attention was recorded: run the U-Net inside of `rse_attention`.")
        return (self._total / self._seen).unflatten(2, self.grid)

    def watch(self, shares: torch.Tensor) -> None:
        """Add one layer's attention `(B * draws, G, positions)`, the draws of each text one after the other."""
        draws = shares.shape[0] // self._total.shape[0]
        self._total.add_(shares.unflatten(0, (-1, draws)).sum(dim=1))
        self._seen.add_(draws)


def token_shares(
    query: torch.Tensor,
    key: torch.Tensor,
    weights: torch.Tensor,
    scale: float,
    bias: torch.Tensor | None = None,
    slice_size: int | None = None,
) -> torch.Tensor:
    """How much each position attends to each group of tokens, averaged over heads, in float32.

    Args:
        query: `(N, heads, positions, d)`.
        key: `(N, heads, T, d)`.
        weights: `(N, G, T)`; see `AttentionRecord`.
        scale: of the scores.
        bias: `(N * heads, 1, T)`, added to the scores.
        slice_size: heads (of all N) whose scores are in memory at a time; ``None``: as many as `SCORES_AT_ONCE` allows.

    Returns:
        `(N, G, positions)`. With the identity for weights it sums to 1 over the tokens.
    """
    outer, heads, positions, _ = query.shape
    tokens = key.shape[2]
    size = slice_size or max(1, SCORES_AT_ONCE // (positions * tokens))
    queries, keys, rows = query.flatten(0, 1), key.flatten(0, 1), weights.repeat_interleave(heads, dim=0)
    parts = []
    for start in range(0, outer * heads, size):
        now = slice(start, start + size)
        scores = torch.bmm(queries[now].float(), keys[now].float().transpose(1, 2)) * scale
        scores = scores if bias is None else scores + bias[now]
        parts.append(torch.bmm(rows[now], scores.softmax(dim=-1).transpose(1, 2)))
    return torch.cat(parts).unflatten(0, (outer, heads)).mean(dim=1)


# -- the processor ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AttentionGate:
    """Where the text branch follows the instruction.

    Args:
        mask: `(B, 1, h, w)` bool on the latents, of the B images of a guidance batch.
        null_states: `(B, T, width)`, the text states that the rest follows; ``None``: those of the image branch, where
            the batch is [text, image, unconditional]. A batch of the text branch alone needs them.
    """

    mask: torch.Tensor
    null_states: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if self.mask.ndim != 4 or self.mask.shape[1] != 1 or 0 in self.mask.shape or self.mask.dtype is not torch.bool:
            raise InputError(f"`mask` must be (B, 1, h, w) bool, got {tuple(self.mask.shape)} {self.mask.dtype}.")

    def inside(self, level: int) -> torch.Tensor:
        """`(B, positions, 1)` bool: the positions of a layer's grid that touch the mask."""
        grid = grid_at(level, tuple(self.mask.shape[-2:]))
        pooled = F.adaptive_max_pool2d(self.mask.float().cpu(), grid)  # MPS pools divisible sizes only
        return (pooled > 0).flatten(2).transpose(1, 2).to(self.mask.device)


class RSEAttnProcessor:
    """Stands in for a stock processor of one `attn2` layer; watches, gates, or does neither.

    With neither, the processor that it replaced computes. Else PyTorch's scaled-dot-product attention does, xformers'
    where that is installed, on CUDA, or the slices of a replaced `SlicedAttnProcessor`, by whose size watching goes
    too. Watching never changes the output.

    Args:
        replaced: the processor that was there.
        record: what watches the text branch, the first rows of the batch.
        inside: `(B, positions, 1)` bool, where the first B rows of the batch follow their own text.
        null_states: see `AttentionGate`.
    """

    def __init__(
        self,
        replaced: Any = None,
        record: AttentionRecord | None = None,
        inside: torch.Tensor | None = None,
        null_states: torch.Tensor | None = None,
    ) -> None:
        self.replaced = AttnProcessor2_0() if replaced is None else replaced
        self.record = record
        self.inside = inside
        self.null_states = null_states
        self.slice_size = getattr(self.replaced, "slice_size", None)

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Attention of image positions `(N, positions, C)` to text states `(N, T, width)`: `(N, positions, C)`."""
        if self.record is None and self.inside is None:
            return self.replaced(attn, hidden_states, encoder_hidden_states, attention_mask)
        if encoder_hidden_states is None:
            raise InputError("`encoder_hidden_states` must be given: only attention to a text is watched or gated.")
        query = _split_heads(attn, attn.to_q(hidden_states), attn.norm_q)
        key, value = _keys_and_values(attn, encoder_hidden_states)
        bias = attn.prepare_attention_mask(attention_mask, key.shape[2], len(key))  # (N * heads, 1, T)
        if self.record is not None:
            self._watch(attn, query, key, bias)
        mixed = self._attend(attn, query, key, value, bias)
        if self.inside is not None:
            mixed = self._gate(attn, mixed, query, key, value, bias)
        mixed = mixed.transpose(1, 2).flatten(2).to(query.dtype)
        return _project_out(attn, mixed, hidden_states)

    def _watch(self, attn: Attention, query: torch.Tensor, key: torch.Tensor, bias: torch.Tensor | None) -> None:
        record = self.record
        texts, positions = record.weights.shape[0], record.grid[0] * record.grid[1]
        rows = len(query) // 2 if len(query) % (2 * texts) == 0 else 0
        if not rows or query.shape[2] != positions or key.shape[2] != record.weights.shape[2]:
            raise InputError(
                f"The record is for {texts} texts of {record.weights.shape[2]} tokens on a grid of {positions} "
                f"positions, in batches [text, image], but the layer got {len(query)} items, {key.shape[2]} tokens and "
                f"{query.shape[2]} positions."
            )
        weights = record.weights.repeat_interleave(rows // texts, dim=0)
        bias = None if bias is None else bias[: rows * attn.heads]
        record.watch(token_shares(query[:rows], key[:rows], weights, attn.scale, bias, self.slice_size))

    def _gate(
        self,
        attn: Attention,
        mixed: torch.Tensor,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        bias: torch.Tensor | None,
    ) -> torch.Tensor:
        """`mixed` `(N, heads, positions, d)`, with the null text's in the first B rows outside of the mask."""
        count, positions = self.inside.shape[:2]
        expected = BRANCHES * count if self.null_states is None else len(query)
        if len(query) not in (count, BRANCHES * count) or len(query) != expected or query.shape[2] != positions:
            raise InputError(
                f"The gate is for {count} images on a grid of {positions} positions, in batches [text, image, "
                f"unconditional], but the layer got {len(query)} items and {query.shape[2]} positions."
            )
        if self.null_states is None:
            null_key, null_value = key[count : 2 * count], value[count : 2 * count]
            null_bias = None if bias is None else bias[count * attn.heads : 2 * count * attn.heads]
        else:
            null_key, null_value = _keys_and_values(attn, self.null_states.to(query.dtype))
            null_bias = None if bias is None else bias[: count * attn.heads]
        plain = self._attend(attn, query[:count], null_key, null_value, null_bias)
        gated = torch.where(self.inside[:, None], mixed[:count], plain)
        return torch.cat([gated, mixed[count:]])

    def _attend(
        self,
        attn: Attention,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        bias: torch.Tensor | None,
    ) -> torch.Tensor:
        """`(N, heads, positions, d)`."""
        if self.slice_size is not None:
            return _attend_in_slices(attn, query, key, value, bias, self.slice_size)
        if bias is None and query.is_cuda and is_xformers_available() and query.dtype in _XFORMERS_DTYPES:
            operands = [part.transpose(1, 2) for part in (query, key, value)]
            operator = getattr(self.replaced, "attention_op", None)
            return xformers.ops.memory_efficient_attention(*operands, op=operator, scale=attn.scale).transpose(1, 2)
        bias = None if bias is None else bias.unflatten(0, (-1, attn.heads))
        scale = None if attn.scale_qk else attn.scale  # None is PyTorch's own 1 / sqrt(d), as the stock processor has
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=scale)


def _split_heads(attn: Attention, states: torch.Tensor, norm: Any = None) -> torch.Tensor:
    """`(N, length, heads * d)` to `(N, heads, length, d)`."""
    split = states.unflatten(2, (attn.heads, -1)).transpose(1, 2)
    return split if norm is None else norm(split)


def _keys_and_values(attn: Attention, text_states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both `(N, heads, T, d)` of text states `(N, T, width)`."""
    if attn.norm_cross:
        text_states = attn.norm_encoder_hidden_states(text_states)
    return _split_heads(attn, attn.to_k(text_states), attn.norm_k), _split_heads(attn, attn.to_v(text_states))


def _attend_in_slices(
    attn: Attention,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bias: torch.Tensor | None,
    size: int,
) -> torch.Tensor:
    """As `SlicedAttnProcessor`: the scores of `size` heads at a time."""
    queries, keys, values = (part.flatten(0, 1) for part in (query, key, value))
    parts = []
    for start in range(0, len(queries), size):
        now = slice(start, start + size)
        shares = attn.get_attention_scores(queries[now], keys[now], None if bias is None else bias[now])
        parts.append(torch.bmm(shares, values[now]))
    return torch.cat(parts).unflatten(0, (-1, attn.heads))


def _project_out(attn: Attention, mixed: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
    """What follows attention in every stock processor."""
    projected = attn.to_out[1](attn.to_out[0](mixed))
    projected = projected + residual if attn.residual_connection else projected
    return projected / attn.rescale_output_factor


# -- on and off -------------------------------------------------------------------------------------------------------


@contextmanager
def rse_attention(
    unet: torch.nn.Module, record: AttentionRecord | None = None, gate: AttentionGate | None = None
) -> Iterator[None]:
    """Watch or gate a U-Net's cross-attention; at the end, also by an exception, its own processors are back.

    With neither, nothing is touched. LoRA layers and sliced attention go on working.

    Args:
        unet: a `UNet2DConditionModel`, compiled or not.
        record: fills while the U-Net runs on batches [text, image], the draws of each text one after the other.
        gate: holds the text branch while the U-Net runs on batches [text, image, unconditional], or on the text branch
            alone.

    Raises:
        InputError: the U-Net has no cross-attention, or processors that can't be stood in for, as IP-Adapters'.
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
    """See that attention can be watched and gated in a U-Net.

    Raises:
        InputError: it can't; the message says why.
    """
    for layer in cross_attention_layers(unet):
        kind = type(layer.module.processor)
        if "IPAdapter" in kind.__name__:
            raise InputError(
                "Attention can't be watched or gated with an IP-Adapter loaded: its layers attend to a picture beside "
                "the text. Call `unload_ip_adapter()`, or leave `relevance_source` and `attention_gating` out."
            )
        if kind not in STOCK_PROCESSORS:
            raise InputError(
                f"Attention can be watched or gated in place of diffusers' stock processors, but {layer.name} has a "
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
    """Put the replaced processors back; what somebody else set in the meantime stays, with a warning."""
    kept = 0
    for layer, processor, before in zip(layers, ours, replaced):
        installed = layer.module.processor
        if installed is processor:
            layer.module.set_processor(before)
        elif installed is not before:
            kept += 1
    if kept:
        logger.warning(
            "%d attention processors were changed while attention was watched or gated, which ended there. Set them "
            "before the call.",
            kept,
        )
