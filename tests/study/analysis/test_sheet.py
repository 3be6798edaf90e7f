"""A sheet that was read as a study is graded as its filled lists are."""

import json

import pytest
from sheet_cases import KEY, write_sheet
from study_cases import answer_all

from x2x_core.evaluation.reading.answers import read_answers
from x2x_core.evaluation.reading.grading import grade, read_key
from x2x_core.evaluation.reading.sheet import PARTS
from x2x_core.study.analysis.run import LISTS, analyse
from x2x_core.study.definition import read_study
from x2x_core.study.design.making import design_study, read_study_key, write_study
from x2x_core.study.design.settings import StudySettings


@pytest.fixture
def made(tmp_path):
    write_sheet(tmp_path / "sheet")
    settings = StudySettings(readers=2, checks=1, repeats=1)
    write_study(
        design_study(tmp_path / "sheet", settings, tmp_path / "key.json"), tmp_path / "study", tmp_path / "own.json"
    )
    return tmp_path


def answering(study, key, reader):
    swapped = dict(study.orders[reader]["part3"])

    def answer(part, case):
        picture = key["parts"][part][case]["truth"].get("picture")
        if part == "part1":
            return (
                {"visibility": "plain", "finding": "edema"}
                if picture in ("001.png", "002.png")
                else {"visibility": "nothing"}
            )
        if part == "part2":
            return {"artefact": ["seam", "halo"], "normal": "worse", "remark": "dark\nrim"}
        return {"more": "right" if swapped[case] else "left"}  # the picture that stands left on the sheet

    return answer


def test_the_lists_are_filled_in_and_graded(made):
    study, key = read_study(made / "study"), read_study_key(made / "own.json")
    (made / "answers").mkdir()
    for reader in study.readers:
        record = answer_all(study, reader, answering(study, key, reader))
        (made / "answers" / f"{reader}.json").write_text(json.dumps(record))
    sections = {one.name: one for one in analyse(made / "study", made / "own.json", made / "answers", out=made / "out")}
    for reader in study.readers:
        lists = made / "out" / LISTS / reader
        assert (lists / "part1.csv").read_text().splitlines()[1:] == [
            "001.png,edema,,plain,", "002.png,edema,,plain,", "003.png,,,nothing,", "004.png,,,nothing,",
        ]  # fmt: skip
        assert (lists / "part2.csv").read_text().splitlines()[1] == "001.png,seam|halo,worse,dark rim"
        assert (lists / "part3.csv").read_text().splitlines()[1:] == ["001.png,left,"]
        sheet_key = read_key(made / "key.json")
        results = grade(sheet_key, read_answers(lists, {part: {one["picture"] for one in KEY[part]} for part in PARTS}))
        assert sections[f"sheet_{reader}"].record == results.as_dict()
        edits = results.rows[0].metrics
        assert (edits["plain"].value, edits["in_order"].value, edits["artefact"].value) == (0.5, 1, 1)
    assert sections["sheet_agreement"].record["part1: finding"]["value"] == pytest.approx(1)
