"""Making a study: blinded pictures and names, all kinds of cases, a key apart, readable again, errors."""

import json

import cv2
import numpy as np
import pytest
from study_cases import EFFUSION, PNEUMOTHORAX, write_edit, write_results

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.imaging.files import read_text_chunks
from x2x_core.study.definition import DEFINITION, PICTURES, read_study
from x2x_core.study.design.collection import boxes_of, collect
from x2x_core.study.design.making import check_places, design_study, read_study_key, write_study
from x2x_core.study.design.parts import study_level
from x2x_core.study.design.questions import Task
from x2x_core.study.design.settings import StudySettings

ALL = tuple(Task)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    settings = StudySettings(readers=3, tasks=ALL, training=2, checks=1, repeats=2, seed=4)
    made = design_study(results, settings)
    write_study(made, out / "study", out / "key.json")
    return out, made


def kinds(key, part):
    records = [record["kind"] for record in key["parts"][part].values()]
    return {kind: records.count(kind) for kind in records}


def test_each_part_has_its_cases_training_checks_and_repeats(written):
    out, made = written
    key = read_study_key(out / "key.json")
    # 4 films are left, each unedited and edited by two methods
    assert kinds(key, "realism") == {"case": 12, "training": 2, "check": 1, "repeat": 2}
    assert kinds(key, "findings") == {"case": 12, "training": 4, "check": 1, "repeat": 2}
    assert kinds(key, "preference") == {"case": 4, "check": 1, "repeat": 2}
    assert [part.name for part in made.study.parts] == ["findings", "realism", "preference"]
    for order in made.study.orders.values():
        assert len(order["realism"]) == 15  # training has an order of its own


def test_the_definition_is_read_as_it_was_made_and_names_no_truth(written):
    out, made = written
    assert read_study(out / "study") == made.study
    record = json.loads((out / "study" / DEFINITION).read_text())
    for part in record["parts"]:
        for training in part.pop("training"):
            assert training["explanation"]
    shown = json.dumps({**record, "parts": [{**part, "cases": None} for part in record["parts"]]})
    for word in ("first", "second", "films", "edited.png"):
        assert f'"{word}"' not in shown
    captions = {case["caption"] for part in record["parts"] for case in part["cases"].values()}
    assert captions == {"", EFFUSION}  # the two edits of a pair have one instruction


def test_pictures_differ_in_nothing_but_their_pixels(written):
    out, made = written
    files = sorted((out / "study" / PICTURES).iterdir())
    assert {path.name for path in files} == made.study.picture_names
    assert len({tuple(sorted(read_text_chunks(path).items())) for path in files}) == 1
    assert {cv2.imread(str(path), cv2.IMREAD_UNCHANGED).dtype for path in files} == {np.dtype("uint8")}


def test_training_films_appear_in_no_other_case(written):
    key = read_study_key(written[0] / "key.json")
    for records in key["parts"].values():
        sources = {
            kind: {record["truth"].get("source") for record in records.values() if record["kind"] == kind}
            for kind in ("case", "training")
        }
        assert not sources["case"] & sources["training"]


def test_a_repeat_shows_the_picture_of_its_case_and_a_check_says_what_to_answer(written):
    out, made = written
    key = read_study_key(out / "key.json")
    part = made.study.part("realism")
    for name, record in key["parts"]["realism"].items():
        if record["kind"] == "repeat":
            assert part.cases[name].pictures == part.cases[record["of"]].pictures
        if record["kind"] == "check":
            assert record["answers"] == {"realism": "5"}
            picture = cv2.imread(str(out / "study" / PICTURES / part.cases[name].pictures[0]), cv2.IMREAD_GRAYSCALE)
            assert (picture == 0).sum() > 100  # the dark band behind the text


def test_the_same_seed_makes_the_same_study(results, written):
    settings = StudySettings(readers=3, tasks=ALL, training=2, checks=1, repeats=2, seed=4)
    again = design_study(results, settings)
    assert again.study == written[1].study and again.key == written[1].key
    other = design_study(results, StudySettings(readers=3, tasks=ALL, training=2, checks=1, repeats=2, seed=5))
    assert other.study.study != again.study.study


def test_truths_of_edits_are_their_instructions_and_masks(results):
    edits = [picture for picture in collect(results) if picture.edited]
    assert {picture.method for picture in edits} == {"first", "second"}
    assert {(picture.added, picture.removed, picture.level) for picture in edits} == {
        (("pleural effusion",), (), "moderate")
    }
    assert {picture.boxes for picture in edits} == {((40, 32, 56, 48),)}
    assert study_level("large") == "severe" and study_level("small") == "mild"


def test_one_instruction_of_a_film_is_read_unless_more_are_wanted(tmp_path):
    folder = write_results(tmp_path, films=2, methods=("only",))
    write_edit(folder / "only" / "more", folder / "films" / "0.png", PNEUMOTHORAX, 10)
    for edits, cases in ((1, 4), (2, 5)):
        made = design_study(folder, StudySettings(tasks=(Task.REALISM,), edits_per_film=edits))
        assert len(made.study.parts[0].cases) == cases


def test_boxes_are_around_the_parts_of_a_region():
    region = np.zeros((20, 30), bool)
    region[2:5, 4:9] = region[10:18, 20:30] = True
    assert boxes_of(region) == ((20, 10, 30, 18), (4, 2, 9, 5))
    assert boxes_of(np.zeros((4, 4), bool)) == boxes_of(None) == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"readers": 0}, "`readers` must lie between 1 and 200, got 0"),
        ({"count": 0}, "`count` must be at least 1, got 0"),
        ({"checks": -1}, "`checks` must not be negative, got -1"),
        ({"consent": " "}, "`consent` must not be empty"),
        ({"tasks": ()}, "`tasks` must name at least one task"),
        ({"tasks": (Task.WHERE,)}, "`tasks` must name finding with where or level"),
    ],
)
def test_settings_out_of_range_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        StudySettings(**settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"training": 6}, "`training` must leave films to read"),
        ({"repeats": 99}, "`repeats` must be at most the number of cases, 18 in findings"),
    ],
)
def test_more_than_there_is_is_refused(results, settings, words):
    with pytest.raises(InputError, match=words):
        design_study(results, StudySettings(**settings))


def test_tasks_that_the_pictures_do_not_allow_are_refused(tmp_path):
    folder = write_results(tmp_path / "one", films=2, methods=("only",))
    with pytest.raises(InputError, match=r"`tasks` must not name preference unless .* but the methods are only"):
        design_study(folder, StudySettings(tasks=(Task.PREFERENCE,)))
    for film in (folder / "films").iterdir():
        film.unlink()
    with pytest.raises(InputError, match="`tasks` must not name realism unless there are edits and unedited"):
        design_study(folder, StudySettings(tasks=(Task.REALISM,)))


def test_folders_without_edits_and_broken_records_are_refused(tmp_path):
    with pytest.raises(InputNotFoundError, match="There is no folder"):
        collect(tmp_path / "none")
    with pytest.raises(InputError, match="must hold edits"):
        collect(tmp_path)
    write_results(tmp_path, films=1, methods=("only",))
    (tmp_path / "only" / "0" / "result.json").write_text("{}")
    with pytest.raises(InputError, match="must be a record of `x2x edit`"):
        collect(tmp_path)


def test_the_key_stays_out_of_the_study_and_nothing_is_replaced(tmp_path):
    with pytest.raises(InputError, match="`key` must not lie in the study"):
        check_places(tmp_path / "study", tmp_path / "study" / "key.json")
    (tmp_path / "key.json").write_text("{}")
    with pytest.raises(InputError, match="`key` must not exist yet"):
        check_places(tmp_path / "study", tmp_path / "key.json")
    with pytest.raises(InputError, match="`out` must be an empty folder"):
        check_places(tmp_path, tmp_path.parent / "key.json")
    with pytest.raises(InputError, match="must be the key of a study"):
        read_study_key(tmp_path / "key.json")
    with pytest.raises(InputNotFoundError, match="There is no key"):
        read_study_key(tmp_path / "none.json")
    with pytest.raises(InputNotFoundError, match="There is no study"):
        read_study(tmp_path)
    (tmp_path / DEFINITION).write_text('{"format": "another"}')
    with pytest.raises(InputError, match="must hold a study"):
        read_study(tmp_path)
