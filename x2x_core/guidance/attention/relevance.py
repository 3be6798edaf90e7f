"""Relevance from attention: where in the image the U-Net attends to the instruction.

The noise predictions show where an instruction changes the output; cross-attention shows where it is attended to (Tang
et al., *What the DAAM*, 2022). Both come from the same U-Net calls.

`TOKENS` are the choices of tokens. "prompt": for each clause, all tokens except the start token and the words of other
clauses. CLIP's text encoder is causal: the start token carries no information and collects the attention of positions
that need none (an *attention sink*: Xiao et al., 2023), each word carries the words before it, and the end token and
the padding carry the whole text. So one minus the start token's share is a position's attention to the instruction.
"words": the words for finding, side, zone and level alone, summed: all of them describe one place, and a sum keeps what
any of them finds. (A product of the finding's and the place's maps finds less, as many single-word maps are almost
uniform.)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
import torch.nn.functional as F

from x2x_core.common.errors import InputError

from ..relevance import FLAT_RANGE, relevance_from_disagreement
from .grids import GRID_SHARE, watched_level
from .record import AttentionRecord
from .tokens import PromptTokens

TOKENS = ("prompt", "words")


def token_weights(prompts: Sequence[PromptTokens], tokens: str = "prompt") -> torch.Tensor:
    """Return the weight of each token for each clause, for `AttentionRecord`.

    Args:
        prompts: P prompts of one length, from `x2x_core.guidance.attention.tokens.find_tokens`.
        tokens: one of `TOKENS`.

    Returns:
        `(P, C, T)` float32 of 0 and 1, C being the largest number of clauses; rows that a prompt lacks are 0.

    Raises:
        InputError: an unknown kind of tokens.
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
    levels: Collection[int],
    prompts: Sequence[PromptTokens],
    cells: tuple[int, int],
    device: torch.device,
    *,
    copies: int = 1,
    tokens: str = "prompt",
    grid_share: float = GRID_SHARE,
) -> AttentionRecord:
    """Return a record for `relevance_from_attention`, to be filled inside `rse_attention`.

    Args:
        levels: of the U-Net's cross-attention layers.
        prompts: P prompts, from `x2x_core.guidance.attention.tokens.find_tokens`.
        cells: `(height, width)` of the latents.
        device: of the U-Net.
        copies: consecutive copies of each prompt in the batch.
        tokens: one of `TOKENS`.
        grid_share: side of the recorded grid, share of the latents' side; the layers nearest to it are recorded.
    """
    weights = token_weights(prompts, tokens).repeat_interleave(copies, dim=0)
    return AttentionRecord(weights.to(device), cells, watched_level(levels, grid_share))


def relevance_from_attention(
    maps: torch.Tensor, cells: tuple[int, int], valid: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the relevance map of attention maps: the maximum over clauses, normalised as noise disagreement is.

    Each clause's map is divided by its mean over the image, so that a clause with more words has no more weight.

    Args:
        maps: `(B, C, grid height, grid width)`, at least 0, of `AttentionRecord.maps`; 0 for missing clauses.
        cells: `(height, width)` of the latents.
        valid: `(height, width)` bool, cells that show the image.

    Returns:
        As `relevance_from_disagreement`: `(B, 1, height, width)` in [0, 1], and `(B,)` bool.
    """
    spread = F.interpolate(maps.float(), cells, mode="bilinear", align_corners=False)
    shown = spread.flatten(2) if valid is None else spread[:, :, valid]
    mean = shown.mean(dim=2)[:, :, None, None]
    relative = torch.where(mean > 0, spread / mean, torch.zeros_like(spread))
    return relevance_from_disagreement(relative.amax(dim=1, keepdim=True), valid)


def join_relevance(
    from_noise: torch.Tensor, from_attention: torch.Tensor, valid: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the relevance map of both sources: their geometric mean, normalised to a maximum of 1.

    A place is relevant where both sources agree. The geometric mean ranks places as the product does and keeps the
    scale that the mask's threshold is set for: where both maps are equal, so is their mean.

    Args:
        from_noise: `(B, 1, h, w)` in [0, 1].
        from_attention: `(B, 1, h, w)` in [0, 1].
        valid: `(h, w)` bool, cells that show the image.

    Returns:
        The map `(B, 1, h, w)` in [0, 1], and `(B,)` bool: True for flat maps, which are 0 everywhere.
    """
    mean = (from_noise * from_attention).sqrt()
    highest = (mean.flatten(1) if valid is None else mean[:, 0, valid]).amax(dim=1)
    flat = highest <= FLAT_RANGE
    span = torch.where(flat, torch.ones_like(highest), highest)[:, None, None, None]
    return torch.where(flat[:, None, None, None], torch.zeros_like(mean), mean / span).clamp(0, 1), flat
