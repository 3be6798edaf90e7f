"""A reading sheet as a study: all of its pictures, halves side by side, orders by film, and the sheet's key kept."""

import pytest
import torch
from sheet_cases import KEY, write_sheet

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.reading.sheet import COLUMNS, read_beside
from x2x_core.study.design.making import design_study
from x2x_core.study.design.settings import StudySettings
from x2x_core.study.design.sheet_parts import is_sheet


@pytest.fixture
def sheet(tmp_path):
    return write_sheet(tmp_path / "sheet")


def test_a_study_of_a_sheet_has_its_parts_pictures_and_key(sheet, tmp_path):
    made = design_study(sheet, StudySettings(readers=2, repeats=1), tmp_path / "key.json")
    assert is_sheet(sheet) and not is_sheet(tmp_path)
    assert [(part.name, part.panes, len(part.cases)) for part in made.study.parts] == [
        ("part1", 1, 5), ("part2", 2, 3), ("part3", 2, 2),
    ]  # fmt: skip
    for part in made.study.parts:
        named = {question.name for question in part.questions}
        assert named == set(COLUMNS[part.name]) - {"picture"}
    pictures = [record["truth"].get("picture") for record in made.key["parts"]["part1"].values()]
    assert set(pictures) == {record["picture"] for record in KEY["part1"]}
    assert made.key["sheet"] == KEY


def test_only_two_levels_change_sides_for_before_and_after_have_a_direction(sheet, tmp_path):
    made = design_study(sheet, StudySettings(readers=2), tmp_path / "key.json")
    swapped = {
        part: {turned for order in made.study.orders.values() for _, turned in order[part]}
        for part in ("part2", "part3")
    }
    assert swapped == {"part2": {False}, "part3": {False, True}}


def test_halves_are_read_without_the_gap(sheet):
    left, right = read_beside(sheet / "part2" / "001.png")
    assert left.shape == right.shape == (1, 16, 24)
    assert torch.equal(left, torch.full((1, 16, 24), 204 / 255)) and torch.equal(
        right, torch.full((1, 16, 24), 51 / 255)
    )


def test_what_does_not_belong_together_is_refused(sheet, tmp_path):
    with pytest.raises(InputError, match="`sheet_key` is required"):
        design_study(sheet, StudySettings())
    with pytest.raises(InputError, match="`training` must be 0 for a reading sheet"):
        design_study(sheet, StudySettings(training=1), tmp_path / "key.json")
    with pytest.raises(InputError, match="`sheet_key` must be left out"):
        design_study(tmp_path, StudySettings(), tmp_path / "key.json")
    (sheet / "part1" / "009.png").write_bytes((sheet / "part1" / "001.png").read_bytes())
    with pytest.raises(InputError, match=r"`sheet_key` must be the key of .* names no part1/009.png"):
        design_study(sheet, StudySettings(), tmp_path / "key.json")
    (sheet / "part1" / "009.png").unlink()
    (sheet / "part1" / "001.png").unlink()
    with pytest.raises(InputNotFoundError, match=r"lacks 001.png, which the key names"):
        design_study(sheet, StudySettings(), tmp_path / "key.json")
