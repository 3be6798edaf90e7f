"""A reading set made with a tiny model: blinded pictures, a key apart, the same again with the same seed."""

import csv
import json

import pytest
import torch
from film_cases import write_films
from tiny_models import make_pipeline, make_scheduler

from x2x_core.common.errors import InputError
from x2x_core.evaluation.reading.answers import read_answers
from x2x_core.evaluation.reading.grading import grade, read_key
from x2x_core.evaluation.reading.plan import ReadingSettings
from x2x_core.evaluation.reading.run import make_reading_set
from x2x_core.evaluation.reading.sheet import check_sheet
from x2x_core.imaging.files import read_image, read_text_chunks
from x2x_core.imaging.provenance import read_provenance
from x2x_core.simulation.films.folder import find_films

SIDE = 96


@pytest.fixture(scope="module")
def load(shared_components):
    return lambda: make_pipeline(**{**shared_components, "scheduler": make_scheduler()})


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = write_films(tmp_path_factory.mktemp("films"), ["a.png", "b.png", "c.png"], SIDE)
    (folder / "labels.csv").write_text("file,findings\na.png,Edema|Infiltration\nb.png,\nc.png,No Finding\n")
    return folder


@pytest.fixture(scope="module")
def settings(films):
    call = {"num_inference_steps": 1}
    labels = str(films / "labels.csv")
    return ReadingSettings(films=str(films), labels=labels, seed=5, films_per_finding=1, call=call)


@pytest.fixture(scope="module")
def made(settings, load, tmp_path_factory):
    out = tmp_path_factory.mktemp("reading")
    found = find_films(settings.films, settings.labels)
    key = make_reading_set(found, out / "sheet", out / "made", settings, load, "ab" * 32)
    return out, json.loads(key.read_text())


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_key_has_every_picture_with_its_truth(made):
    _, key = made
    kinds = [entry["kind"] for entry in key["part1"]]
    assert {kind: kinds.count(kind) for kind in kinds} == {"edit": 16, "removal": 8, "unedited": 2, "drawn": 16}
    assert [entry["picture"] for entry in key["part1"]] == [f"{number:03d}.png" for number in range(1, 43)]
    assert len(key["part2"]) == 24 and len(key["part3"]) == 8
    assert key["weights_sha256"] == "ab" * 32 and key["settings"]["seed"] == 5 and key["synthetic"]
    for entry in key["part1"]:
        made_by_model = entry["kind"] in ("edit", "removal")
        assert (entry["seed"] is not None) == (entry["seconds"] is not None) == made_by_model
        assert len(entry["film_sha256"]) == 64 and entry["film"] in ("a.png", "b.png", "c.png")


def test_the_pictures_are_what_the_key_says(made, films):
    out, key = made
    originals = {name: read_image(films / name).pixels[0] for name in ("a.png", "b.png", "c.png")}
    for entry in key["part1"]:
        picture = read_image(out / "sheet" / "part1" / entry["picture"]).pixels[0]
        same = torch.equal(picture, originals[entry["film"]])
        assert picture.shape[-2:] == (SIDE, SIDE) and (same or entry["kind"] != "unedited")
        assert not same or entry["kind"] != "drawn"
    by_picture = {entry["picture"]: entry for entry in key["part1"]}
    for record in key["part2"]:
        beside = read_image(out / "sheet" / "part2" / record["picture"]).pixels[0]
        entry = by_picture[record["of"]]
        edited = read_image(out / "sheet" / "part1" / entry["picture"]).pixels[0]
        assert torch.equal(beside[..., -SIDE:], edited)
        assert torch.equal(beside[..., :SIDE], originals[entry["film"]]) == (entry["lesion"] is None)
    for record in key["part3"]:
        left, right = by_picture[record["left"]], by_picture[record["right"]]
        strong, weak = (left, right) if record["stronger"] == "left" else (right, left)
        assert strong["level"] in ("large", "severe") and weak["level"] == "moderate" and left["film"] == right["film"]
    assert {record["stronger"] for record in key["part3"]} == {"left", "right"}


def test_nothing_in_the_sheet_tells_one_picture_from_another(made):
    sheet = made[0] / "sheet"
    pictures = sorted(sheet.rglob("*.png"))
    assert len({tuple(sorted(read_text_chunks(path).items())) for path in pictures}) == 1
    assert read_provenance(pictures[0]) | {"software": ""} == {"synthetic": True, "software": "", "parameters": {}}
    for name, data in contents(sheet).items():
        assert not any(word in data for word in (b"a.png", b"moderate", b"Add the")), name
    with (sheet / "part1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 42 and all(not any(value for name, value in row.items() if name != "picture") for row in rows)
    assert "not for diagnosis" in " ".join((sheet / "README.txt").read_text().split())


def test_the_same_seed_gives_the_same_sheet_and_a_stopped_run_continues(made, settings, load, tmp_path):
    out, key = made
    found = find_films(settings.films, settings.labels)
    (out / "made" / "pictures" / "0003.json").unlink()
    make_reading_set(found, tmp_path / "sheet", out / "made", settings, load, "ab" * 32)
    assert contents(tmp_path / "sheet") == contents(out / "sheet")
    again = json.loads((out / "made" / "key.json").read_text())
    for record in (key, again):
        for entry in record["part1"]:
            entry.pop("seconds", None)
    assert again == key


def test_a_sheet_that_was_filled_in_is_graded(made):
    out, key = made
    filled = out / "filled"
    filled.mkdir()
    lines = {
        "part1": ["picture,finding,side,visibility"],
        "part2": ["picture,artefact,normal"],
        "part3": ["picture,more"],
    }
    for entry in key["part1"]:
        named = f"{entry['finding']},{entry['side'] or ''},plain"
        answer = named if entry["kind"] in ("edit", "drawn") else ",,nothing"
        lines["part1"].append(f"{entry['picture']},{answer}")
    lines["part2"] += [f"{record['picture']},none,nearer" for record in key["part2"]]
    lines["part3"] += [f"{record['picture']},{record['stronger']}" for record in key["part3"]]
    for part, text in lines.items():
        (filled / f"{part}.csv").write_text("\n".join(text) + "\n")
    answer_key = read_key(out / "made" / "key.json")
    results = grade(answer_key, read_answers(filled, answer_key.parts))
    rows = {row.name: {key: metric.value for key, metric in row.metrics.items()} for row in results.rows}
    assert rows["edits"] == {
        "plain": 1, "subtle": 0, "not_visible": 0, "wrong": 0, "exact": 1, "in_order": 1, "artefact": 0,
    }  # fmt: skip
    assert rows["removals"]["nearer"] == 1 and rows["unedited films"]["false_finding"] == 0


def test_a_folder_in_use_another_set_and_a_key_in_the_sheet_are_refused(made, settings, load, tmp_path):
    out, _ = made
    found = find_films(settings.films, settings.labels)
    with pytest.raises(InputError, match="`reading_sheet` must be an empty folder"):
        make_reading_set(found, out / "sheet", tmp_path / "made", settings, load)
    with pytest.raises(InputError, match="was made with another weights_sha256"):
        make_reading_set(found, tmp_path / "sheet", out / "made", settings, load, "cd" * 32)
    with pytest.raises(InputError, match="must not hold the answer key"):
        check_sheet(tmp_path / "sheet", tmp_path / "sheet" / "reading" / "key.json")
