"""Choose guidance scales, steps, composition, crop and the width of the mask's edge, on pairs whose truth is known.

    python benchmarks/edit_choice.py --ct CT_FOLDER --pairs runs/choice --scales 0.8 1 1.3 --steps 4 8 --out choice.json
    python benchmarks/edit_choice.py --data runs/films-held-out --split train --compositions difference saturating

A higher scale makes more of the change and a larger error where it is wrong. Prints for every choice how many edits
have the right direction, stay in the true region and come closer to the truth, the error ratio, the amount of the true
change, and how often three levels of one lesion are in order. With `--ct` the pairs are planned like those of the
simulated benchmark, with another seed; with `--data` they are read from a dataset, such as one of
`x2x simulate --films`, and have no series of levels. `--out` writes every pair's scores.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from statistics import mean, median
from typing import Any

from x2x_core import InstructX2XPipeline
from x2x_core.evaluation.benchmark.editing import edit_pairs
from x2x_core.evaluation.benchmark.measures import score_pairs, with_levels
from x2x_core.evaluation.benchmark.plan import PAIRS, SIZE, PlannedPair, batches, plan_pairs, read_body, read_pairs
from x2x_core.imaging.provenance import versions
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.dataset import simulate_dataset
from x2x_core.simulation.settings import BENCHMARK, PAIRS_PER_BODY, SimulationSettings

SEED = 70_000  # of pairs that neither training nor evaluation uses
SHARES = ("direction", "in_region", "closer")

Body = list[PlannedPair]


def simulate(ct: str, folder: Path, count: int, workers: int) -> Iterator[Body]:
    """Yield planned pairs body by body; those that exist in `folder` are not simulated again."""
    settings = SimulationSettings(count, SEED, SIZE, version=BENCHMARK, bits=16)
    simulate_dataset(ct, folder / PAIRS, settings, workers=workers)
    for body in range(count // PAIRS_PER_BODY):
        yield read_body(folder, body, SEED)


def read(folder: Path, split: str, count: int, size: int) -> Iterator[Body]:
    """Yield the first pairs of a split of a dataset, in batches."""
    yield from batches(plan_pairs(read_pairs(folder, count, size, split), SEED))


def score(pipe: Any, bodies: Sequence[Body], **call: Any) -> list[dict[str, Any]]:
    """Return every pair's scores and finding for one choice."""
    found = []
    for pairs in bodies:
        edits = edit_pairs(pipe, [one.pair for one in pairs], [one.seed for one in pairs], **call)
        for one, scores in zip(pairs, score_pairs(pairs, edits)):
            finding = Instruction.parse(one.pair.instruction).clauses[0].finding
            found.append({"finding": finding, "triple": one.triple, **scores})
    return with_levels(found, [one["triple"] for one in found])


def summary(scores: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return shares and means over pairs, and the median error ratio."""
    known = {name: [one[name] for one in scores if one.get(name) is not None] for name in scores[0]}
    shares = {name: mean(known[name]) for name in SHARES}
    amounts = {"error": median(known["mse_ratio"]), "amount": mean(known["amount"])}
    order = {name: mean(known[name]) for name in ("monotone", "ordered") if known[name]}
    return {**shares, **amounts, **order}


def by_finding(scores: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return `summary` for each finding."""
    groups = defaultdict(list)
    for one in scores:
        groups[one["finding"]].append(one)
    return {name: summary(group) for name, group in sorted(groups.items())}


def show(name: str, values: dict[str, float]) -> None:
    """Print one row."""
    print(f"{name:>24}", *(f"{key} {value:.3f}" for key, value in values.items()), sep=" | ", flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ct", default="phantom", help="folder of DICOM slices, a .npz volume, or phantom")
    parser.add_argument("--pairs", type=Path, default=Path("runs/choice"), help="folder for the simulated pairs, kept")
    parser.add_argument("--data", type=Path, help="dataset whose pairs are edited instead of simulated ones")
    parser.add_argument("--split", default="val", help="split of --data")
    parser.add_argument("--size", type=int, default=SIZE, help="side in pixels at which the pairs of --data are edited")
    parser.add_argument("--count", type=int, default=100, help="pairs, a multiple of five")
    parser.add_argument("--model", default="demo", help="demo, a folder, or a hub name")
    parser.add_argument("--scales", type=float, nargs="+", default=[0.8, 1.0, 1.3])
    parser.add_argument("--steps", type=int, nargs="+", default=[4])
    parser.add_argument("--soft-edges", type=float, nargs="+", default=[None], help="[default: as suits the finding]")
    parser.add_argument("--compositions", nargs="+", default=["difference"])
    parser.add_argument("--crops", type=int, nargs="+", default=[None], help="margins of a crop [default: no crop]")
    parser.add_argument("--workers", type=int, default=2, help="processes that simulate")
    parser.add_argument("--out", type=Path, help="JSON of all scores")
    given = parser.parse_args()
    pipe = InstructX2XPipeline.from_pretrained(given.model)
    pipe.set_progress_bar_config(disable=True)
    if given.data:
        bodies = list(read(given.data, given.split, given.count, given.size))
    else:
        bodies = list(simulate(given.ct, given.pairs, given.count, given.workers))
    choices = []
    for steps, composition, crop, scale, edge in product(
        given.steps, given.compositions, given.crops, given.scales, given.soft_edges
    ):
        call = {
            "guidance_scale": scale,
            "num_inference_steps": steps,
            "composition": composition,
            "soft_edge": edge,
            "padding_mask_crop": False if crop is None else crop,
        }
        scores = score(pipe, bodies, **call)
        whole = summary(scores)
        margin, width = ("no crop" if crop is None else f"crop {crop}"), ("by finding" if edge is None else edge)
        show(f"{steps} steps, {composition}, {margin}, scale {scale:g}, edge {width}", whole)
        for name, values in by_finding(scores).items():
            show(name, values)
        choices.append({**call, "summary": whole, "pairs": scores})
    if given.out:
        record = {"model": given.model, "seed": SEED, "choices": choices, "versions": versions()}
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
