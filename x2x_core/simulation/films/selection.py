"""Order in which the films of a folder are used: patients in turn, so that few films are of many patients."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .folder import Film


def in_turn(films: Sequence[Film], generator: torch.Generator) -> tuple[Film, ...]:
    """Shuffle films: one of each patient first, then a second one of those that have more, and so on."""
    shuffled = [films[place] for place in torch.randperm(len(films), generator=generator).tolist()]
    seen: dict[str, int] = {}
    turns = []
    for film in shuffled:
        turns.append(seen.setdefault(film.patient, 0))
        seen[film.patient] += 1
    order = sorted(range(len(shuffled)), key=lambda place: turns[place])
    return tuple(shuffled[place] for place in order)
