"""Relevance from attention: where in the image the U-Net looks at the instruction.

The noise predictions say where an instruction changes the answer; cross-attention says where it is asked (Tang et al.,
*What the DAAM*, 2022). Both come from the same U-Net calls.

Which tokens count is `TOKENS`. "prompt": for each clause all tokens but the start mark and the words of other clauses.
CLIP reads from left to right: the start mark has read nothing, and takes the attention of positions that have nothing
to ask (an *attention sink*: Xiao et al., 2023); the words have read what stands before them; the end mark and the
padding behind it have read everything. So one minus the start mark's share is what a position takes of the
instruction. "words": the words for finding, side, zone and level alone, summed: all of them describe one place, and
a sum keeps what one of them finds. (A product of the finding's map and the place's finds less, as many maps of single
words are almost even.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError
from x2x_core.language.instruction import Instruction

from .attention import GRID_SHARE, AttentionRecord, cross_attention_layers, watched_level
from .attention_tokens import PromptTokens, find_tokens
from .relevance import FLAT_RANGE, relevance_from_disagreement

TOKENS = ("prompt", "words")


def token_weights(prompts: Sequence[PromptTokens], tokens: str = "prompt") -> torch.Tensor:
    """What each token counts for each clause, for `AttentionRecord`.

    Args:
        prompts: P of one length, as `x2x_core.guidance.attention_tokens.find_tokens` finds them.
        tokens: one of `TOKENS`.

    Returns:
        `(P, C, T)` float32 of 0 and 1, C being the most clauses that a prompt has; rows that a prompt lacks are 0.

    Raises:
        InputError: another kind of tokens.
    """
    if tokens not in TOKENS:
        raise InputError(f"`tokens` must be one of {', '.join(TOKENS)}, got {tokens!r}.")
    weights = torch.zeros(len(prompts), max(len(prompt.clauses) for prompt in prompts), prompts[0].length)
    for rows, prompt in zip(weights, prompts):
        named = [clause.named for clause in prompt.clauses]
        for row, own in zip(rows, named):
            if tokens == "prompt":
                row[prompt.content[0] :] = 1
                row[sorted(set().union(*named) - own)] = 0
            row[sorted(own)] = 1
    return weights


def attention_record(
    unet: torch.nn.Module,
    tokenizer: Any,
    texts: Sequence[str],
    instructions: Sequence[Instruction],
    cells: tuple[int, int],
    device: torch.device,
    copies: int = 1,
    tokens: str = "prompt",
    grid_share: float = GRID_SHARE,
) -> AttentionRecord:
    """What watches a U-Net for `relevance_from_attention`, by `x2x_core.guidance.attention.rse_attention`.

    Args:
        unet: a `UNet2DConditionModel`.
        tokenizer: the text encoder's.
        texts: what the text encoder gets, P texts.
        instructions: what they say.
        cells: `(height, width)` of the latents.
        device: of the U-Net.
        copies: how often each text stands in the batch, one after the other.
        tokens: one of `TOKENS`.
        grid_share: which layers: those whose grid's side is nearest this share of the latents' side.
    """
    prompts = [find_tokens(tokenizer, text, instruction) for text, instruction in zip(texts, instructions, strict=True)]
    weights = token_weights(prompts, tokens).repeat_interleave(copies, dim=0)
    return AttentionRecord(weights.to(device), cells, watched_level(cross_attention_layers(unet), grid_share))


def relevance_from_attention(
    maps: torch.Tensor, cells: tuple[int, int], valid: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The relevance map of attention maps: of the clauses the strongest, stretched as noise disagreement is.

    Each clause's map is taken relative to its mean over the image, so that a clause with more words counts no more.

    Args:
        maps: `(B, C, grid height, grid width)`, at least 0, of `AttentionRecord.maps`; 0 for clauses that aren't there.
        cells: `(height, width)` of the latents.
        valid: `(height, width)` bool, cells that show the image.

    Returns:
        As `x2x_core.guidance.relevance.relevance_from_disagreement`: `(B, 1, height, width)` in [0, 1], and `(B,)` bool.
    """
    spread = F.interpolate(maps.float(), cells, mode="bilinear", align_corners=False)
    shown = spread.flatten(2) if valid is None else spread[:, :, valid]
    mean = shown.mean(dim=2)[:, :, None, None]
    relative = torch.where(mean > 0, spread / mean, torch.zeros_like(spread))
    return relevance_from_disagreement(relative.amax(dim=1, keepdim=True), valid)


def join_relevance(
    from_noise: torch.Tensor, from_attention: torch.Tensor, valid: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The relevance map of both sources: their geometric mean, stretched to 1.

    A place counts where both agree. The geometric mean ranks places as the product does, and keeps the scale that the
    mask's threshold is set for: where both maps have one value, so has the mean.

    Args:
        from_noise, from_attention: `(B, 1, h, w)` in [0, 1].
        valid: `(h, w)` bool, cells that show the image.

    Returns:
        The map `(B, 1, h, w)` in [0, 1], and `(B,)` bool: which maps are flat, 0 everywhere.
    """
    mean = (from_noise * from_attention).sqrt()
    highest = (mean.flatten(1) if valid is None else mean[:, 0, valid]).amax(dim=1)
    flat = highest <= FLAT_RANGE
    span = torch.where(flat, torch.ones_like(highest), highest)[:, None, None, None]
    return torch.where(flat[:, None, None, None], torch.zeros_like(mean), mean / span).clamp(0, 1), flat
