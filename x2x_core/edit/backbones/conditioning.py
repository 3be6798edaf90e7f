"""The inputs of a model besides noisy latents, as a record that no stage needs to look into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

# The branches of a prediction, in the order of a guidance batch: the model is given instruction and image, the image
# alone (with the negative prompt or the empty text), or neither.
TEXT, IMAGE, NEITHER = "text", "image", "neither"
THREE_BRANCHES = (TEXT, IMAGE, NEITHER)
TWO_BRANCHES = (TEXT, IMAGE)


@dataclass(frozen=True)
class PromptInputs:
    """The prompts of P pairs and other conditions, before they are encoded."""

    wordings: list[str] | None  # P, as the text encoder reads them; None if embeddings were given
    embeds: torch.Tensor | None = None  # (P, tokens, width)
    negative: list[str] | None = None  # P
    negative_embeds: torch.Tensor | None = None  # (P, tokens, width)
    copies: int = 1  # outputs of each pair
    ip_adapter_image: Any = None
    ip_adapter_image_embeds: list[torch.Tensor] | None = None
    cross_attention_kwargs: dict[str, Any] | None = None


@dataclass(frozen=True)
class Conditioning:
    """Everything that a model is given for B outputs besides noisy latents and timesteps.

    Args:
        branches: n of `THREE_BRANCHES`, in that order.
        tensors: inputs by name, each `(n * B, ...)`, branch by branch.
        dtype: of latents and noise.
        shared: inputs that all items share, by name.
    """

    branches: tuple[str, ...]
    tensors: Mapping[str, torch.Tensor]
    dtype: torch.dtype
    shared: Mapping[str, Any] = field(default_factory=dict)

    def of(self, *branches: str) -> Conditioning:
        """Return the conditioning of some branches."""
        places = [self.branches.index(branch) for branch in branches]
        count = len(self.branches)
        chosen = {
            name: torch.cat([values.chunk(count)[place] for place in places]) for name, values in self.tensors.items()
        }
        return replace(self, branches=branches, tensors=chosen)

    def for_draws(self, draws: int) -> Conditioning:
        """Return the conditioning of `draws` noisy versions of each output, in sequence."""
        tensors = {name: values.repeat_interleave(draws, dim=0) for name, values in self.tensors.items()}
        return replace(self, tensors=tensors)

    def replaced(self, tensors: Mapping[str, torch.Tensor]) -> Conditioning:
        """Return the conditioning with other tensors in place of those of the same names; other names are ignored."""
        known = {name: values for name, values in tensors.items() if name in self.tensors}
        return replace(self, tensors={**self.tensors, **known}) if known else self


def joined(parts: Sequence[Conditioning]) -> Conditioning:
    """Return the items of several conditionings as one branch, in which each item can have latents of its own."""
    first = parts[0]
    tensors = {name: torch.cat([part.tensors[name] for part in parts]) for name in first.tensors}
    return replace(first, branches=(TEXT,), tensors=tensors)
