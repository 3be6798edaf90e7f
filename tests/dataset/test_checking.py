"""Checking a dataset: a complete one, the authors' release, and every kind of problem."""

import csv
import json
import shutil

import cv2
import numpy as np
import pytest

from x2x_core.dataset.checking import check_dataset

COLUMNS = ("split", "instruction", "past_dicom_id", "current_dicom_id")


@pytest.fixture
def authors(tmp_path):
    """A dataset as the authors publish theirs: three files of the layout and no more, JPEG, ids as file names."""
    folder = tmp_path / "authors"
    rows = [("train", "Add the finding of edema.", "a.jpg", "b.jpg"),
            ("train", "Remove the findings of edema and pneumonia.", "c.jpg", "b.jpg"),
            ("test", "Change the level of pleural effusion from small to large.", "d.jpg", "e.jpg")]  # fmt: skip
    values = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    for part, names in (("past", "acd"), ("current", "be")):
        (folder / part).mkdir(parents=True)
        for name in names:
            cv2.imwrite(str(folder / part / f"{name}.jpg"), values)
    write(folder, rows)
    return folder


def write(folder, rows, name="instructions.csv", columns=COLUMNS):
    with (folder / name).open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def rows_of(folder):
    with (folder / "instructions.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


def found(folder):
    return [(problem.kind, problem.row) for problem in check_dataset(folder, workers=1).problems]


def test_a_dataset_that_was_built_is_complete_and_counts_as_its_report_does(built):
    seen = []
    checked = check_dataset(built, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert checked.problems == [] and checked.notes == []
    assert checked.statistics == json.loads((built / "report.json").read_text())["dataset"]
    assert seen[-1] == (12, 12)


def test_the_authors_layout_is_complete(authors):
    checked = check_dataset(authors, workers=1)
    assert checked.problems == [] and checked.as_dict()["complete"]
    assert checked.statistics["operations"] == {"remove": 2, "add": 1, "change": 1}
    assert checked.statistics["splits"] == {"train": 2, "test": 1}
    assert checked.statistics["level_changes"] == {"small to large": 1}
    rows = [[row[0], row[1], row[2][:-4], row[3][:-4]] for row in rows_of(authors)]
    write(authors, rows)  # ids without endings
    assert found(authors) == []


def test_images_that_are_wrong_are_found(authors):
    (authors / "past" / "a.jpg").unlink()
    assert found(authors) == [("missing image", 2)]
    cut = authors / "current" / "b.jpg"
    cut.write_bytes(cut.read_bytes()[:300])
    assert sorted(found(authors)) == [("missing image", 2), ("unreadable image", 2), ("unreadable image", 3)]


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (np.zeros((64, 48), np.uint8), {"not square", "sizes"}),
        (np.zeros((32, 32), np.uint8), {"sizes"}),
        (np.zeros((64, 64), np.uint16), {"not 8-bit grey"}),
        (np.full((64, 64, 3), (0, 90, 200), np.uint8), {"not 8-bit grey"}),
        (np.full((64, 64, 3), 90, np.uint8), set()),
    ],
)
def test_images_of_another_form_are_found(authors, values, kinds):
    cv2.imwrite(str(authors / "past" / "d.png"), values)
    rows = rows_of(authors)
    rows[2][2] = "d.png"
    write(authors, rows)
    assert {kind for kind, _ in found(authors)} == kinds


def test_lines_that_are_wrong_are_found(authors):
    rows = rows_of(authors)
    rows[2][0] = "validation"
    rows[1][1] = "Make it look nice."
    rows.append(rows[2])
    write(authors, [*rows, ["train", "short"]])
    assert sorted(found(authors)) == [
        ("duplicate", 5),
        ("instruction", 3),
        ("malformed line", 6),
        ("split", 4),
        ("split", 5),
    ]


def test_an_image_in_two_splits_is_found(authors):
    rows = rows_of(authors)
    write(authors, [*rows, ["val", "Add the finding of hernia.", "a.jpg", "e.jpg"]])
    assert found(authors) == [("leak", 5), ("leak", 5)]


def test_an_image_that_is_past_here_and_current_there_is_the_same_image(authors):
    shutil.copy(authors / "current" / "b.jpg", authors / "past" / "b__e.jpg")
    write(authors, [*rows_of(authors), ["test", "Add the finding of hernia.", "b__e.jpg", "e.jpg"]])
    assert found(authors) == [("leak", 5)]


def test_a_patient_in_two_splits_is_found(built, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    text = (folder / "pairs.csv").read_text().splitlines()
    text[1] = text[1].replace("train,", "test,", 1)
    (folder / "pairs.csv").write_text("\n".join(text) + "\n")
    assert [kind for kind, _ in found(folder)] == ["leak"]


def test_missing_files_of_a_build_are_found(built, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    next((folder / "valid").iterdir()).unlink()
    record = json.loads((folder / "build.json").read_text())
    (folder / "build.json").write_text(json.dumps({**record, "complete": False}))
    assert sorted(kind for kind, _ in found(folder)) == ["missing image", "unfinished"]


def test_unused_files_and_unknown_words_are_noted(authors):
    cv2.imwrite(str(authors / "past" / "z.png"), np.zeros((64, 64), np.uint8))
    rows = rows_of(authors)
    rows[0][1] = "Add the finding of edema with sparkles."
    write(authors, rows)
    checked = check_dataset(authors, workers=1)
    assert checked.problems == []
    assert checked.notes == [
        "1 instructions contain words that are not understood",
        "1 files in past/ are not named in any line",
    ]


def test_a_missing_and_an_empty_dataset_are_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no dataset"):
        check_dataset(tmp_path)
    write(tmp_path, [])
    assert found(tmp_path) == [("empty", None)]
    write(tmp_path, [], columns=("split", "instruction"))
    with pytest.raises(ValueError, match="lacks past_dicom_id, current_dicom_id"):
        check_dataset(tmp_path)
