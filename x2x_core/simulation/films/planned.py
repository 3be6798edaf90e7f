"""Planned pairs on films: a test set that covers every finding, operation, level, side and zone evenly.

The plan is that of simulated test sets (`x2x_core.simulation.plan`), with a film in place of a body. Findings that a
film shows already are left out of its plan, and a triple has all levels of its finding.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from x2x_core.common.errors import InputError
from x2x_core.common.processes import distribute, processes_for
from x2x_core.common.seeds import FILM, seeded_generator
from x2x_core.common.storage import write_text
from x2x_core.simulation.findings import SIMULATED_FINDINGS
from x2x_core.simulation.layout import part_file
from x2x_core.simulation.plan import PLAN_NUMBER, PlannedBody, plan_bodies
from x2x_core.simulation.planned_pairs import planned_scenarios, triple_of
from x2x_core.simulation.settings import BENCHMARK, PAIRS_PER_BODY, SimulationSettings
from x2x_core.simulation.writing import prepare_folder, write_pair, write_tables

from .folder import Film, films_digest
from .pairs import draw_pair
from .selection import in_turn
from .survey import Progress, read_chest


@dataclass(frozen=True)
class PlannedFilm:
    """A film and the pairs that are drawn on it."""

    number: int
    film: Film
    patient: int  # number of its patient among those of the plan
    body: PlannedBody


def plan_films(films: tuple[Film, ...], count: int, seed: int) -> list[PlannedFilm]:
    """Plan pairs on films, `PAIRS_PER_BODY` on each; patients take turns.

    Args:
        films: suitable films.
        count: number of pairs, a multiple of `PAIRS_PER_BODY`.
        seed: of the order of the films and of the plan.

    Raises:
        InputError: there are too few films.
    """
    open_films = [film for film in films if set(SIMULATED_FINDINGS) - film.findings]
    wanted = count // PAIRS_PER_BODY
    if wanted > len(open_films):
        raise InputError(
            f"`count` must be at most {PAIRS_PER_BODY * len(open_films)}, {PAIRS_PER_BODY} pairs for each film that "
            f"can be used, got {count}. Give more films, or a lower count."
        )
    chosen = in_turn(open_films, seeded_generator(seed, FILM, PLAN_NUMBER))[:wanted]
    bodies = plan_bodies(wanted, seed, tuple(film.findings for film in chosen), all_levels=True)
    patients = {patient: number for number, patient in enumerate(dict.fromkeys(film.patient for film in chosen))}
    return [
        PlannedFilm(number, film, patients[film.patient], body)
        for number, (film, body) in enumerate(zip(chosen, bodies))
    ]


def simulate_planned_films(
    films: tuple[Film, ...],
    out: Path,
    settings: SimulationSettings,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Draw planned pairs on films and write them to `out`; an interrupted run continues.

    Args:
        films: suitable films, see `x2x_core.simulation.films.survey.survey_films`.
        out: output folder; created if needed.
        settings: number of pairs, seed, size and bits, with the version "benchmark".
        workers: number of processes; ``None`` uses one per core.
        progress: called with the number of finished pairs and the total.

    Raises:
        InputError: there are too few films, or `out` contains other files or pairs made with other settings.
    """
    if settings.version != BENCHMARK:
        raise InputError(f"`version` must be {BENCHMARK!r} for planned pairs, got {settings.version!r}.")
    planned = plan_films(films, settings.count, settings.seed)
    record = settings.as_record("films") | {"films": {"files": len(films), "sha256": films_digest(films)}}
    prepare_folder(out, record, overwrite=False)
    waiting = [one for one in planned if not part_file(out, one.number).is_file()]
    finished = distribute(partial(_write_film, settings, out), waiting, processes_for(waiting, workers))
    for done, _ in enumerate(finished, len(planned) - len(waiting) + 1):
        if progress:
            progress(done * PAIRS_PER_BODY, settings.count)
    write_tables(out, len(planned))


def _write_film(settings: SimulationSettings, out: Path, planned: PlannedFilm) -> int:
    """Draw and write the pairs of one film; return its number."""
    film, number = planned.film, planned.number
    chest = read_chest(film)
    source = hashlib.sha256(film.path.read_bytes()).hexdigest()
    scenarios = planned_scenarios(planned.body, seeded_generator(settings.seed, FILM, number), film.findings)
    rows = []
    for place, scenario in enumerate(scenarios):
        pair = draw_pair(chest, scenario, settings.size)
        row = write_pair(pair, out, (number, place), settings.bits, {"seed": settings.seed, "film_sha256": source})
        triple = triple_of(planned.body, place)
        origin = {"split": "test", "film_sha256": source, "patient": planned.patient, "triple": triple}
        rows.append({**origin, **row})
    write_text(part_file(out, number), json.dumps(rows))
    return number
