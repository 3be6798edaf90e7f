"""Measure on real films how much of a change is left after adding and removing, and how well drawn lesions are removed.

    python benchmarks/removals_on_films.py --films FILMS --labels labels.csv --count 32 --seed 7171

A finding is added to each film and then removed, both with the film's seed; and the same finding is drawn on the film
by the simulator and removed. Prints, for each finding and for all, the medians of

- undo: mean change that is left over the mean change that was made, over the pixels that the addition changed;
- error: squared error of the removal of the drawn lesion, relative to that of removing nothing;

and the share of removals that come closer to the film as it was. Findings, sides and zones take turns, at moderate
levels. The films are those without a known finding that lesions can be drawn on, shuffled by the seed.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from x2x_core import InstructX2XPipeline
from x2x_core.evaluation.metrics.undo import undo
from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.films.chest import FilmChest, UnsuitableFilmError
from x2x_core.simulation.films.folder import find_films
from x2x_core.simulation.films.lesions import draw_lesions
from x2x_core.simulation.films.survey import read_chest
from x2x_core.simulation.findings import SEVERITY, SIDED, SIMULATED_FINDINGS, ZONAL, ZONES
from x2x_core.simulation.lesions import Lesion

LEVEL = "moderate"
SIDES = ("right", "left")


def chests(folder: Path, labels: Path, count: int, seed: int) -> Iterator[FilmChest]:
    """Yield up to `count` films without a known finding."""
    films = [film for film in find_films(folder, labels) if not film.findings]
    used = 0
    for number in torch.randperm(len(films), generator=torch.Generator().manual_seed(seed)).tolist():
        if used == count:
            return
        try:
            chest = read_chest(films[number])
        except UnsuitableFilmError:
            continue
        used += 1
        yield chest


def lesion_of_turn(turn: int, seed: int) -> Lesion:
    """Return the lesion of the n-th film; findings take turns, and then sides and zones."""
    finding, round_ = SIMULATED_FINDINGS[turn % len(SIMULATED_FINDINGS)], turn // len(SIMULATED_FINDINGS)
    side = SIDES[round_ % 2] if finding in SIDED else None
    zone = tuple(ZONES)[round_ % len(ZONES)] if finding in ZONAL else None
    return Lesion(finding, side, zone, LEVEL, SEVERITY[LEVEL], seed)


def instruction(operation: Operation, lesion: Lesion) -> str:
    """Return the request that adds or removes a lesion."""
    level = LEVEL if operation is Operation.ADD else None
    return str(Instruction(clauses=(Clause(operation, lesion.finding, lesion.side, lesion.zone, level=level),)))


def measure(pipe: Any, chest: FilmChest, lesion: Lesion) -> tuple[float, float]:
    """Return undo and error of one film.

    Args:
        pipe: an `InstructX2XPipeline`.
        chest: the film.
        lesion: its seed is that of the edits, too.
    """

    def edit(picture: torch.Tensor, operation: Operation) -> torch.Tensor:
        output = pipe(
            picture, instruction(operation, lesion), generator=torch.Generator().manual_seed(lesion.seed),
            output_type="pt",
        )  # fmt: skip
        return output.images[0].mean(dim=0, keepdim=True).float()

    film = torch.from_numpy(chest.grey)[None]
    added, drawn = edit(film, Operation.ADD), torch.from_numpy(draw_lesions(chest, [lesion]))[None]
    left = undo(film, added, edit(added, Operation.REMOVE), added != film)
    error = (edit(drawn, Operation.REMOVE) - film).square().sum() / (drawn - film).square().sum()
    return float("nan") if left is None else left, float(error)


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--seed", type=int, default=7171)
    args = parser.parse_args()
    pipe = InstructX2XPipeline.from_pretrained(args.model)
    pipe.set_progress_bar_config(disable=True)
    found = defaultdict(list)
    for turn, chest in enumerate(chests(args.films, args.labels, args.count, args.seed)):
        lesion = lesion_of_turn(turn, args.seed + turn)
        values = measure(pipe, chest, lesion)
        found[lesion.finding].append(values)
        found["all"].append(values)
    for finding, values in found.items():
        left, errors = np.array(values).T
        print(
            f"{finding:<18}n={len(values):<3}undo {np.nanmedian(left):.2f}, error {np.median(errors):.2f}, closer "
            f"{(errors < 1).mean():.0%}"
        )


if __name__ == "__main__":
    main()
