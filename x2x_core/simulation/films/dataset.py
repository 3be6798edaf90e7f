"""Write pairs drawn on a folder of films, in the layout of simulated pairs (`x2x_core.simulation.layout`)."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

from x2x_core.common.errors import InputError
from x2x_core.common.processes import distribute, processes_for
from x2x_core.common.seeds import FILM, seeded_generator
from x2x_core.common.storage import write_text
from x2x_core.simulation.layout import PARTS, part_file
from x2x_core.simulation.settings import BENCHMARK, SimulationSettings
from x2x_core.simulation.writing import prepare_folder, write_pair, write_tables

from .folder import Film, films_digest, find_films
from .pairs import simulate_film_pairs
from .survey import SURVEY_FILE, Progress, Survey, read_chest, survey_films


def simulate_from_films(
    folder: str | Path,
    out: str | Path,
    settings: SimulationSettings,
    *,
    labels: str | Path | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Survey:
    """Draw lesions on the films of a folder and write the pairs to `out`.

    Every film is looked at first, and those that lesions cannot be drawn on are left out and counted by reason in
    `survey.json`. The pairs are spread evenly over the others; films of one patient go into one split. An interrupted
    run continues when it is started again with the same settings, and ends with the same bytes, whatever the number of
    workers.

    Args:
        folder: radiographs as PNG, JPEG, TIFF or DICOM, see `find_films`.
        out: output folder; created if needed.
        settings: number of pairs, seed, size, wording and the rest.
        labels: table of patients and known findings, see `find_films`: a finding that a film shows already is not drawn
            on it.
        workers: number of processes; ``None`` uses one per core.
        overwrite: replace pairs made with other settings in `out`.
        progress: called with the number of finished pairs, the total and a note.

    Returns:
        The films used, and the number of others by reason.

    Raises:
        InputNotFoundError: there are no films.
        InputError: no film can be used, or `out` contains other files or pairs made with other settings.
    """
    if settings.version == BENCHMARK:
        raise InputError("`version` must be v1, v2 or mixed for films, got 'benchmark'.")
    films, out = find_films(folder, labels), Path(out)
    record = settings.as_record("films") | {"films": {"files": len(films), "sha256": films_digest(films)}}
    prepare_folder(out, record, overwrite)
    survey = survey_films(films, out / PARTS, workers, progress)
    write_text(out / SURVEY_FILE, json.dumps(survey.as_dict(), indent=1) + "\n")
    survey.check(folder)
    shares = _shares(settings.count, len(survey.suitable))
    numbers = [number for number, share in enumerate(shares) if share]
    waiting = [number for number in numbers if not part_file(out, number).is_file()]
    done = settings.count - sum(shares[number] for number in waiting)
    jobs = [(number, survey.suitable[number], shares[number]) for number in waiting]
    for number in distribute(partial(_write_film, settings, out), jobs, processes_for(jobs, workers)):
        done += shares[number]
        if progress:
            progress(done, settings.count, "pairs")
    write_tables(out, len(numbers))
    return survey


def _shares(count: int, films: int) -> list[int]:
    """Spread a number of pairs over films, the first ones one more where it does not divide."""
    return [count // films + (number < count % films) for number in range(films)]


def _write_film(settings: SimulationSettings, out: Path, job: tuple[int, Film, int]) -> int:
    """Draw and write the pairs of one film; return its number."""
    number, film, share = job
    generator = seeded_generator(settings.seed, FILM, number)
    pairs = simulate_film_pairs(
        read_chest(film), generator, pairs=share, size=settings.size, version=settings.version,
        resting=settings.resting, shown=film.findings,
    )  # fmt: skip
    source = hashlib.sha256(film.path.read_bytes()).hexdigest()
    split = _split(film.patient, settings)
    rows: list[dict[str, Any]] = []
    for place, pair in enumerate(pairs):
        row = write_pair(pair, out, (number, place), settings.bits, {"seed": settings.seed, "film_sha256": source})
        rows.append({"split": split, "film_sha256": source, "shown": sorted(film.findings), **row})
    write_text(part_file(out, number), json.dumps(rows))
    return number


def _split(patient: str, settings: SimulationSettings) -> str:
    """Return the split of a patient's films, by a hash of the seed and the patient's name."""
    digest = hashlib.sha256(f"{settings.seed}:{patient}".encode()).digest()
    return "val" if int.from_bytes(digest[:8]) < settings.validation_share * 2**64 else "train"
