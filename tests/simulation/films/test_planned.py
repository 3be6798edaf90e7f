"""Planned pairs on films: patients in turn, all levels on one film, and nothing that a film shows already."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from film_cases import write_films

from x2x_core.common.errors import InputError
from x2x_core.imaging.files import read_image
from x2x_core.simulation.films.folder import Film
from x2x_core.simulation.films.planned import plan_films, simulate_planned_films
from x2x_core.simulation.films.selection import in_turn
from x2x_core.simulation.findings import SIMULATED_FINDINGS, levels_of
from x2x_core.simulation.plan import plan_bodies
from x2x_core.simulation.settings import BENCHMARK, SimulationSettings

SETTINGS = SimulationSettings(count=10, seed=3, size=64, version=BENCHMARK, bits=16)


def film(name, patient, *findings):
    return Film(Path(name), patient, frozenset(findings))


def test_each_patient_has_a_turn_before_one_has_a_second():
    films = [film(f"{patient}{number}", patient) for patient in "abc" for number in range(3)]
    order = in_turn(films, torch.Generator().manual_seed(0))
    assert sorted(film.path for film in order) == [film.path for film in films]
    for start in (0, 3, 6):
        assert {film.patient for film in order[start : start + 3]} == set("abc")
    assert order == in_turn(films, torch.Generator().manual_seed(0)) != in_turn(films, torch.Generator().manual_seed(1))


def test_what_a_film_shows_is_not_planned_for_it():
    shown = frozenset(SIMULATED_FINDINGS[:3]), frozenset(), frozenset(SIMULATED_FINDINGS[1:])
    bodies = plan_bodies(3, 5, shown)
    for body, findings in zip(bodies, shown):
        assert len(body.cells) == 5 and not findings & {cell.finding for cell in body.cells}
    with pytest.raises(InputError, match="`shown` must leave a finding"):
        plan_bodies(1, 5, (frozenset(SIMULATED_FINDINGS),))


def test_a_series_has_all_levels_of_its_finding():
    series = [body for body in plan_bodies(20, 5, all_levels=True) if body.triple is not None]
    assert {body.cells[0].finding for body in series} == set(SIMULATED_FINDINGS)
    for body in series:
        members = body.cells[: body.series]
        assert tuple(cell.level for cell in members) == levels_of(members[0].finding)
        assert len({(cell.finding, cell.side, cell.zone) for cell in members}) == 1


def test_films_are_counted_and_patients_numbered():
    films = (film("a", "x"), film("b", "y"), film("c", "x"), film("d", "z", *SIMULATED_FINDINGS))
    planned = plan_films(films, 15, 1)
    assert {one.film.path.name for one in planned} == {"a", "b", "c"}
    assert [one.patient for one in planned[:2]] == [0, 1] and planned[2].patient in (0, 1)
    with pytest.raises(InputError, match="`count` must be at most 15, 5 pairs for each film"):
        plan_films(films, 20, 1)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = write_films(tmp_path_factory.mktemp("films"), ["a.png", "b.png"])
    return film(folder / "a.png", "1", "edema"), film(folder / "b.png", "2")


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_pairs_of_a_series_share_the_film_and_grow(films, tmp_path):
    simulate_planned_films(films, tmp_path / "out", SETTINGS, workers=1)
    rows = [json.loads(line) for line in (tmp_path / "out" / "attributes.jsonl").read_text().splitlines()]
    assert len(rows) == 10 and {row["split"] for row in rows} == {"test"} and {row["patient"] for row in rows} == {0, 1}
    series = [row for row in rows if row["triple"] == 0]
    before, after = (
        [read_image(tmp_path / "out" / part / row["file"]).pixels for row in series] for part in ("past", "current")
    )
    assert len(series) >= 3 and all(torch.equal(one, before[0]) for one in before)
    energies = [float((image - before[0]).square().sum()) for image in after]
    assert energies == sorted(energies) and energies[0] > 0
    digest = hashlib.sha256(films[0].path.read_bytes()).hexdigest()  # of the film that shows edema
    lesions = [lesion for row in rows if row["film_sha256"] == digest for lesion in (*row["before"], *row["after"])]
    assert lesions and "edema" not in {lesion["finding"] for lesion in lesions}


def test_an_interrupted_run_ends_with_the_same_bytes(films, tmp_path):
    for name in ("once", "again"):
        simulate_planned_films(films, tmp_path / name, SETTINGS, workers=1)
    (tmp_path / "again" / "parts" / "000001.json").unlink()
    (tmp_path / "again" / "past" / "000001-0.png").unlink()
    progress = []
    simulate_planned_films(
        films, tmp_path / "again", SETTINGS, workers=1, progress=lambda *state: progress.append(state)
    )
    assert contents(tmp_path / "again") == contents(tmp_path / "once") and progress == [(10, 10)]


def test_drawn_pairs_are_refused(films, tmp_path):
    with pytest.raises(InputError, match="`version` must be 'benchmark' for planned pairs, got 'v2'"):
        simulate_planned_films(films, tmp_path / "out", SimulationSettings(10, version="v2"))
