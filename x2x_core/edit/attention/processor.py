"""The attention processor that records and gates one cross-attention layer."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from diffusers.utils import is_xformers_available

from x2x_core.common.errors import InputError
from x2x_core.guidance.attention.record import AttentionRecord, token_shares
from x2x_core.guidance.cfg import BRANCHES

if is_xformers_available():
    import xformers.ops

_XFORMERS_DTYPES = (torch.float32, torch.float16, torch.bfloat16)


class RSEAttnProcessor:
    """Replacement for a stock processor of one `attn2` layer; records, gates, or does neither.

    With neither, the replaced processor computes. Otherwise PyTorch's scaled-dot-product attention does, or xformers'
    where it is installed, on CUDA, or sliced attention where a `SlicedAttnProcessor` was replaced; its slice size also
    applies to recording. Recording never changes the output.

    Args:
        replaced: the processor that was there.
        record: records the text branch, the first rows of the batch.
        inside: `(B, positions, 1)` bool, where the first B rows of the batch follow their own text.
        null_states: see `x2x_core.guidance.attention.gate.AttentionGate`.
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
        self.slice_size: int | None = getattr(self.replaced, "slice_size", None)

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Attend from image positions `(N, positions, C)` to text states `(N, T, width)`: `(N, positions, C)`."""
        if self.record is None and self.inside is None:
            return self.replaced(attn, hidden_states, encoder_hidden_states, attention_mask)
        if encoder_hidden_states is None:
            raise InputError("`encoder_hidden_states` must be given: only attention to a text is recorded or gated.")
        query = _split_heads(attn, attn.to_q(hidden_states), attn.norm_q)
        key, value = _keys_and_values(attn, encoder_hidden_states)
        bias: torch.Tensor | None = None  # (N * heads, 1, T)
        if attention_mask is not None:
            bias = attn.prepare_attention_mask(attention_mask, key.shape[2], len(key))
        if self.record is not None:
            rows = self.record.rows_of(len(query), key.shape[2], query.shape[2])
            weights = self.record.weights.repeat_interleave(rows // len(self.record.weights), dim=0)
            text_bias = None if bias is None else bias[: rows * attn.heads]
            self.record.watch(token_shares(query[:rows], key[:rows], weights, attn.scale, text_bias, self.slice_size))
        mixed = self._attend(attn, query, key, value, bias)
        if self.inside is not None:
            mixed = torch.cat([self._gated(attn, mixed, query, (key, value), bias), mixed[len(self.inside) :]])
        mixed = mixed.transpose(1, 2).flatten(2).to(query.dtype)
        return _project_out(attn, mixed, hidden_states)

    def _gated(
        self,
        attn: Attention,
        mixed: torch.Tensor,
        query: torch.Tensor,
        key_value: tuple[torch.Tensor, torch.Tensor],
        bias: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the first B rows of `mixed` `(N, heads, positions, d)`, with the null text's outside of the mask."""
        assert self.inside is not None
        count, positions = self.inside.shape[:2]
        expected = BRANCHES * count if self.null_states is None else len(query)
        if len(query) not in (count, BRANCHES * count) or len(query) != expected or query.shape[2] != positions:
            raise InputError(
                f"The gate is for {count} images on a grid of {positions} positions, in batches [text, image, "
                f"unconditional], but the layer got {len(query)} items and {query.shape[2]} positions."
            )
        if self.null_states is None:
            null_key, null_value = (part[count : 2 * count] for part in key_value)
            null_bias = None if bias is None else bias[count * attn.heads : 2 * count * attn.heads]
        else:
            null_key, null_value = _keys_and_values(attn, self.null_states.to(query.dtype))
            null_bias = None if bias is None else bias[: count * attn.heads]
        plain = self._attend(attn, query[:count], null_key, null_value, null_bias)
        return torch.where(self.inside[:, None], mixed[:count], plain)

    def _attend(
        self,
        attn: Attention,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        bias: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return `(N, heads, positions, d)`."""
        if self.slice_size is not None:
            return _attend_in_slices(attn, query, key, value, bias, self.slice_size)
        if bias is None and query.is_cuda and is_xformers_available() and query.dtype in _XFORMERS_DTYPES:
            operands = [part.transpose(1, 2) for part in (query, key, value)]
            operator = getattr(self.replaced, "attention_op", None)
            return xformers.ops.memory_efficient_attention(*operands, op=operator, scale=attn.scale).transpose(1, 2)
        bias = None if bias is None else bias.unflatten(0, (-1, attn.heads))
        scale = None if attn.scale_qk else attn.scale  # None is PyTorch's own 1 / sqrt(d), as in the stock processor
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=scale)


def _split_heads(attn: Attention, states: torch.Tensor, norm: Any = None) -> torch.Tensor:
    """Reshape `(N, length, heads * d)` to `(N, heads, length, d)`."""
    split = states.unflatten(2, (attn.heads, -1)).transpose(1, 2)
    return split if norm is None else norm(split)


def _keys_and_values(attn: Attention, text_states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both `(N, heads, T, d)` for text states `(N, T, width)`."""
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
    """Attend with the scores of `size` heads at a time, as `SlicedAttnProcessor` does."""
    queries, keys, values = (part.flatten(0, 1) for part in (query, key, value))
    parts = []
    for start in range(0, len(queries), size):
        chunk = slice(start, start + size)
        shares = attn.get_attention_scores(queries[chunk], keys[chunk], None if bias is None else bias[chunk])
        parts.append(torch.bmm(shares, values[chunk]))
    return torch.cat(parts).unflatten(0, (-1, attn.heads))


def _project_out(attn: Attention, mixed: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
    """Apply what follows attention in every stock processor."""
    projected = attn.to_out[1](attn.to_out[0](mixed))
    projected = projected + residual if attn.residual_connection else projected
    return projected / attn.rescale_output_factor
