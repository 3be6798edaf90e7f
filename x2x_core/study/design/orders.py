"""Balanced orders of reading.

Cases of one source (a film and its edits) are alike, so a reader who sees two of them close together can compare them.
The order of a reader has as many rounds as the source with most cases; each case of a source has a round of its own.
From one reader to the next the rounds move on by one (a Latin square), so that over as many readers as there are rounds
every case is read once in each round. Within a round the order is drawn for each reader.

Method: Latin squares (Fisher, *The Design of Experiments*, 1935); against the memory of cases, reading sessions apart
from each other (Obuchowski and Bullen, *Multireader Diagnostic Accuracy Imaging Studies: Fundamentals of Design and
Analysis*, Radiology 2022).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import torch

from x2x_core.common.seeds import STUDY, seeded_generator

_TRIES = 32  # orders of a round that are drawn; the one with the largest distance to cases of the same source is kept
_ROUNDS, _WITHIN, _SIDES = range(3)  # streams


def balanced_orders(sources: Sequence[Hashable], readers: int, seed: int, part: int) -> list[list[int]]:
    """Return the order of the cases for each reader.

    Args:
        sources: of each case.
        readers: number of readers.
        seed: of the study.
        part: number of the part in the study.
    """
    of_source: dict[Hashable, list[int]] = {}
    for index, source in enumerate(sources):
        of_source.setdefault(source, []).append(index)
    rounds = max(map(len, of_source.values()), default=1)
    first = _first_rounds(of_source, rounds, seeded_generator(seed, STUDY, part, _ROUNDS))
    orders = []
    for reader in range(readers):
        generator = seeded_generator(seed, STUDY, part, _WITHIN, reader + 1)
        order: list[int] = []
        for turn in range(rounds):
            cases = [case for case in range(len(sources)) if (first[case] + reader) % rounds == turn]
            order += _spaced(order, cases, sources, generator)
        orders.append(order)
    return orders


def balanced_sides(cases: int, readers: int, seed: int, part: int) -> list[list[bool]]:
    """Return for each reader whether the two pictures of each case change sides.

    Half of the cases do, and from one reader to the next all are turned.
    """
    order = torch.randperm(cases, generator=seeded_generator(seed, STUDY, part, _SIDES)).tolist()
    turned = {case: place % 2 == 1 for place, case in enumerate(order)}
    return [[turned[case] != (reader % 2 == 1) for case in range(cases)] for reader in range(readers)]


def _first_rounds(
    of_source: Mapping[Hashable, Sequence[int]], rounds: int, generator: torch.Generator
) -> dict[int, int]:
    """Return the round of each case for the first reader; the cases of a source start at rounds that take turns."""
    start, first = 0, {}
    groups = list(of_source.values())
    drawn = torch.randperm(len(groups), generator=generator).tolist()
    for index in sorted(
        drawn, key=lambda number: len(groups[number])
    ):  # equal ones together, so that each kind is even
        for place, case in enumerate(groups[index]):
            first[case] = (start + place) % rounds
        start += 1 if len(groups[index]) == rounds else len(groups[index])
    return first


def _spaced(
    before: Sequence[int], cases: Sequence[int], sources: Sequence[Hashable], generator: torch.Generator
) -> list[int]:
    """Return an order of the cases of a round: of some random ones, that which keeps alike cases farthest apart."""
    last = {sources[case]: place for place, case in enumerate(before)}
    best: tuple[int, list[int]] | None = None
    for _ in range(_TRIES):
        order = [cases[index] for index in torch.randperm(len(cases), generator=generator).tolist()]
        distances = (
            len(before) + place - last[sources[case]] for place, case in enumerate(order) if sources[case] in last
        )
        nearest = min(distances, default=len(sources))
        if best is None or nearest > best[0]:
            best = nearest, order
        if not before:
            break
    return best[1] if best else []
