"""Grading by hand: what counts as plain, subtle, not visible and wrong, and what a list must look like."""

import csv
import json

import pytest

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.evaluation.reading.answers import read_answers
from x2x_core.evaluation.reading.grading import grade, read_key
from x2x_core.evaluation.reading.sheet import COLUMNS, FORMAT
from x2x_core.evaluation.reading.table import reading_tables
from x2x_core.evaluation.report.view import View

FLUID, HEART, LUNG = "pleural effusion", "cardiomegaly", "consolidation"


def truth(picture, kind, finding=None, side=None, known=()):
    return {"picture": picture, "kind": kind, "finding": finding, "side": side, "known_findings": list(known)}


PART1 = [
    truth("1", "edit", FLUID, "left"),
    truth("2", "edit", FLUID, "left"),
    truth("3", "edit", FLUID, "right"),
    truth("4", "edit", LUNG, "right", ["edema"]),
    truth("5", "edit", LUNG, "right"),
    truth("6", "removal", HEART, None, [HEART]),
    truth("7", "unedited", None, None, ["pneumonia"]),
    truth("8", "unedited"),
    truth("9", "drawn", FLUID, "left"),
]
PART2 = [{"picture": "1", "of": "2"}, {"picture": "2", "of": "6"}]
PART3 = [{"picture": "1", "left": "1", "right": "2", "stronger": "right"}]
LISTS = {
    "part1": [
        ("1", FLUID, "left", "plain"),
        ("2", "Pleural fluid", "left", "subtle"),  # a synonym
        ("3", FLUID, "left", "plain"),  # the other side
        ("4", "edema", "", "plain"),  # only what the labels name
        ("5", "pneumonia", "right", "subtle"),  # a name alike
        ("5", HEART, "", "subtle"),  # and something else beside it
        ("6", "", "", "nothing"),
        ("7", LUNG, "left", "plain"),  # alike to what the labels name
        ("8", HEART, "", "subtle"),
        ("9", FLUID, "left", "plain"),
    ],
    "part2": [("1", "seam|halo", "worse"), ("2", "none", "nearer")],
    "part3": [("1", "right")],
}


def write(folder, **lists):
    for part, rows in {**LISTS, **lists}.items():
        with (folder / f"{part}.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS[part])
            table.writerows(rows)
    return folder


@pytest.fixture
def key(tmp_path):
    record = {
        "format": FORMAT, "settings": {"model": "demo"}, "weights_sha256": None, "versions": {},
        "part1": PART1, "part2": PART2, "part3": PART3,
    }  # fmt: skip
    (tmp_path / "key.json").write_text(json.dumps(record))
    return read_key(tmp_path / "key.json")


def answers(folder, key):
    return read_answers(folder, {part: set(of_part) for part, of_part in key.parts.items()})


def test_each_kind_of_answer_is_counted_where_it_belongs(tmp_path, key):
    results = grade(key, answers(write(tmp_path), key))
    rows = {row.name: row for row in results.rows}
    edits = rows["edits"].metrics
    counts = {name: (round(metric.value * metric.n), metric.n) for name, metric in edits.items()}
    assert counts == {
        "plain": (1, 5), "subtle": (2, 5), "not_visible": (1, 5), "wrong": (1, 5), "exact": (2, 3), "in_order": (1, 1),
        "artefact": (1, 1),
    }  # fmt: skip
    assert rows["edits"].per_finding[FLUID]["wrong"].value == pytest.approx(1 / 3)
    assert rows["edits"].per_finding[LUNG]["not_visible"].value == 0.5
    removal = {name: metric.value for name, metric in rows["removals"].metrics.items()}
    assert removal == {"still_seen": 0, "artefact": 0, "nearer": 1, "worse": 0}
    assert rows["unedited films"].metrics["false_finding"].value == 0.5
    assert rows["drawn lesions"].metrics["plain"].value == 1
    assert edits["plain"].low == pytest.approx(0.0362, abs=1e-4)  # Wilson's of 1 in 5
    assert results.about["synthetic"] and "not for diagnosis" in results.about["notice"]


def test_the_table_has_a_line_for_each_finding_and_one_for_all(tmp_path, key):
    edits, *_ = reading_tables(View(grade(key, answers(write(tmp_path), key))))
    assert edits[0][:5] == ("edits", "Plain", "Subtle", "Not visible", "Wrong")
    assert [line[0] for line in edits[1:]] == [FLUID, LUNG, "all"]
    assert edits[-1][1] == "1/5 (4 to 62 %)"


def test_parts_that_were_not_filled_in_are_left_out(tmp_path, key):
    write(tmp_path, part2=[("1", "", ""), ("2", "", "")])
    (tmp_path / "part3.csv").unlink()
    edits = grade(key, answers(tmp_path, key)).rows[0].metrics
    assert edits["plain"].n == 5 and edits["artefact"].value is None and edits["in_order"].value is None


def changed(part, number, *row):
    rows = list(LISTS[part])
    rows[number] = row
    return {part: rows}


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        (
            changed("part1", 0, "1", FLUID, "", "plain"),
            "Line 2 of .* one of right, left, bilateral in `side`",
        ),
        (changed("part1", 0, "1", "gout", "left", "plain"), "must name a known finding in `finding`, got 'gout'"),
        (
            changed("part1", 0, "1", FLUID, "left", ""),
            "one of plain, subtle, nothing in `visibility`, got ''",
        ),
        (changed("part1", 0, "1", FLUID, "left", "nothing"), "must have no finding and no side with `nothing`"),
        (changed("part1", 0, "77", FLUID, "left", "plain"), "must name a picture of the key, got '77'"),
        ({"part1": LISTS["part1"][1:]}, "must have a line for every picture, but 1 has none"),
        ({"part1": [(str(n), "", "", "") for n in range(1, 10)]}, "must be filled in, but no line of it is"),
        (changed("part2", 0, "1", "none|seam", "same"), "must have `none` alone in `artefact`"),
        (changed("part2", 0, "1", "smear", "same"), "must have one of none, seam, .* in `artefact`, got 'smear'"),
        (changed("part2", 0, "1", "none", "better"), "must have one of nearer, same, worse in `normal`"),
        (changed("part3", 0, "1", "up"), "must have one of left, right, same in `more`"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_with_its_line(tmp_path, key, lists, words):
    write(tmp_path, **lists)
    with pytest.raises(InputError, match=words):
        answers(tmp_path, key)


def test_missing_lists_columns_and_keys_are_named(tmp_path, key):
    with pytest.raises(InputNotFoundError, match=r"There is no list `part1.csv`"):
        answers(tmp_path / "none", key)
    write(tmp_path)
    (tmp_path / "part1.csv").write_text("picture,finding\n1,edema\n")
    with pytest.raises(InputError, match="but lacks side"):
        answers(tmp_path, key)
    with pytest.raises(InputNotFoundError, match="There is no answer key"):
        read_key(tmp_path / "other.json")
    (tmp_path / "other.json").write_text('{"format": "another"}')
    with pytest.raises(InputError, match="must be the answer key of a reading sheet"):
        read_key(tmp_path / "other.json")
