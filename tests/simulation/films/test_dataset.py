"""Pairs drawn on a folder of films: whole, reproducible, and with their truth."""

import csv
import json

import cv2
import numpy as np
import pytest

from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.pairs.layout import read_pair, read_rows
from x2x_core.simulation.attributes import read_attributes
from x2x_core.simulation.change_maps import decode_change
from x2x_core.simulation.films.dataset import simulate_from_films
from x2x_core.simulation.films.folder import find_films
from x2x_core.simulation.settings import SimulationSettings

SETTINGS = SimulationSettings(count=5, seed=3, size=64, validation_share=0)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Two simulated radiographs, one of them in a subfolder, a blank picture and a text."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "more").mkdir()
    sample = cv2.imread(str(bundled_path("sample")), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(folder / "a.png"), cv2.resize(sample, (256, 256), interpolation=cv2.INTER_AREA))
    other = cv2.imread(str(bundled_path("sample").with_name("radiograph-2.png")), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(folder / "more" / "b.png"), cv2.resize(other, (256, 256), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(folder / "blank.png"), np.full((256, 256), 90, np.uint8))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    (folder / "notes.txt").write_text("no film")
    return folder


@pytest.fixture(scope="module")
def made(films, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "pairs"
    return out, simulate_from_films(films, out, SETTINGS, workers=1)


def contents(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_films_that_cannot_be_used_are_counted_by_reason(made):
    out, survey = made
    assert [film.path.name for film in survey.suitable] == ["a.png", "b.png"]
    assert survey.left_out == {"lungs not found with confidence": 1, "not a readable radiograph": 1}
    assert json.loads((out / "survey.json").read_text()) == {
        "films": 4, "suitable": 2, "left_out": survey.left_out,
    }  # fmt: skip


def test_the_pairs_are_in_the_layout_that_training_reads(made):
    out, _ = made
    rows = read_rows(out, "train")
    assert len(rows) == SETTINGS.count
    for row in rows:
        pair = read_pair(row, 64)
        assert pair.shape == (2, 64, 64) and (pair[0] != pair[1]).any() and row.instruction
    attributes = read_attributes(out)
    assert len(attributes) == SETTINGS.count
    assert all(truth.before != truth.after or truth.changes for truth in attributes.values())


def test_the_change_map_is_the_difference_and_exactly_zero_elsewhere(made):
    out, _ = made
    for row in read_rows(out, "train"):
        before, after = read_pair(row, 64)
        values = cv2.imread(str(out / "change" / row.past.name), cv2.IMREAD_UNCHANGED)
        change = decode_change(values)
        assert (change - (after - before)).abs().max() <= 1.01 / 255
        assert (change == 0).float().mean() > 0.2


def test_a_film_without_lesions_is_the_film_itself(made, films):
    out, _ = made
    originals = {}
    for number, name in (("000000", "a.png"), ("000001", "more/b.png")):
        film = cv2.imread(str(films / name), cv2.IMREAD_GRAYSCALE)
        originals[number] = cv2.resize(film, (64, 64), interpolation=cv2.INTER_AREA).astype(float)
    rows = [json.loads(line) for line in (out / "attributes.jsonl").read_text().splitlines()]
    clean = [
        (row["file"], when)
        for row in rows
        for when, side in (("past", "before"), ("current", "after"))
        if not row[side]
    ]
    assert clean
    for name, when in clean:
        image = cv2.imread(str(out / when / name), cv2.IMREAD_GRAYSCALE).astype(float)
        assert np.abs(image - originals[name[:6]]).mean() < 2


def test_nobody_s_file_name_is_in_the_result(made):
    out, _ = made
    for name, data in contents(out).items():
        assert b"a.png" not in data and "b.png" not in name


def test_an_interrupted_run_ends_with_the_same_bytes(made, films, tmp_path):
    out, _ = made
    again = tmp_path / "again"
    simulate_from_films(films, again, SETTINGS, workers=2)
    (again / "parts" / "000001.json").unlink()
    (again / "past" / "000001-0.png").unlink()
    progress = []
    simulate_from_films(films, again, SETTINGS, workers=1, progress=lambda *state: progress.append(state))
    assert contents(again) == contents(out)
    assert progress == [(5, 5, "pairs")]


def test_a_folder_with_other_pairs_is_not_touched(made, films):
    out, _ = made
    before = contents(out)
    with pytest.raises(InputError, match="was made with other settings"):
        simulate_from_films(films, out, SimulationSettings(count=5, seed=4, size=64), workers=1)
    assert contents(out) == before


def test_films_of_one_patient_go_into_one_split_and_known_findings_are_not_drawn(films, tmp_path):
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["Image Index", "Patient ID", "Finding Labels"])
        table.writerow(["a.png", "7", "Effusion|Pneumothorax|Infiltration"])
        table.writerow(["b.png", "7", "No Finding"])
    settings = SimulationSettings(count=24, seed=1, size=64, validation_share=0.5)
    survey = simulate_from_films(films, tmp_path / "out", settings, labels=tmp_path / "labels.csv", workers=1)
    assert survey.suitable[0].findings == {"pleural effusion", "pneumothorax", "lung opacity"}
    assert not survey.suitable[1].findings
    assert survey.left_out == {}, "files that the table does not list are not looked at"
    rows = [json.loads(line) for line in (tmp_path / "out" / "attributes.jsonl").read_text().splitlines()]
    assert len({row["split"] for row in rows}) == 1
    drawn = {
        film: {
            lesion["finding"] for row in rows if row["file"].startswith(film) for lesion in row["before"] + row["after"]
        }
        for film in ("000000", "000001")
    }
    assert not drawn["000000"] & {"pleural effusion", "pneumothorax"} and len(drawn["000001"]) > 4


def test_a_folder_of_which_no_film_can_be_used_is_refused_with_the_reasons(films, tmp_path):
    only = tmp_path / "only"
    only.mkdir()
    (only / "blank.png").write_bytes((films / "blank.png").read_bytes())
    with pytest.raises(InputError, match="none can be used: 1 lungs not found with confidence"):
        simulate_from_films(only, tmp_path / "out", SETTINGS, workers=1)


def test_planned_pairs_are_refused(films, tmp_path):
    with pytest.raises(InputError, match="`version` must be v1, v2 or mixed for films"):
        simulate_from_films(films, tmp_path / "out", SimulationSettings(count=5, version="benchmark"))
    assert not (tmp_path / "out").exists()


def test_missing_folders_tables_and_columns_are_named(films, tmp_path):
    with pytest.raises(InputNotFoundError, match="There is no folder of films"):
        find_films(tmp_path / "none")
    with pytest.raises(InputNotFoundError, match="There is no table of labels"):
        find_films(films, tmp_path / "none.csv")
    (tmp_path / "labels.csv").write_text("name,finding\na.png,Effusion\n")
    with pytest.raises(InputError, match="must have a column `file`, got name, finding"):
        find_films(films, tmp_path / "labels.csv")
    (tmp_path / "labels.csv").write_text("file\nz.png\n")
    with pytest.raises(InputNotFoundError, match="contains no radiographs that"):
        find_films(films, tmp_path / "labels.csv")
