"""Analyses of simulated readers whose answers are known: who is right, whose sides were changed, who did not finish."""

import json

import pytest
from study_cases import answer_all, write_small_study

from x2x_core.common.errors import InputError
from x2x_core.study.analysis.findings import overlap, points_into
from x2x_core.study.analysis.run import RECORD, analyse

FINDING = {"finding": "pleural effusion", "box": {"pane": 0, "box": [41, 33, 55, 47]}, "level": "moderate"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysed")
    return folder, *write_small_study(folder, readers=3, checks=1, repeats=1)[1:]


def knowing(study, key, reader):
    """Return the answers of a reader who knows the key, and prefers the edits of "first" wherever they stand."""
    swapped = dict(study.orders[reader]["preference"])

    def answer(part, case):
        record = key["parts"][part][case]
        truth = record["truth"]
        if record["kind"] == "check":
            return record["answers"]
        if part == "realism":
            return {"realism": "6" if truth["method"] else "1"}
        if part == "findings":
            return dict(FINDING) if truth["method"] else {"finding": "none"}
        return {"preferred": "right" if swapped[case] else "left"}  # "first" is on the left in the key

    return answer


def write_answers(made, folder, changes=()):
    _, study, key = made
    folder.mkdir(exist_ok=True)
    for reader in study.readers:
        record = answer_all(study, reader, knowing(study, key, reader))
        for change in changes:
            change(reader, record)
        (folder / f"{reader}.json").write_text(json.dumps(record))
    return folder


def run(made, answers, **more):
    return {one.name: one for one in analyse(made[0] / "study", made[0] / "key.json", answers, **more)}


def test_readers_who_know_the_key_are_right_everywhere(made, tmp_path):
    found = run(made, write_answers(made, tmp_path / "a"))
    realism, findings = found["realism"].record, found["findings"].record
    for reader in ("R1", "R2", "R3"):
        assert realism[reader]["accuracy"]["value"] == realism[reader]["specificity"]["value"] == 1
        of_first = findings["first"][reader]
        assert of_first["right"]["value"] == of_first["pointed"]["value"] == of_first["level"]["value"] == 1
        assert of_first["mean_overlap"] == pytest.approx(14 * 14 / (16 * 16))
        assert findings["first - second"][reader] == {"first": 0, "second": 0, "p": 1}
        assert findings["unedited"][reader]["value"] == 0
        quality = found["quality"].record["realism"][reader]
        assert (quality["checks_passed"], quality["checks"], quality["repeats_alike"]["value"]) == (1, 1, 1)
        assert quality["median_seconds"] == 2.5
    assert realism["kappa"]["value"] == pytest.approx(1)
    assert found["auc"].record["means"]["first"]["value"] == 1
    assert not found["auc"].record["equivalence"]["first"]["equivalent"]


def test_preferences_are_counted_on_the_sides_of_the_key(made, tmp_path):
    swaps = {reader: dict(order["preference"]) for reader, order in made[1].orders.items()}
    assert any(swaps["R1"].values()) and not all(swaps["R1"].values())
    record = run(made, write_answers(made, tmp_path / "a"))["preference"].record
    for reader in ("R1", "R2", "R3"):
        counts = record["first - second"][reader]
        assert (counts["first"], counts["second"], counts["same"]) == (3, 0, 0) and counts["p"] == 0.25


def test_a_reader_who_did_not_finish_a_part_is_left_out_of_it_alone(made, tmp_path):
    def stop(reader, record):
        if reader == "R3":
            record["answers"]["realism"].popitem()

    found = run(made, write_answers(made, tmp_path / "a", [stop]))
    assert set(found["realism"].record) == {"R1", "R2", "means", "kappa"}
    assert set(found["findings"].record["first"]) == {"R1", "R2", "R3", "mean"}
    facts = found["quality"].record["realism"]["R3"]
    assert facts["answered"] == facts["cases"] - 1


def test_failed_checks_and_changed_minds_are_counted(made, tmp_path):
    _, _, key = made
    kinds = {record["kind"]: case for case, record in key["parts"]["realism"].items()}

    def slip(reader, record):
        if reader == "R2":
            cases = record["answers"]["realism"]
            cases[kinds["check"]]["rows"] = [{"realism": "1"}]
            said = cases[kinds["repeat"]]["rows"][0]["realism"]
            cases[kinds["repeat"]]["rows"] = [{"realism": "2" if said == "1" else "5"}]

    facts = run(made, write_answers(made, tmp_path / "a", [slip]))["quality"].record["realism"]
    assert (facts["R2"]["checks_passed"], facts["R2"]["repeats_alike"]["value"]) == (0, 0)
    assert (facts["R1"]["checks_passed"], facts["R1"]["repeats_alike"]["value"]) == (1, 1)


def test_a_single_reader_is_analysed_without_a_comparison(made, tmp_path):
    answers = write_answers(made, tmp_path / "a")
    for reader in ("R2", "R3"):
        (answers / f"{reader}.json").unlink()
    found = run(made, answers)
    assert "comparison" not in found["auc"].record and found["auc"].record["one_shot"] == {
        "first": None,
        "second": None,
    }
    assert "kappa" not in found["realism"].record


def test_the_record_is_json_with_the_settings_and_says_that_it_is_synthetic(made, tmp_path):
    run(made, write_answers(made, tmp_path / "a"), out=tmp_path / "out")
    record = json.loads((tmp_path / "out" / RECORD).read_text(), parse_constant=pytest.fail)
    assert record["about"]["synthetic"] and record["about"]["margin"] == 0.1
    assert record["about"]["settings"]["readers"] == 3
    assert [one["name"] for one in record["sections"]] == ["quality", "findings", "realism", "auc", "preference"]


def test_what_does_not_belong_together_is_refused(made, tmp_path):
    answers = write_answers(made, tmp_path / "a")
    with pytest.raises(InputError, match=r"`margin` must lie between 0 and 0.5, got 0.5"):
        run(made, answers, margin=0.5)
    other = json.loads((made[0] / "key.json").read_text()) | {"study": "other"}
    (tmp_path / "key.json").write_text(json.dumps(other))
    with pytest.raises(InputError, match=r"`key` must be of the study .* but is of other"):
        analyse(made[0] / "study", tmp_path / "key.json", answers)


def test_edits_whose_instruction_cannot_be_read_are_left_out_and_counted(made, tmp_path):
    key = json.loads((made[0] / "key.json").read_text())
    lost = next(
        one for one in key["parts"]["findings"].values() if one["kind"] == "case" and one["truth"]["method"] == "first"
    )
    lost["truth"]["added"] = []
    (tmp_path / "key.json").write_text(json.dumps(key))
    sections = analyse(made[0] / "study", tmp_path / "key.json", write_answers(made, tmp_path / "a"))
    found = next(one for one in sections if one.name == "findings")
    assert "Edits whose instruction cannot be read are left out: 1." in found.notes
    assert {found.record[method]["R1"]["right"]["n"] for method in ("first", "second")} == {2, 3}


def test_too_few_films_leave_the_accuracy_without_an_auc(tmp_path):
    folder = tmp_path
    made = folder, *write_small_study(folder, readers=1, tasks=("realism",), count=1)[1:]
    study = made[1]
    (folder / "answers").mkdir()
    record = answer_all(study, "R1", lambda part, case: {"realism": "6"})
    (folder / "answers" / "R1.json").write_text(json.dumps(record))
    found = run(made, folder / "answers")
    assert "auc" not in found and found["realism"].record["R1"]["accuracy"]["value"] == pytest.approx(2 / 3)


def test_boxes_overlap_by_their_shared_part():
    assert overlap([0, 0, 4, 4], [2, 0, 6, 4]) == pytest.approx(8 / 24)
    assert overlap([0, 0, 4, 4], [0, 0, 4, 4]) == 1 and overlap([0, 0, 1, 1], [2, 2, 3, 3]) == 0
    assert points_into([0, 0, 4, 4], [[1, 1, 3, 3]]) and not points_into([0, 0, 4, 4], [[3, 1, 5, 3]])
