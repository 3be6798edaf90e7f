"""Output of a build: layout, images, wording, report, and independence from processes and table formats."""

import csv
import gzip

import cv2
import numpy as np
import pytest
from build_cases import SETTINGS, add_all_pairs, build, digest, report_of, table, write

from x2x_core.dataset.building import build_dataset
from x2x_core.dataset.settings import BuildSettings
from x2x_core.language.instruction import Instruction


def test_a_build_has_the_pair_layout(built, mimic_case):
    rows = table(built / "instructions.csv")
    assert list(rows[0]) == ["split", "instruction", "past_dicom_id", "current_dicom_id"]
    told = [row for row in mimic_case.differences if "nothing" not in row["answer"]]
    assert len(rows) == len(told) == 12
    for row, asked in zip(rows, told):
        past, current, valid = (
            cv2.imread(str(built / part / row[name]), cv2.IMREAD_UNCHANGED)
            for part, name in (("past", "past_dicom_id"), ("current", "current_dicom_id"), ("valid", "past_dicom_id"))
        )
        assert past.shape == current.shape == valid.shape == (64, 64) and past.dtype == np.uint8
        assert set(np.unique(valid)) == {0, 255} and 0.5 < (valid == 255).mean() < 1
        assert row["current_dicom_id"] == mimic_case.image(asked["study_id"]).stem + ".png"
        assert row["past_dicom_id"].startswith(mimic_case.image(asked["ref_id"]).stem)
        assert str(Instruction.parse(row["instruction"])) == row["instruction"] and row["split"] == asked["split"]
    assert sorted(path.name for path in built.iterdir()) == [
        "DATASET_CARD.md", "build.json", "current", "instructions.csv", "pairs.csv", "past", "rejected.csv",
        "report.html", "report.json", "valid",
    ]  # fmt: skip


def test_the_current_image_is_the_file_and_the_past_one_is_registered_to_it(built, mimic_case):
    for row, pair in zip(table(built / "instructions.csv"), table(built / "pairs.csv")):
        past, current, valid = (
            cv2.imread(str(built / part / row[name]), cv2.IMREAD_UNCHANGED).astype(float)
            for part, name in (("past", "past_dicom_id"), ("current", "current_dicom_id"), ("valid", "past_dicom_id"))
        )
        original = cv2.imread(str(mimic_case.image(int(pair["study_id"]))), cv2.IMREAD_GRAYSCALE)
        width = round(64 * original.shape[1] / original.shape[0])
        left = (64 - width) // 2
        shrunk = cv2.resize(original, (width, 64), interpolation=cv2.INTER_AREA)
        assert abs(current[:, left + 1 : left + width - 1] - shrunk[:, 1:-1]).mean() < 3
        assert (current[:, :left] == 0).all()
        unmoved = cv2.imread(str(mimic_case.image(int(pair["ref_id"]))), cv2.IMREAD_GRAYSCALE)
        unmoved = cv2.resize(unmoved, (width, 64), interpolation=cv2.INTER_AREA)
        both = valid == 255
        after = np.corrcoef(past[both], current[both])[0, 1]
        before = np.corrcoef(unmoved.ravel(), shrunk.ravel())[0, 1]
        assert after > before and float(pair["quality"]) >= 0.5 and float(pair["overlap"]) >= 0.6


def test_v2_states_levels_and_places_and_v1_does_not(built, mimic_case, tmp_path):
    plain = build(mimic_case, tmp_path / "v1", settings=BuildSettings(size=64, schema="v1"))
    detailed, short = (table(folder / "instructions.csv") for folder in (built, plain))
    assert len(detailed) == len(short)
    clauses = [clause for row in detailed for clause in Instruction.parse(row["instruction"]).clauses]
    assert any(clause.zone for clause in clauses) and any(clause.side for clause in clauses)
    assert {"add", "remove", "change"} == {clause.operation.value for clause in clauses}
    removed = [clause for clause in clauses if clause.operation.value == "remove"]
    assert any(clause.level for clause in removed), "the rows about the reference study tell of what is gone"
    for row in short:
        for clause in Instruction.parse(row["instruction"]).clauses:
            assert clause.side is clause.zone is None
    assert digest(plain / "past") == digest(built / "past")


def test_the_report_counts_the_rows(built):
    report, rows = report_of(built), table(built / "instructions.csv")
    assert report["rows"]["kept"] == len(rows) == report["dataset"]["instructions"]
    assert report["rows"]["kept"] + sum(report["rows"]["rejected"].values()) == report["rows"]["difference"]
    assert report["rows"]["rejected"] == {"nothing_changed": 6}
    instructions = [Instruction.parse(row["instruction"]) for row in rows]
    found = [clause.finding for instruction in instructions for clause in instruction.clauses]
    assert {name: counts["all"] for name, counts in report["dataset"]["findings"].items()} == {
        name: found.count(name) for name in found
    }
    splits = [row["split"] for row in rows]
    assert report["dataset"]["splits"] == {name: splits.count(name) for name in splits}
    assert sum(report["registration"]["quality"]["pairs"].values()) == report["pairs"]["built"] == 12
    page, card = (built / "report.html").read_text(), (built / "DATASET_CARD.md").read_text()
    assert page.count("data:image/png;base64,") >= 6 and "nothing_changed" in page
    assert (
        "Not to be shared" in card
        and "PhysioNet Credentialed Health Data License" in card
        and "| instructions | 12 |" in card
    )


def test_training_reads_it(built):
    from x2x_core.dataset import MimicEditInstruction

    rows = table(built / "instructions.csv")
    for split in ("train", "val", "test"):
        data = MimicEditInstruction(built, split, size=64, augmentation=None)
        assert [item["instruction"] for item in data] == [row["instruction"] for row in rows if row["split"] == split]
        assert all(item["pair"].shape == (2, 64, 64) for item in data)


def test_images_name_their_source(built):
    from x2x_core.imaging.files import read_text_chunks

    for part in ("past", "current", "valid"):
        assert "not to be shared" in read_text_chunks(next((built / part).iterdir()))["Comment"]


def test_processes_and_compressed_tables_do_not_change_the_result(built, copy, tmp_path):
    packed = copy.vqa.with_name(copy.vqa.name + ".gz")
    packed.write_bytes(gzip.compress(copy.vqa.read_bytes()))
    copy.vqa.unlink()
    copy.vqa = packed
    out = build_dataset(copy.mimic, packed, tmp_path / "out", SETTINGS, workers=2)
    mine, theirs = digest(out), digest(built)
    for name in ("build.json", "report.json", "DATASET_CARD.md"):  # they tell the table's name and hash
        assert mine.pop(name) != theirs.pop(name)
    assert mine == theirs


def test_without_mimic_all_the_metadata_chooses_the_same_images(built, copy, tmp_path):
    (copy.vqa.parent / "mimic_all.csv").unlink()
    out = build(copy, tmp_path / "out")
    for name in ("instructions.csv", "pairs.csv", "rejected.csv"):
        assert (out / name).read_bytes() == (built / name).read_bytes()


def test_mimic_all_needs_only_images_and_views(built, copy, tmp_path):
    (copy.mimic / "mimic-cxr-2.0.0-metadata.csv.gz").unlink()
    (copy.mimic / "mimic-cxr-2.0.0-split.csv.gz").unlink()
    every = copy.vqa.parent / "mimic_all.csv"
    write(every, [{name: row[name] for name in ("study_id", "dicom_id", "view")} for row in table(every)])
    out = build(copy, tmp_path / "out")
    assert (out / "pairs.csv").read_bytes() == (built / "pairs.csv").read_bytes()


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_byte_order_marks_line_ends_and_column_order_do_not_change_the_result(built, copy, tmp_path, ending):
    for path in (copy.vqa, copy.vqa.parent / "mimic_all.csv"):
        rows = table(path)
        columns = ["Unnamed: 0", *reversed(list(rows[0]))]
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, columns, restval="0", lineterminator=ending, quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)
    out = build(copy, tmp_path / "out")
    for name in ("instructions.csv", "pairs.csv"):
        assert (out / name).read_bytes() == (built / name).read_bytes()
    assert digest(out / "past") == digest(built / "past")


def test_one_image_in_several_pairs_has_one_current_file_and_a_past_file_for_each(copy, tmp_path):
    add_all_pairs(copy)
    out = build(copy, tmp_path / "out")
    rows = table(out / "pairs.csv")
    assert len({row["past_dicom_id"] for row in rows}) == len({(row["ref_id"], row["study_id"]) for row in rows}) > 12
    assert len({row["current_dicom_id"] for row in rows}) == len(list((out / "current").iterdir())) < len(rows)
    shared = [row["past_image"] for row in rows]
    image = max(shared, key=shared.count)
    files = {(out / "past" / row["past_dicom_id"]).read_bytes() for row in rows if row["past_image"] == image}
    assert len(files) == shared.count(image) > 1
