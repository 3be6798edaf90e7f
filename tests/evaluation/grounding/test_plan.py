"""The plan of a grounding audit: cases from images and findings, or from a table; what is refused."""

import pytest
from grounding_cases import write_images

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.grounding.plan import (
    AuditCase,
    GroundingSettings,
    check_plan,
    plan_cases,
    read_questions,
)


def table(folder, text):
    write_images(folder, 2)
    (folder / "questions.csv").write_text(text)
    return folder / "questions.csv"


def test_each_image_is_asked_about_each_finding_and_sides_are_for_findings_that_have_one(tmp_path):
    cases = plan_cases(write_images(tmp_path, 2), ["fluid", "cardiomegaly"], "left")
    assert [(case.image.name, case.question.finding, case.side) for case in cases] == [
        ("0.png", "pleural effusion", "left"), ("0.png", "cardiomegaly", None),
        ("1.png", "pleural effusion", "left"), ("1.png", "cardiomegaly", None),
    ]  # fmt: skip
    assert cases[0].question.text == "Does this chest radiograph show left pleural effusion? Answer with yes or no."


def test_a_table_gives_questions_answers_and_sides(tmp_path):
    text = "image,finding,question,answer,side\n0.png,edema,Any edema?,Yes,\n1.png,effusion,,no,right\n1.png,edema,,,\n"
    first, second, third = read_questions(table(tmp_path, text))
    assert (first.question.text, first.truth, first.side) == ("Any edema?", True, None)
    assert (second.question.finding, second.truth, second.side) == ("pleural effusion", False, "right")
    assert third.truth is None and third.image == tmp_path / "1.png"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image\n0.png\n", "must have the columns image and finding"),
        ("image,finding,age\n0.png,edema,3\n", "must have the columns image and finding"),
        ("image,finding\n", "at least one row"),
        ("image,finding\n9.png,edema\n", "There is no image"),
        ("image,finding\n0.png,nonsense\n", "`finding` must be known ones"),
        ("image,finding,answer\n0.png,edema,maybe\n", "`answer` must be yes, no or empty, got 'maybe'"),
        ("image,finding,side\n0.png,edema,up\n", "`side` must be one of"),
        ("image,finding,keep\n0.png,edema,k.png\n", "There is no keep mask"),
    ],
)
def test_a_table_that_can_t_be_used_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_questions(table(tmp_path, text))


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(InputNotFoundError, match="no table of questions"):
        read_questions(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "other"}, "`mode` must be one of"),
        ({"levels": 2}, "`levels` must be 1 or 3, got 2"),
        ({"seeds": 0}, "`seeds` must be at least 1"),
        ({"background": "none"}, "`background` must be one of"),
        ({"mode": "population"}, "`added` must name the findings"),
        ({"added": ("edema",)}, "be left out in the other modes"),
        ({"mode": "acquisition", "medground": True}, "`medground` must be left out"),
    ],
)
def test_settings_that_can_t_be_used_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        GroundingSettings(**settings)


def test_what_a_test_of_a_shift_needs_is_demanded(tmp_path):
    (image,) = write_images(tmp_path, 1)
    (case,) = plan_cases([image], ["edema"])
    with pytest.raises(InputError, match="`keep_masks` must name what stays"):
        check_plan([case], GroundingSettings(mode="manifestation"))
    with pytest.raises(InputError, match="must have the answer yes"):
        check_plan([AuditCase(image, case.question, truth=False)], GroundingSettings(mode="acquisition"))
