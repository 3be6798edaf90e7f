"""The truth about targets: from words, from a table, from the simulator."""

import json
from pathlib import Path

import pytest

from x2x_core.evaluation.on_dataset.truths import Truth, from_instruction, read_labels, read_truths
from x2x_core.language.instruction import Instruction
from x2x_core.pairs.layout import Row


def rows(*texts):
    return [
        Row(text, Path("past") / f"{n:06d}-0.png", Path("current") / f"{n:06d}-0.png") for n, text in enumerate(texts)
    ]


def test_an_instruction_says_what_the_target_has():
    words = (
        "Add the finding of edema. Remove the finding of pneumonia. "
        "Change the level of atelectasis from mild to severe."
    )
    truth = from_instruction(Instruction.parse(words), "7")
    assert truth == Truth({"edema": True, "pneumonia": False, "atelectasis": True}, group="7")


def test_a_table_is_read_by_any_of_the_findings_names(tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(
        "dicom_id,Pleural Effusion,edema,Cardiomegaly,race,age,subject_id\na.jpg,1.0,0,-1,White,63.5,s1\nb,,,,,,\n"
    )
    found = read_labels(table)
    assert found["a"] == Truth({"pleural effusion": True, "edema": False}, {"age": 63.5}, "White", "s1")
    assert found["b"] == Truth()


def test_two_columns_of_one_finding_make_it_present_together(tmp_path):
    (tmp_path / "labels.csv").write_text("image,Nodule,Mass\na,1,0\nb,0,1\nc,0,0\nd,,0\n")
    found = read_labels(tmp_path / "labels.csv")
    assert [found[image].findings["lung lesion"] for image in "abcd"] == [True, True, False, False]


def test_the_table_goes_before_the_words_and_the_words_fill_its_gaps(tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("image,edema,subject_id\n000000-0.png,0,s1\n")
    some = rows("Add the findings of edema and pneumonia.", "Add the finding of edema.")
    first, second = read_truths(some, tmp_path, table)
    assert first.findings == {"edema": False, "pneumonia": True} and first.group == "s1"
    assert second.findings == {"edema": True} and second.group == "000001-0"


def test_a_simulated_dataset_brings_its_truth(tmp_path):
    line = {
        "file": "000000-0.png", "before": [], "after": [{"finding": "edema"}], "clauses": [{}],
        "geometry": {"yaw": 2.5, "source_mm": None}, "film": {"level": 0.5},
    }  # fmt: skip
    (tmp_path / "attributes.jsonl").write_text(json.dumps(line) + "\n")
    (truth,) = read_truths(rows("Add the finding of edema."), tmp_path)
    assert truth.findings["edema"] and not truth.findings["pneumonia"] and len(truth.findings) == 8
    assert truth.values == {"yaw": 2.5, "level": 0.5} and truth.group == "000000"
    with pytest.raises(ValueError, match=r"must have a line for each pair, but has none for `000001-0\.png`"):
        read_truths(rows("Add edema.", "Add edema."), tmp_path)
    (tmp_path / "attributes.jsonl").write_text("{}\n")
    with pytest.raises(ValueError, match=r"Line 1 of .* cannot be read as the attributes of a pair"):
        read_truths(rows("Add edema."), tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,edema\na,1\n", "must name its images in a column `image` or `dicom_id`"),
        ("image,edema\na,2\n", "`edema` of .* must be 1, 0, -1 or empty, got '2'"),
        ("image,site\na,north\n", "`site` of .* must be a number, got 'north'"),
    ],
)
def test_a_table_that_can_t_be_read_is_refused(tmp_path, text, words):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_labels(tmp_path / "labels.csv")


def test_a_missing_table_of_labels_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="There are no labels"):
        read_labels(tmp_path / "labels.csv")
