"""Run of a benchmark: several ways to edit, the same planned pairs, exact truth, one record.

Every stage continues where it was stopped: make the pairs, edit and score them in each way, read the pictures with
the bundled networks; then summarise and judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from x2x_core.common.run_folder import claim_folder
from x2x_core.evaluation.cases import CASES_PER_RANK, RANKING, choose_cases
from x2x_core.evaluation.metrics.scoring import check_scoring
from x2x_core.evaluation.progress import Progress
from x2x_core.evaluation.results import TARGET, UNEDITED, Case, Results
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.layout import pair_file
from x2x_core.simulation.plan_coverage import coverage, missing_cells
from x2x_core.simulation.settings import PAIRS_PER_BODY

from .about import describe_rows
from .attributes import attribute_table
from .edits import edit_all
from .film_settings import FILMS
from .measures import with_levels
from .plan import read_records
from .readings import Readers, read_row, true_values
from .rows import OURS, TARGET_ROW, UNEDITED_ROW, UNRESTRICTED, Row
from .scores import BenchmarkScores
from .settings import BenchmarkSettings, PairSettings
from .standard_rows import settings_note
from .storage import picture_path, read_scores
from .summary import INTERVALS, edited_rows, median_seconds, seconds_per_edit, summarise
from .verdict import judge

RECORD = "evaluation.json"
SETTINGS = "benchmark.json"
KIND = BenchmarkSettings.text.kind
READING = "reading"  # folder of a reading set beside a benchmark
Loader = Callable[[], Any]  # returns the pipeline
StageProgress = Callable[[str], Progress]  # name of a stage to its progress callback


@dataclass(frozen=True)
class BenchmarkContext:
    """Resources of a benchmark run, apart from the settings that determine its results.

    Args:
        workers: number of processes.
        readers: networks that read attributes and features; ``None``: those measures are undefined.
        weights: hash of the model's weights; runs with other weights are refused in the same folder.
        about: further entries of the record.
        progress: callback factory for the stages.
    """

    workers: int = 1
    readers: Readers | None = None
    weights: str | None = None
    about: Mapping[str, Any] | None = None
    progress: StageProgress = lambda stage: lambda done, total: None


def run_benchmark(out: Path, settings: PairSettings, load: Loader, context: BenchmarkContext | None = None) -> Results:
    """Run the benchmark in a folder, or continue a run that was stopped.

    Args:
        out: the run's folder.
        settings: decide its numbers.
        load: returns the pipeline, see `x2x_core.evaluation.benchmark.edits.edit_all`.
        context: processes, networks, progress.

    Returns:
        The record, which is also written to `out` as JSON and CSV.

    Raises:
        MissingExtraError: torchmetrics is not installed.
        InputError: another run lies in `out`, or a setting is out of range.
    """
    context = context or BenchmarkContext()
    check_scoring()
    record = {**asdict(settings), "weights_sha256": context.weights}
    claim_folder(out, SETTINGS, record, conflict="was made with another {changed}", beside=(FILMS, READING))
    settings.make_pairs(out, context.workers, context.progress("Simulating"))
    update = context.progress("Editing")
    for done, _ in enumerate(edit_all(settings, out, load, context.workers), start=1):
        update(done * PAIRS_PER_BODY, settings.count)
    pipeline = load()
    rows = (UNEDITED_ROW, *(row for row in settings.rows(pipeline) if settings.includes(row, 0)), TARGET_ROW)
    scores = gather_scores(out, settings, rows, context.readers, context.progress("Reading"))
    about = _about(settings, rows, scores, context)
    about["note"] = settings_note(pipeline, settings.call)
    results = Results(about, summarise(scores), _cases(out, scores))
    results.write_json(out / RECORD)
    results.write_csv((out / RECORD).with_suffix(".csv"))
    return results


def gather_scores(
    out: Path,
    settings: PairSettings,
    rows: Sequence[Row],
    readers: Readers | None,
    update: Progress = lambda done, total: None,
) -> BenchmarkScores:
    """Read all scores of a run, and its pictures with the networks.

    Args:
        out: the run's folder.
        settings: of the run.
        rows: all rows, with the references.
        readers: the networks, or ``None``.
        update: called with the rows done and in all.
    """
    records = [record for body in range(settings.bodies) for record in read_records(out, body)]
    triples = [record["triple"] for record in records]
    scores, readings = {}, {}
    for number, row in enumerate(rows, start=1):
        bodies = [body for body in range(settings.bodies) if settings.includes(row, body)]
        of_row = [score for body in bodies for score in read_scores(out, row.name, body)]
        of_row = with_levels(of_row, triples[: len(of_row)])
        scores[row.name] = [*of_row, *[None] * (len(records) - len(of_row))]
        if readers:
            files = [record["file"] for record in records[: len(of_row)]]
            readings[row.name] = read_row(out, row.name, files, readers)
        update(number, len(rows))
    base = BenchmarkScores(
        instructions=tuple(record["instruction"] for record in records),
        bodies=tuple(record.get("patient", number // PAIRS_PER_BODY) for number, record in enumerate(records)),
        rows=scores,
        seed=settings.seed,
        measures=settings.measures,
        unread=settings.unread,
        wilson=settings.wilson,
    )
    if not readers:
        return base
    labels = tuple(readers.attributes.labels)
    return replace(base, readings=readings, attributes=labels, truth=true_values(records, labels))


def _about(
    settings: PairSettings, rows: Sequence[Row], scores: BenchmarkScores, context: BenchmarkContext
) -> dict[str, Any]:
    """Return the record's description of the run."""
    instructions = [Instruction.parse(text) for text in scores.instructions]
    peers = settings.count if settings.peers_count is None else settings.peers_count
    readers = context.readers
    return {
        "title": settings.text.title,
        "kind": settings.text.kind,
        **(context.about or {}),
        "settings": asdict(settings),
        "peers_note": f"Rows that are not ours: the first {peers} of {settings.count} pairs.",
        **describe_rows(rows, scores, settings.text.notice),
        "intervals": f"{INTERVALS} {settings.text.drawn}, the same for all rows",
        **{name: words for name in ("shown", "compared") if (words := getattr(settings.text, name))},
        "triple_size": settings.text.triple,
        "readers": [readers.attributes.name, readers.features.name] if readers else [],
        "coverage": coverage(instructions),
        "not_covered": missing_cells(instructions),
        "triples": sum(record is not None and record["monotone"] is not None for record in scores.rows[OURS]),
        "seconds_per_edit": seconds_per_edit(scores),
        "median_seconds": median_seconds(scores),
        "attributes": attribute_table(scores),
        **({"verdict": judge(scores).as_dict()} if UNRESTRICTED in scores.rows else {}),
    }


def _cases(out: Path, scores: BenchmarkScores) -> tuple[Case, ...]:
    """Return the best, median and worst pairs of ours, with the pictures of all rows."""
    chosen = choose_cases(scores.values(OURS, RANKING).tolist(), CASES_PER_RANK)
    return tuple(_case(out, scores, index, rank) for index, rank in chosen.items())


def _case(out: Path, scores: BenchmarkScores, index: int, rank: str) -> Case:
    file = pair_file(*divmod(index, PAIRS_PER_BODY))
    paths = {"before": picture_path(out, UNEDITED, "edited", file), "target": picture_path(out, TARGET, "edited", file)}
    for name, kind in (("after", "edited"), ("guidance", "guidance"), ("mask", "mask")):
        paths[name] = picture_path(out, OURS, kind, file)
    records = {name: scores.rows[name][index] for name in edited_rows(scores)}
    shown: dict[str, Any] = {"rank": rank}
    for name, record in records.items():
        if record is not None:
            paths[f"after: {name}"] = picture_path(out, name, "edited", file)
            paths[f"mask: {name}"] = picture_path(out, name, "mask", file)
            shown[name] = {key: record[key] for key in (RANKING, "ssim", "direction")}
    files = {name: str(path.relative_to(out)) for name, path in paths.items()}
    return Case(file.removesuffix(".png"), scores.instructions[index], files, shown)
