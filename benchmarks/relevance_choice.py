"""Choose the noise draws and levels of the relevance map and the rule of the mask, on simulated pairs.

    python benchmarks/relevance_choice.py --ct CT_FOLDER --count 40 --out choice.json
    python benchmarks/relevance_choice.py --data SIMULATED_DATASET --draws 1 4 --levels 0.8 0.6,0.7,0.8

Prints for every choice how well the relevance map R and the guidance map G find the true change (average precision,
share of the map's energy inside, pointing game, best overlap) and what they cost in U-Net items per image; then, on the
guidance maps of the last choice, how the mask of each rule overlaps the true change and how much of its energy it
contains. `--out` writes every pair's scores.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch

from x2x_core import InstructX2XPipeline
from x2x_core.anatomy.areas import area_limits
from x2x_core.edit.settings import DEFAULT
from x2x_core.evaluation.benchmark.pairs import TruePair
from x2x_core.evaluation.benchmark.plan import read_pairs, simulate_pairs
from x2x_core.evaluation.metrics.average_precision import average_precision
from x2x_core.evaluation.metrics.best_iou import best_iou
from x2x_core.evaluation.metrics.energy_inside import energy_inside
from x2x_core.evaluation.metrics.pointing import pointing
from x2x_core.guidance.mask_rules import ENERGY_SHARE, adaptive_level, find_mask
from x2x_core.imaging.changed import changed_region
from x2x_core.imaging.provenance import versions
from x2x_core.language.instruction import Instruction

SEED = 70_000  # of pairs that neither training nor evaluation uses
BRANCHES = 2  # U-Net items of one draw: with the instruction and without it
SCORES = {"AP": average_precision, "energy": energy_inside, "pointing": pointing, "IoU": best_iou}
BARE = replace(DEFAULT, remove_islands=False, close_holes=False, limit_area=False)
TIDY = replace(DEFAULT, remove_islands=True, close_holes=True, limit_area=True)
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)
SHARES = (0.9, 0.95, ENERGY_SHARE)  # of the energy, at which the adaptive rule sets its level; the last is its own

Scores = dict[str, float]


def find_maps(pipe: Any, pair: TruePair, levels: Sequence[float], draws: int, seed: int):
    """Return the maps of one pair."""
    generator = torch.Generator().manual_seed(seed)
    choice = {"relevance_noise_level": list(levels), "relevance_samples": draws}
    return pipe.guidance(pair.before[None], pair.instruction, generator=generator, **choice)


def map_scores(found: Any, region: torch.Tensor) -> Scores:
    """Score how relevance map and guidance map find a region `(1, H, W)`."""
    maps = {"R": found.relevance_map[0], "G": found.guidance_map[0]}
    scores = {f"{name} {score}": SCORES[score](values, region) for name, values in maps.items() for score in SCORES}
    spread = found.relevance_uncertainty
    return {**scores, "uncertainty": math.nan if spread is None else float(spread.mean())}


def mask_scores(found: Any, pair: TruePair) -> dict[str, Scores]:
    """Score how each rule's mask fits the true change."""
    rules = {f"threshold {tau:g}": {"mask_rule": "threshold", "mask_threshold": tau} for tau in THRESHOLDS}
    guidance = found.guidance_map[0, 0].numpy()
    for share in SHARES:
        rules[f"adaptive {share:g}"] = {"mask_rule": "threshold", "mask_threshold": adaptive_level(guidance, share)}
    change = pair.after - pair.before
    region, energy = changed_region(change), change.square()
    limits = [area_limits(Instruction.parse(pair.instruction))]
    scores = {}
    for name, rule in rules.items():
        for steps, base in (("", BARE), (", tidied", TIDY)):
            mask = find_mask(found.guidance_map, found.pseudomask, replace(base, **rule), limits)[0]
            scores[name + steps] = {
                "IoU": float((mask & region).sum() / (mask | region).sum()),
                "energy": float(energy[mask].sum() / energy.sum()),
                "area": float(mask.float().mean()),
            }
    return scores


def measure(
    pipe: Any, pairs: Iterable[TruePair], levels: Sequence[tuple[float, ...]], draws: Sequence[int], seed: int = SEED
) -> dict[str, Any]:
    """Score all pairs for all choices; pairs without a visible change are left out."""
    choices = [(some, count) for some in levels for count in draws]
    maps: list[list[Scores]] = [[] for _ in choices]
    masks: list[dict[str, Scores]] = []
    for number, pair in enumerate(pairs):
        region = changed_region(pair.after - pair.before)
        if not region.any():
            continue
        for (some, count), scores in zip(choices, maps):
            found = find_maps(pipe, pair, some, count, seed + number)
            scores.append(map_scores(found, region))
        masks.append(mask_scores(found, pair))
    named = [
        {"levels": list(some), "draws": count, "items": BRANCHES * count * len(some), "pairs": scores}
        for (some, count), scores in zip(choices, maps)
    ]
    return {"seed": seed, "count": len(masks), "maps": named, "masks": masks}


def summary(scores: Sequence[Scores]) -> list[str]:
    """Return the mean of each score with its standard error."""
    cells = []
    for name in scores[0]:
        values = [one[name] for one in scores]
        if any(math.isnan(value) for value in values):  # a single draw has no spread
            cells.append("-")
            continue
        error = stdev(values) / len(values) ** 0.5 if len(values) > 1 else math.nan
        cells.append(f"{mean(values):.3f} ({error:.3f})")
    return cells


def show(result: dict[str, Any]) -> None:
    """Print both tables: means over the pairs, standard errors in brackets."""
    print(f"{result['count']} pairs; mean (standard error)")
    print("| levels | draws | items |", " | ".join(result["maps"][0]["pairs"][0]), "|")
    for one in sorted(result["maps"], key=lambda one: one["items"]):
        levels = ", ".join(f"{level:g}" for level in one["levels"])
        print("|", levels, "|", one["draws"], "|", one["items"], "|", " | ".join(summary(one["pairs"])), "|")
    print("| mask |", " | ".join(next(iter(result["masks"][0].values()))), "|")
    for name in result["masks"][0]:
        print("|", name, "|", " | ".join(summary([one[name] for one in result["masks"]])), "|")


def main() -> None:
    """Read the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--ct", help="CT to simulate pairs from: DICOM folder, .npz or phantom")
    source.add_argument("--data", help="folder of a simulated dataset, whose validation split is taken")
    parser.add_argument("--model", default="demo")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--draws", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--levels", nargs="+", default=["0.8", "0.6,0.8", "0.6,0.7,0.8"], help="joined by commas")
    parser.add_argument("--out", type=Path, help="JSON file for every pair's scores")
    given = parser.parse_args()
    pipe = InstructX2XPipeline.from_pretrained(given.model)
    pipe.set_progress_bar_config(disable=True)
    pairs = simulate_pairs(given.ct, given.count, seed=given.seed) if given.ct else read_pairs(given.data, given.count)
    levels = [tuple(float(level) for level in one.split(",")) for one in given.levels]
    result = measure(pipe, pairs, levels, given.draws, given.seed)
    show(result)
    if given.out:
        record = {"model": given.model, **result, "versions": versions()}
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
