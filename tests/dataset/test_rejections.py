"""Rows and images that cannot be used are rejected with their reason."""

import shutil

import cv2
import numpy as np
import pytest
from build_cases import build, changes, expect, lines_of, rejected, report_of, table, write

from x2x_core.dataset import wording
from x2x_core.dataset.rejections import MEANING, Reason
from x2x_core.dataset.settings import BuildSettings


def test_unusable_rows_are_listed(copy, tmp_path):
    first, second, third, fourth, fifth = changes(copy)[:5]
    first["answer"] = "the main image shows a pacemaker."
    second["ref_id"] = second["study_id"]
    third["ref_id"] = 59999999
    fourth["subject_id"] = 19999999
    wrong = lines_of(copy, first, second, third, fourth)
    copy.questions += [dict(fifth), {**fifth, "answer": fifth["answer"].upper()}]
    copy.write_questions()
    count = len(copy.questions)
    out = build(copy, tmp_path / "out")
    expect(
        out, ("unreadable_answer", wrong[0]), ("same_study", wrong[1]), ("unknown_study", wrong[2]),
        ("patient_mismatch", wrong[3]), ("duplicate_row", str(count)), ("duplicate_instruction", str(count + 1)),
    )  # fmt: skip
    listed = {row["row"]: row for row in table(out / "rejected.csv")}
    assert (
        listed[wrong[0]]["answer"] == "the main image shows a pacemaker." and "pacemaker" in listed[wrong[0]]["detail"]
    )
    assert listed[wrong[2]]["detail"] == "study 59999999"


def test_a_fault_in_the_rules_rejects_one_row_only(copy, tmp_path, monkeypatch):
    spoilt = changes(copy)[1]
    read = wording.instruction_from_difference

    def faulty(answer, question):
        if answer == spoilt["answer"].strip():
            raise IndexError("out of range")
        return read(answer, question)

    monkeypatch.setattr(wording, "instruction_from_difference", faulty)
    out = build(copy, tmp_path / "out")
    wrong = [row for row in changes(copy) if row["answer"] == spoilt["answer"]]
    expect(out, *(("unreadable_answer", line) for line in lines_of(copy, *wrong)))
    assert "IndexError in the rules: out of range" in [row["detail"] for row in table(out / "rejected.csv")]


def test_malformed_lines_are_listed_with_their_text(copy, tmp_path):
    lines = copy.vqa.read_text().splitlines()
    spoilt = [*lines[:3], '1,2,"3', "too,few", *lines[3:], "x,10000032,50414267,difference,q,a,train"]
    copy.vqa.write_text("\n".join(spoilt) + "\n")
    out = build(copy, tmp_path / "out")
    expect(out, ("malformed_row", "4"), ("malformed_row", "5"), ("malformed_row", str(len(spoilt))))
    listed = table(out / "rejected.csv")
    assert [row["line"] for row in listed if row["row"] in ("4", "5")] == ['1,2,"3', "too,few"]
    assert "study_id is 'x', not a number" in listed[-1]["detail"] and listed[-1]["table"] == "mimic_pair_questions.csv"
    assert report_of(out)["rows"]["malformed_by_table"] == {"mimic_pair_questions.csv": 3}
    assert len(table(out / "instructions.csv")) == 12


def test_a_table_without_a_column_is_an_error(copy, tmp_path):
    rows = table(copy.vqa)
    write(copy.vqa, [{name: row[name] for name in row if name != "ref_id"} for row in rows])
    with pytest.raises(ValueError, match=r"mimic_pair_questions.csv` must be a table with the columns .* lacks ref_id"):
        build(copy, tmp_path / "out")


def test_empty_truncated_and_missing_images_reject_only_their_own_pairs(built, copy, tmp_path):
    empty, cut, lost = (changes(copy)[number] for number in (0, 2, 4))
    copy.image(empty["ref_id"]).write_bytes(b"")
    path = copy.image(cut["study_id"])
    path.write_bytes(path.read_bytes()[:-60])
    shutil.rmtree(copy.image(lost["ref_id"]).parent)
    out = build(copy, tmp_path / "out")
    reasons = ("unreadable_image", "unreadable_image", "missing_image")
    expect(out, *zip(reasons, lines_of(copy, empty, cut, lost)))
    left = [row for row in table(built / "pairs.csv") if row["vqa_row"] not in lines_of(copy, empty, cut, lost)]
    assert table(out / "pairs.csv") == left and len(left) == 9


def test_unusable_images_are_listed(copy, tmp_path):
    rows = [changes(copy)[number] for number in (0, 2, 4, 6, 8)]  # one a patient
    copy.image(rows[0]["study_id"]).unlink()
    cut = copy.image(rows[1]["ref_id"])
    cut.write_bytes(cut.read_bytes()[:600])
    copy.image(rows[2]["study_id"]).write_text("no picture")
    cv2.imwrite(str(copy.image(rows[3]["ref_id"])), np.full((96, 80), 90, np.uint8))
    noise = np.random.default_rng(0).integers(0, 255, (96, 80)).astype(np.uint8)
    cv2.imwrite(str(copy.image(rows[4]["study_id"])), noise)
    out = build(copy, tmp_path / "out")
    reasons = ("missing_image", "unreadable_image", "unreadable_image", "flat_image", "registration_quality")
    expect(out, *zip(reasons, lines_of(copy, *rows)))
    detail = {row["row"]: row["detail"] for row in table(out / "rejected.csv")}
    assert detail[lines_of(copy, rows[0])[0]].startswith("files/p10/p10000032/s")
    assert not any(str(tmp_path) in text for text in detail.values())


def test_unusable_views_orders_and_splits_are_listed(copy, tmp_path):
    late, side, lost = changes(copy)[0], changes(copy)[2], changes(copy)[4]
    every = copy.vqa.parent / "mimic_all.csv"
    rows = table(every)
    for row in rows:
        if row["study_id"] == str(late["ref_id"]):
            row["study_order"] = "9.0"
        if row["study_id"] == str(side["study_id"]):
            row["view"] = "lateral"
        if row["subject_id"] == str(lost["subject_id"]):
            row["split"] = ""
    write(every, rows)
    (copy.mimic / "mimic-cxr-2.0.0-metadata.csv.gz").unlink()  # it knows a frontal image
    (copy.mimic / "mimic-cxr-2.0.0-split.csv.gz").unlink()
    unsplit = [row for row in copy.questions if row["subject_id"] == lost["subject_id"]]
    for row in unsplit:
        row["split"] = "somewhere"
    copy.write_questions()
    out = build(copy, tmp_path / "out")
    for reason, rows in (
        ("wrong_order", [late]),
        ("no_frontal_view", [row for row in copy.differences if side["study_id"] in (row["study_id"], row["ref_id"])]),
        ("unknown_split", [row for row in unsplit if row["question_type"] == "difference"]),
    ):
        assert [row for found, row in rejected(out) if found == reason] == lines_of(copy, *rows), reason
    assert len({reason for reason, _ in rejected(out)}) == 3


def test_small_overlap_and_implausible_motion_are_listed(copy, tmp_path, monkeypatch):
    out = build(copy, tmp_path / "covered", settings=BuildSettings(size=64, min_overlap=1.0))
    assert {reason for reason, _ in rejected(out)} == {"registration_overlap"} and not table(out / "instructions.csv")
    monkeypatch.setattr("x2x_core.dataset.registration.MAX_TURN_DEGREES", 0.0)
    out = build(copy, tmp_path / "turned")
    assert {reason for reason, _ in rejected(out)} == {"registration_implausible"}


def test_a_mirrored_film_is_listed(copy, tmp_path):
    row = changes(copy)[0]
    path = copy.image(row["ref_id"])
    cv2.imwrite(str(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)[:, ::-1])
    out = build(copy, tmp_path / "out")
    assert {reason for reason, _ in rejected(out)} == {"registration_mirrored"}
    assert lines_of(copy, row)[0] in [line for _, line in rejected(out)]
    assert table(out / "pairs.csv")  # pairs of which both films or none is mirrored


def test_every_reason_has_a_meaning():
    assert set(MEANING) == set(Reason)
