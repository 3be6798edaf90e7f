"""The benchmark on films: pairs drawn on real radiographs, with exact truth.

The same engine, rows and measures as in the simulated benchmark, and:

- the row `OURS_GIVEN`, ours inside the true region: "closer to truth" is read there, since a lesion drawn sharply in
  another plausible place is further from one truth than a veil over all places;
- *undo*, the share of the change that is left after adding and removing;
- triples have all levels of their finding;
- shares have Wilson's intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from x2x_core.common.run_folder import claim_folder
from x2x_core.edit.settings import MASK_FINDING
from x2x_core.evaluation.metrics.measure import Measure
from x2x_core.simulation.films.folder import films_digest, find_films
from x2x_core.simulation.films.planned import simulate_planned_films
from x2x_core.simulation.films.survey import Survey, survey_films
from x2x_core.simulation.settings import PAIRS_PER_BODY

from .measures import LEVELS, MEASURES, UNDO
from .plan import PAIRS
from .rows import OURS, OURS_GIVEN, PUBLISHED_RSE, Row
from .settings import BenchmarkText, PairSettings

FILMS, SOURCE = "films", "source.json"  # folder of the verdicts on the films in that of a run; which films
MOST_FILMS = 80  # by default: as many as give each of eight findings four series of levels
NOTICE = (
    "Lesions drawn by a program on real films, and edits of these films: synthetic images, for research, not for "
    "diagnosis. The pictures show real films: keep them where the films are kept."
)
SHOWN = (
    "closer", "direction", "in_region", "amount", "undo", "monotone", "mse_ratio", "change_outside", "editable_share",
    "ordered", "structure",
)  # fmt: skip
_BEFORE_LEVELS = [measure.group for measure in MEASURES].index(LEVELS)


@dataclass(frozen=True)
class FilmSettings(PairSettings):
    """Settings of the benchmark on films."""

    text: ClassVar[BenchmarkText] = BenchmarkText(
        kind="benchmark on films",
        title="Benchmark on films",
        notice=NOTICE,
        body="film",
        drawn="patients; of shares over single pairs: 95 % Wilson",
        triple="all levels",
        shown=SHOWN,
        compared=(OURS, OURS_GIVEN, PUBLISHED_RSE),
    )
    fewest_peers: ClassVar[int] = 0
    measures: ClassVar[tuple[Measure, ...]] = (*MEASURES[:_BEFORE_LEVELS], UNDO, *MEASURES[_BEFORE_LEVELS:])
    unread: ClassVar[str] = "the bundled networks know simulated radiographs alone"
    wilson: ClassVar[bool] = True

    films: str = ""  # folder
    labels: str | None = None  # table of patients and findings

    def rows(self, pipeline) -> tuple[Row, ...]:
        """Return the rows of the simulated benchmark, ours with undo, and ours inside the true region."""
        rows: list[Row] = []
        for row in super().rows(pipeline):
            rows.append(replace(row, undo=True) if row.name == OURS else row)
            if row.name == OURS:
                kept = {name: value for name, value in row.arguments.items() if name not in MASK_FINDING}
                note = "the pipeline's default inside the true region, given as `guidance_mask`"
                rows.append(Row(OURS_GIVEN, note, kept, given_truth=True, is_peer=False))
        return tuple(rows)

    def make_pairs(self, out: Path, workers: int | None, progress: Callable[..., None]) -> None:
        """Draw the pairs on the films, see `PairSettings.make_pairs`."""
        suitable = survey_folder(self.films, self.labels, out, workers, None).suitable
        simulate_planned_films(suitable, out / PAIRS, self.simulation, workers=workers, progress=progress)


def survey_folder(
    films: str | Path, labels: str | Path | None, out: Path, workers: int | None, progress: Callable[..., None] | None
) -> Survey:
    """Check the films of a folder, or read the verdicts of an earlier run in the same folder.

    Args:
        films: the folder.
        labels: table of patients and findings, see `x2x_core.simulation.films.folder.find_films`.
        out: the run's folder.
        workers: number of processes; ``None`` uses one per core.
        progress: called with the films checked and in all.

    Raises:
        InputNotFoundError: there are no films, or no table of labels.
        InputError: no film can be used, or `out` holds a run on other films.
    """
    found = find_films(films, labels)
    claim_folder(out / FILMS, SOURCE, {"films": len(found), "sha256": films_digest(found)}, run="run on these films")
    survey = survey_films(found, out / FILMS, workers, progress)
    survey.check(films)
    return survey


def most_pairs(survey: Survey) -> int:
    """Return the default number of pairs: `PAIRS_PER_BODY` for each film, for at most `MOST_FILMS` of them."""
    return PAIRS_PER_BODY * min(MOST_FILMS, len(survey.suitable))
