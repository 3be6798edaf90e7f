"""Record of an evaluation on a dataset."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from x2x_core.evaluation.cases import CASES_PER_RANK, choose_cases
from x2x_core.evaluation.metrics.bootstrap import LEVEL, RESAMPLES
from x2x_core.evaluation.metrics.catalogue import info
from x2x_core.evaluation.progress import Progress
from x2x_core.evaluation.results import EDITED, TARGET, UNEDITED, Case, Results
from x2x_core.imaging.provenance import SYNTHETIC_NOTICE
from x2x_core.pairs.layout import Row
from x2x_core.scorers.bundled import SIMULATED_NOTICE, BundledScorer

from .edits import EDITED_FOLDER, GUIDANCE_FOLDER, MASK_FOLDER, case_id
from .evidence import Evidence, Scorers
from .gathering import gather_evidence
from .table import result_rows
from .truths import Truth

JSON_FILE, CSV_FILE = "evaluation.json", "evaluation.csv"
CASES_FOLDER = "cases"  # inputs and targets of the pairs that the report shows


def evaluate_edits(
    rows: Sequence[Row],
    out: str | Path,
    truths: Sequence[Truth],
    scorers: Scorers,
    *,
    seed: int,
    about: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Results:
    """Score the edits that `edit_dataset` wrote, and write the record as `JSON_FILE` and `CSV_FILE`.

    Args:
        rows: the pairs that were edited.
        out: folder of the run.
        truths: of the pairs, see `x2x_core.evaluation.on_dataset.truths.read_truths`.
        scorers: the networks that take part.
        seed: of the bootstrap.
        about: further entries of the record.
        progress: called with the pairs scored and in all.

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: a scorer that does not keep to its protocol.
    """
    out = Path(out)
    evidence = gather_evidence(rows, out, truths, scorers, progress)
    table = result_rows(evidence, torch.Generator().manual_seed(seed))
    keys = dict.fromkeys(key for row in table for key in row.metrics)
    record = {
        "title": "Evaluation on a dataset",
        "synthetic": True,
        "notice": " ".join([*([SIMULATED_NOTICE] if uses_bundled(scorers) else []), SYNTHETIC_NOTICE]),
        "size": f"{len(rows)} pairs of {len({truth.group for truth in truths})} patients",
        "pairs": len(rows),
        "compared": [EDITED, UNEDITED, TARGET],
        "cases_note": "Outlines: where the edit could change the image. Best, median and worst by the error ratio: "
        "squared error to the real target inside the mask, over that of the input.",
        "seed": seed,
        "intervals": f"{LEVEL:.0%} percentile bootstrap over patients, {RESAMPLES} resamples, the same for all rows",
        "scorers": scorers.names(),
        "metrics": {key: info(key).described("statistic") for key in keys},
        "notes": notes_on(scorers),
        **(about or {}),
    }
    results = Results(record, table, tuple(_cases(rows, out, evidence)))
    results.write_json(out / JSON_FILE)
    results.write_csv(out / CSV_FILE)
    return results


def notes_on(scorers: Scorers) -> list[str]:
    """Return caveats about the networks that took part."""
    notes = [SIMULATED_NOTICE] if uses_bundled(scorers) else []
    if scorers.features is not None:
        notes.append(f"FID is on the features of: {scorers.features.name}. It compares with no FID on other features.")
    return notes


def uses_bundled(scorers: Scorers) -> bool:
    """Return True if a network takes part that was trained only on simulated radiographs."""
    networks = (scorers.findings, scorers.race, scorers.features, *scorers.values)
    return any(isinstance(network, BundledScorer) for network in networks)


def _cases(rows: Sequence[Row], out: Path, evidence: Evidence) -> Iterator[Case]:
    """Yield each pair with its pictures and scores."""
    ratios = _error_ratios(evidence)
    ranks = choose_cases(ratios, CASES_PER_RANK)
    for number, row in enumerate(rows):
        name = case_id(number, row)
        locate = partial(_copied, out, name) if number in ranks else partial(_relative, out)
        files = {
            "before": locate(row.past),
            "after": f"{EDITED_FOLDER}/{name}.png",
            "target": locate(row.current),
            "guidance": f"{GUIDANCE_FOLDER}/{name}.png",
            "mask": f"{MASK_FOLDER}/{name}.png",
        }
        ratio = {EDITED: {"mse_ratio": ratios[number]}} if math.isfinite(ratios[number]) else {}
        rank = {"rank": ranks[number]} if number in ranks else {}
        yield Case(name, row.instruction, files, {**_scores(evidence, number), **ratio, **rank})


def _relative(out: Path, path: Path) -> str:
    return Path(os.path.relpath(path, out)).as_posix()


def _copied(out: Path, name: str, path: Path) -> str:
    """Copy a picture that the report shows, so that the report does not need the dataset, and return its path."""
    copy = out / CASES_FOLDER / f"{name}-{path.parent.name}{path.suffix}"
    copy.parent.mkdir(exist_ok=True)
    shutil.copyfile(path, copy)
    return copy.relative_to(out).as_posix()


def _error_ratios(evidence: Evidence) -> list[float]:
    """Return each pair's squared error to the real target inside the mask over the input's; nan for an empty mask."""
    edited, unedited = (evidence.rows[name].measures["psnr_inside"] for name in (EDITED, UNEDITED))
    return (10 ** ((unedited - edited) / 10)).tolist()


def _scores(evidence: Evidence, number: int) -> dict[str, Any]:
    edited = evidence.rows[EDITED]
    measures = {key: float(values[number]) for key, values in edited.measures.items()}
    scores: dict[str, Any] = {key: None if value != value else value for key, value in measures.items()}
    scores["flips"] = asdict(edited.flips[number])
    for kind, labels in (
        ("findings", evidence.finding_labels),
        ("race", evidence.race_labels),
        ("values", evidence.value_labels),
    ):
        if labels:
            tables = {name: getattr(row, kind)[number].tolist() for name, row in evidence.rows.items()}
            scores[kind] = {name: dict(zip(labels, numbers)) for name, numbers in tables.items()}
    return scores
