"""Splits are by patient, and the most held-out one counts."""

import csv
import gzip

from build_cases import build, rejected, report_of, table
from mimic_cases import write_table

from x2x_core.dataset.checking import check_dataset


def test_a_patient_in_several_splits_goes_to_the_most_held_out(copy, tmp_path):
    patients = sorted({row["subject_id"] for row in copy.questions})
    named = {patients[0]: ("train", "val"), patients[1]: ("test", "train"), patients[2]: ("validate", "test")}
    for patient, splits in named.items():
        rows = [row for row in copy.questions if row["subject_id"] == patient]
        for number, row in enumerate(rows):
            row["split"] = splits[number % 2]
    copy.write_questions()
    out = build(copy, tmp_path / "out")
    found = {}
    for row in table(out / "pairs.csv"):
        found.setdefault(int(row["subject_id"]), set()).add(row["split"])
    assert all(len(splits) == 1 for splits in found.values())
    assert [found[patient] for patient in patients[:3]] == [{"val"}, {"test"}, {"test"}]
    told = report_of(out)["patients_in_several_splits"]
    assert told["patients"] == 3 and told["went_to"] == {"test": 2, "val": 1}
    assert "more than one split for 3 patients" in (out / "report.html").read_text()


def test_rows_without_a_split_use_mimic_s(copy, tmp_path):
    for row in copy.questions:
        row["split"] = ""
    copy.write_questions()
    out = build(copy, tmp_path / "out")
    assert {row["split"] for row in table(out / "instructions.csv")} == {"train", "val", "test"} and not rejected(out)


def test_a_patient_in_several_splits_of_mimic_s_table_goes_to_one(copy, tmp_path):
    for row in copy.questions:
        row["split"] = ""
    copy.write_questions()
    (copy.vqa.parent / "mimic_all.csv").unlink()
    patient = copy.studies[0]["subject_id"]
    splits = copy.mimic / "mimic-cxr-2.0.0-split.csv.gz"
    with gzip.open(splits, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    mine = [row for row in rows if row["subject_id"] == str(patient)]
    assert {row["split"] for row in mine} == {"train"}
    mine[-1]["split"] = "validate"
    write_table(splits, tuple(rows[0]), rows)
    out = build(copy, tmp_path / "out")
    assert {row["split"] for row in table(out / "pairs.csv") if row["subject_id"] == str(patient)} == {"val"}
    assert report_of(out)["patients_in_several_splits"]["went_to"] == {"val": 1} and not rejected(out)
    assert check_dataset(out, workers=1).problems == []
