"""Files of answers: read back, the newest of each reader, and everything that does not fit is refused."""

import copy
import json

import pytest
from study_cases import answer_all, write_small_study

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.study.answers import check_answers, read_answers_of

ROWS = {
    "findings": {"finding": "edema", "box": {"pane": 0, "box": [1, 2, 30, 40]}, "level": "mild"},
    "realism": {"realism": "6"},
    "preference": {"preferred": "left"},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_small_study(tmp_path_factory.mktemp("answers"))[1]


@pytest.fixture
def record(study):
    return answer_all(study, "R2", lambda part, case: ROWS[part])


def test_answers_are_read_by_part_and_case(study, record):
    answers = check_answers(json.loads(json.dumps(record)), study)
    assert (answers.reader, answers.revision, answers.complete) == ("R2", 1, True)
    first = next(iter(answers.answers["findings"].values()))
    assert first.rows == (ROWS["findings"],) and first.seconds == 2.5


def test_of_several_files_of_a_reader_the_newest_revision_counts(study, record, tmp_path):
    for revision in (3, 9, 4):
        (tmp_path / f"copy-{revision}.json").write_text(json.dumps({**record, "revision": revision}))
    (tmp_path / "first.json").write_text(json.dumps({**record, "reader": "R1"}))
    assert [(one.reader, one.revision) for one in read_answers_of(tmp_path, study)] == [("R1", 1), ("R2", 9)]
    assert [one.revision for one in read_answers_of(tmp_path / "copy-4.json", study)] == [4]


def test_two_readings_under_one_code_are_not_taken_for_copies_of_one(study, record, tmp_path):
    for name, at, revision in (("a", "10:00", 3), ("b", "10:00", 9)):
        (tmp_path / f"{name}.json").write_text(json.dumps({**record, "revision": revision, "consent": {"at": at}}))
    assert [one.revision for one in read_answers_of(tmp_path, study)] == [9]
    (tmp_path / "c.json").write_text(json.dumps({**record, "revision": 9, "consent": {"at": "11:00"}}))
    with pytest.raises(
        InputError, match=r"b\.json` and `.*c\.json` are two readings under the code R2, begun at 10:00"
    ):
        read_answers_of(tmp_path, study)


def changed(record, part, row):
    record = copy.deepcopy(record)
    next(iter(record["answers"][part].values()))["rows"] = [row]
    return record


@pytest.mark.parametrize(
    ("part", "row"),
    [
        ("realism", {"realism": "7"}),
        ("realism", {"realism": ["6"]}),
        ("realism", {}),
        ("realism", {"realism": "6", "level": "mild"}),
        ("findings", {"finding": "none", "level": "mild"}),
        ("findings", {**ROWS["findings"], "box": {"pane": 0, "box": [5, 5, 5, 9]}}),
        ("findings", {**ROWS["findings"], "box": {"pane": 3, "box": [1, 2, 3, 4]}}),
        ("findings", {**ROWS["findings"], "box": {"pane": 0, "box": [1, 2, "3", 4]}}),
        ("findings", {"finding": "edema", "level": "mild"}),
    ],
)
def test_rows_that_do_not_fit_the_questions_are_refused(study, record, part, row):
    with pytest.raises(InputError, match=f"Answers to {part} "):
        check_answers(changed(record, part, row), study)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "must have the format x2x-answers-1"),
        ({"study": "other"}, "are to 'other'"),
        ({"reader": "R9"}, "`reader` must be one of R1, R2, got 'R9'"),
        ({"revision": True}, "`revision` must be a whole number"),
        ({"answers": []}, "answers must be a mapping"),
        ({"answers": {"other": {}}}, "must be to parts of the study, got 'other'"),
        ({"answers": {"realism": {"c999": {}}}}, "realism 'c999' must be to a case of the study"),
    ],
)
def test_other_records_are_refused(study, record, change, words):
    with pytest.raises(InputError, match=words):
        check_answers({**record, **change}, study)


def test_rows_and_times_must_be_there(study, record):
    case = next(iter(record["answers"]["realism"].values()))
    for change in ({"rows": []}, {"rows": [{}, {}]}, {"seconds": -1}, {"visits": 0}, {"seconds": float("nan")}):
        broken = {**record, "answers": {"realism": {next(iter(record["answers"]["realism"])): {**case, **change}}}}
        with pytest.raises(InputError, match="must have"):
            check_answers(broken, study)


def test_folders_without_answers_and_broken_files_are_named(study, tmp_path):
    with pytest.raises(InputNotFoundError, match="There are no answers in"):
        read_answers_of(tmp_path, study)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"a.json` must be a file of answers"):
        read_answers_of(tmp_path, study)
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(InputError, match=r"a.json`: Answers must have the format"):
        read_answers_of(tmp_path, study)
