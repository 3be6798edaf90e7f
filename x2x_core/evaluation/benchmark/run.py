"""The simulated benchmark: many ways to edit, the same planned pairs, exact truth, one record.

Stages, each of which goes on where it was: simulate the pairs (`x2x_core.simulation.plan`), edit and score them in
each way (`benchmark_edits`), read the pictures with the bundled networks (`benchmark_readings`), sum up
(`benchmark_summary`), and judge (`verdict`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from x2x_core.evaluation.metrics.bootstrap import LEVEL, RESAMPLES
from x2x_core.evaluation.metrics.fidelity import check_scoring
from x2x_core.evaluation.results import TARGET, UNEDITED, Case, Results
from x2x_core.evaluation.run_folder import claim
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.dataset import simulate_dataset
from x2x_core.simulation.plan import TRIPLE
from x2x_core.simulation.plan_coverage import coverage, missing_cells
from x2x_core.simulation.settings import BENCHMARK, PAIRS_PER_BODY, SimulationSettings

from .ablation_rows import OURS, settings_note
from .edits import PAIRS, BenchmarkSettings, edit_all, picture_path, read_part, rows_of
from .measures import BENCHMARK_MEASURES, with_levels
from .readings import Readers, read_row, true_values
from .rows import REFERENCES, UNRESTRICTED, BenchmarkRow
from .simulated import Progress
from .statistics import paired_difference
from .summary import Scored, attribute_table, cost, summarise
from .verdict import judge

RECORD = "evaluation.json"
SETTINGS = "benchmark.json"
KIND = "simulated benchmark"
RANKING = "mse_ratio"  # by which cases are best, median and worst
CASES_EACH = 3  # of the best, of the median and of the worst
NOTICE = (
    "Everything here is synthetic: radiographs simulated from one CT, with body shapes, poses, exposures and lesions that "
    "no training has seen. It says nothing about real radiographs and is not for diagnosis."
)


def prepare(out: Path, settings: BenchmarkSettings, weights: str | None) -> None:
    """Make the run's folder, or see that what lies there is this very run.

    Raises:
        InputError: another run, or other files, lie there.
    """
    record = {**asdict(settings), "weights_sha256": weights}
    claim(out, SETTINGS, record, other="was made with another {changed}")


def run_benchmark(
    out: Path,
    settings: BenchmarkSettings,
    load: Callable[[], Any],
    *,
    workers: int = 1,
    readers: Readers | None = None,
    weights: str | None = None,
    about: Mapping[str, Any] | None = None,
    progress: Callable[[str], Progress] | None = None,
) -> Results:
    """Run the benchmark in a folder, or go on with it there.

    Args:
        out: the run's folder.
        settings: what decides its numbers.
        load: makes the pipeline, see `x2x_core.evaluation.benchmark.edits.edit_all`.
        workers: processes.
        readers: networks that read attributes and features; ``None``: those measures are undefined.
        weights: a hash of the model's weights.
        about: what else to record.
        progress: given the name of a stage, gives what is called with the steps done and in all.

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: another run lies in `out`, or a setting out of range.
    """
    check_scoring()
    prepare(out, settings, weights)
    progress = progress or (lambda stage: lambda done, total: None)
    simulation = SimulationSettings(settings.count, settings.seed, settings.size, version=BENCHMARK, bits=16)
    simulate_dataset(settings.ct, out / PAIRS, simulation, workers=workers, progress=progress("Simulating"))
    update = progress("Editing")
    for done, _ in enumerate(edit_all(settings, out, load, workers), start=1):
        update(done * PAIRS_PER_BODY, settings.count)
    pipeline = load()
    rows = rows_of(settings, pipeline)
    scored = gather(out, settings, rows, readers, progress("Reading"))
    results = Results(_about(settings, rows, scored, pipeline, readers, about), summarise(scored), _cases(out, scored))
    results.write_json(out / RECORD)
    results.write_csv((out / RECORD).with_suffix(".csv"))
    return results


def gather(
    out: Path,
    settings: BenchmarkSettings,
    rows: Sequence[BenchmarkRow],
    readers: Readers | None,
    update: Progress = lambda done, total: None,
) -> Scored:
    """All scores and readings of a run, from its folder."""
    records = [
        row
        for body in range(settings.bodies)
        for row in json.loads((out / PAIRS / "parts" / f"{body:06d}.json").read_text())
    ]
    triples = [one["triple"] for one in records]
    names = [UNEDITED, *(row.name for row in rows), TARGET]
    wanted = {name: name if name in REFERENCES else next(row for row in rows if row.name == name) for name in names}
    scores, readings = {}, {}
    for number, (name, row) in enumerate(wanted.items(), start=1):
        bodies = [body for body in range(settings.bodies) if settings.wants(row, body)]
        found = [score for body in bodies for score in read_part(out, name, body)]
        found = with_levels(found, triples[: len(found)])
        scores[name] = found + [None] * (len(records) - len(found))
        if readers:
            readings[name] = read_row(out, name, [one["file"] for one in records[: len(found)]], readers)
        update(number, len(wanted))
    labels = tuple(readers.attributes.labels) if readers else ()
    return Scored(
        instructions=tuple(one["instruction"] for one in records),
        bodies=tuple(number // PAIRS_PER_BODY for number in range(len(records))),
        rows=scores,
        seed=settings.seed,
        readings=readings,
        attributes=labels,
        truth=true_values(records, labels) if readers else None,
    )


def _about(settings: BenchmarkSettings, rows, scored: Scored, pipeline, readers, about) -> dict[str, Any]:
    """Everything that a reader of the numbers must know."""
    instructions = [Instruction.parse(text) for text in scored.instructions]
    peers = settings.count if settings.peers_count is None else settings.peers_count
    return {
        "title": "Simulated benchmark",
        "kind": KIND,
        "synthetic": True,
        "unit": "simulated pairs",
        "notice": NOTICE,
        **(about or {}),
        "settings": asdict(settings),
        "note": settings_note(pipeline, settings.call),
        "peers_note": f"Rows that are not ours: the first {peers} of {settings.count} pairs.",
        "row_notes": {**REFERENCES, **{row.name: row.row.note for row in rows}},
        "ours": OURS,
        "unrestricted": UNRESTRICTED,
        "references": list(REFERENCES),
        "measures": {one.key: asdict(one) for one in BENCHMARK_MEASURES},
        "intervals": f"{LEVEL:.0%} percentile bootstrap, {RESAMPLES} resamples of simulated bodies ({PAIRS_PER_BODY} pairs "
        "each), the same for all rows",
        "readers": [readers.attributes.name, readers.features.name] if readers else [],
        "coverage": coverage(instructions),
        "not_covered": missing_cells(instructions),
        "triples": sum(one is not None and one["monotone"] is not None for one in scored.rows[OURS]),
        "triple_size": TRIPLE,
        "seconds_per_edit": cost(scored),
        "largest_change_outside_mask": _largest_outside(scored),
        "attributes": attribute_table(scored),
        "minus_ours": _minus_ours(scored),
        "verdict": judge(scored).as_dict(),
    }


def _largest_outside(scored: Scored) -> dict[str, float]:
    """The largest change outside the guidance mask in each row that a model made; 0 where it holds its promise."""
    names = [name for name in scored.rows if name not in REFERENCES]
    return {name: float(scored.values(name, "changed_outside_mask").nan_to_num().max()) for name in names}


def _minus_ours(scored: Scored) -> dict[str, dict[str, Any]]:
    """Each row's means minus ours over the pairs of both, with intervals; measures whose statistic is a mean."""
    counts = scored.counts()
    keys = [one.key for one in BENCHMARK_MEASURES if one.statistic == "mean" and one.key not in _OF_SETS]
    others = [name for name in scored.rows if name != OURS]
    return {
        name: {
            key: asdict(paired_difference(scored.values(name, key), scored.values(OURS, key), counts)) for key in keys
        }
        for name in others
    }


_OF_SETS = ("attribute_r", "attribute_worst_r", "fid")


def _cases(out: Path, scored: Scored) -> tuple[Case, ...]:
    """The best, median and worst pairs of ours, with the pictures of all rows."""
    chosen = choose_cases(scored.values(OURS, RANKING).tolist(), CASES_EACH)
    return tuple(_case(out, scored, number, rank) for number, rank in chosen.items())


def choose_cases(ratios: Sequence[float], each: int) -> dict[int, str]:
    """The numbers of the best, median and worst pairs, `each` of each kind; nan is left out, lowest is best.

    With fewer pairs than places the best come first, then the worst.
    """
    ranked = [number for value, number in sorted((v, n) for n, v in enumerate(ratios) if v == v)]
    middle = max(0, (len(ranked) - each) // 2)
    found: dict[int, str] = {}
    for rank, some in (("best", ranked[:each]), ("worst", ranked[-each:]), ("median", ranked[middle : middle + each])):
        for number in some:
            found.setdefault(number, rank)
    order = ("best", "median", "worst")
    return dict(sorted(found.items(), key=lambda item: (order.index(item[1]), ratios[item[0]])))


def _case(out: Path, scored: Scored, number: int, rank: str) -> Case:
    file = f"{number // PAIRS_PER_BODY:06d}-{number % PAIRS_PER_BODY}.png"
    made = [name for name in scored.rows if name not in REFERENCES and scored.rows[name][number] is not None]
    places = {
        "before": picture_path(out, UNEDITED, "edited", file),
        "target": picture_path(out, TARGET, "edited", file),
    }
    places["after"] = picture_path(out, OURS, "edited", file)
    places["guidance"] = picture_path(out, OURS, "guidance", file)
    places["mask"] = picture_path(out, OURS, "mask", file)
    for name in made:
        places[f"after: {name}"] = picture_path(out, name, "edited", file)
        places[f"mask: {name}"] = picture_path(out, name, "mask", file)
    scores = {name: {key: scored.rows[name][number][key] for key in (RANKING, "ssim", "direction")} for name in made}
    files = {name: str(path.relative_to(out)) for name, path in places.items()}
    return Case(file.removesuffix(".png"), scored.instructions[number], files, {"rank": rank, **scores})
