"""A reading sheet as a study: all of its pictures, halves side by side, orders by film, and the sheet's key kept."""

import csv
import json

import pytest
import torch

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.reading.sheet import COLUMNS, FORMAT, GAP, PARTS, read_beside
from x2x_core.imaging.files import write_png
from x2x_core.study.design.making import design_study
from x2x_core.study.design.settings import StudySettings
from x2x_core.study.design.sheet_parts import is_sheet


def truth(number, film):
    return {
        "picture": f"{number:03d}.png",
        "kind": "edit",
        "film": film,
        "finding": "edema",
        "side": None,
        "known_findings": [],
    }


KEY = {
    "format": FORMAT, "settings": {"model": "demo"}, "weights_sha256": None, "versions": {},
    "part1": [truth(1, "a"), truth(2, "b"), truth(3, "a"), truth(4, "b")],
    "part2": [{"picture": "001.png", "of": "001.png"}, {"picture": "002.png", "of": "002.png"}],
    "part3": [{"picture": "001.png", "left": "001.png", "right": "003.png", "stronger": "left"}],
}  # fmt: skip


def write_sheet(folder):
    """Write a sheet of KEY whose pictures are plain greys, the right halves darker."""
    left, right = torch.full((1, 16, 24), 0.8), torch.full((1, 16, 24), 0.2)
    for part in PARTS:
        (folder / part).mkdir(parents=True)
        for record in KEY[part]:
            pixels = left if part == "part1" else torch.cat([left, torch.ones(1, 16, GAP), right], dim=2)
            write_png(folder / part / record["picture"], pixels)
        with (folder / f"{part}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([COLUMNS[part], *([record["picture"]] for record in KEY[part])])
    (folder.parent / "key.json").write_text(json.dumps(KEY))
    return folder


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
