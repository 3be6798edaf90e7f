"""Recording: how much each image position attends to groups of tokens."""

from __future__ import annotations

import torch

from x2x_core.common.errors import InputError

from .grids import grid_at

SCORES_AT_ONCE = 2**24  # attention scores held in memory at a time: 64 MiB


class AttentionRecord:
    """Attention to groups of tokens, averaged over heads, layers and noise draws.

    Only tensors change while a U-Net runs, in place, so compiled U-Nets can be recorded too.

    Args:
        weights: `(B, G, T)`, the weight of each of T tokens in each of G groups, for B texts. A row of ones on n tokens
            gives the attention to all of them together, a row of 1/n their mean.
        cells: `(height, width)` of the latents.
        level: of the layers to record; see `watched_level`.

    Raises:
        InputError: `weights` has another shape.
    """

    def __init__(self, weights: torch.Tensor, cells: tuple[int, int], level: int) -> None:
        if weights.ndim != 3 or 0 in weights.shape:
            raise InputError(f"`weights` must be (B, groups, tokens), got shape {tuple(weights.shape)}.")
        self.weights = weights.float()
        self.level = level
        self.grid = grid_at(level, cells)
        batch, groups, _ = weights.shape
        self._total = torch.zeros(batch, groups, self.grid[0] * self.grid[1], device=weights.device)
        self._count = torch.zeros((), device=weights.device)

    @property
    def maps(self) -> torch.Tensor:
        """`(B, G, height, width)` float32, in [0, 1] for rows of weights in [0, 1].

        Raises:
            RuntimeError: nothing was recorded yet.
        """
        if not self._count:
            raise RuntimeError("No attention was recorded: run the U-Net inside of `rse_attention`.")
        return (self._total / self._count).unflatten(2, self.grid)

    def watch(self, shares: torch.Tensor) -> None:
        """Add one layer's attention `(B * draws, G, positions)`, the draws of each text in sequence."""
        draws = shares.shape[0] // self._total.shape[0]
        self._total.add_(shares.unflatten(0, (-1, draws)).sum(dim=1))
        self._count.add_(draws)

    def rows_of(self, batch: int, tokens: int, positions: int) -> int:
        """Return how many of a layer's `batch` items, in the order [text, image], belong to the text branch.

        Raises:
            InputError: the layer's input does not fit the record.
        """
        texts = self.weights.shape[0]
        rows = batch // 2 if batch % (2 * texts) == 0 else 0
        if not rows or positions != self.grid[0] * self.grid[1] or tokens != self.weights.shape[2]:
            raise InputError(
                f"The record is for {texts} texts of {self.weights.shape[2]} tokens on a grid of "
                f"{self.grid[0] * self.grid[1]} positions, in batches [text, image], but the layer got {batch} items, "
                f"{tokens} tokens and {positions} positions."
            )
        return rows


def token_shares(
    query: torch.Tensor,
    key: torch.Tensor,
    weights: torch.Tensor,
    scale: float,
    bias: torch.Tensor | None = None,
    slice_size: int | None = None,
) -> torch.Tensor:
    """Return how much each position attends to each group of tokens, averaged over heads, in float32.

    Args:
        query: `(N, heads, positions, d)`.
        key: `(N, heads, T, d)`.
        weights: `(N, G, T)`; see `AttentionRecord`.
        scale: of the scores.
        bias: `(N * heads, 1, T)`, added to the scores.
        slice_size: heads (of all N) whose scores are in memory at a time; ``None``: as many as `SCORES_AT_ONCE` allows.

    Returns:
        `(N, G, positions)`. With the identity as weights it sums to 1 over the tokens.
    """
    outer, heads, positions, _ = query.shape
    tokens = key.shape[2]
    size = slice_size or max(1, SCORES_AT_ONCE // (positions * tokens))
    queries, keys, rows = query.flatten(0, 1), key.flatten(0, 1), weights.repeat_interleave(heads, dim=0)
    parts = []
    for start in range(0, outer * heads, size):
        chunk = slice(start, start + size)
        scores = torch.bmm(queries[chunk].float(), keys[chunk].float().transpose(1, 2)) * scale
        scores = scores if bias is None else scores + bias[chunk]
        parts.append(torch.bmm(rows[chunk], scores.softmax(dim=-1).transpose(1, 2)))
    return torch.cat(parts).unflatten(0, (outer, heads)).mean(dim=1)
