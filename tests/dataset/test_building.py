"""The whole build: layout, accounting, every reason, splits, interruption, refusals."""

import csv
import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from mimic_cases import MimicCase, write_table

from x2x_core.dataset import building, gathering, wording
from x2x_core.dataset.building import build_dataset
from x2x_core.dataset.checking import check_dataset
from x2x_core.dataset.layout import WORK, part_file
from x2x_core.dataset.processes import deal
from x2x_core.dataset.rejections import MEANING, Reason
from x2x_core.dataset.settings import BuildSettings
from x2x_core.language.instruction import Instruction

SETTINGS = BuildSettings(size=64)
ROOT = Path(building.__file__).parents[2]


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digest(folder):
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def report_of(folder):
    return json.loads((folder / "report.json").read_text())


@pytest.fixture
def copy(mimic_case, tmp_path):
    """A copy of the small MIMIC that a test may spoil."""
    shutil.copytree(mimic_case.mimic.parent, tmp_path / "copy")
    return MimicCase(
        tmp_path / "copy" / mimic_case.mimic.name,
        tmp_path / "copy" / mimic_case.vqa.parent.name / mimic_case.vqa.name,
        [dict(study) for study in mimic_case.studies],
        [dict(row) for row in mimic_case.questions],
    )


def build(case, out, **more):
    return build_dataset(case.mimic, case.vqa, out, more.pop("settings", SETTINGS), workers=1, **more)


# What comes out


def test_the_layout_is_the_published_one(built, mimic_case):
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


def test_the_current_image_is_the_file_s_and_the_past_one_lies_over_it(built, mimic_case):
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


def test_v2_tells_levels_and_places_and_v1_does_not(built, mimic_case, tmp_path):
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


def test_the_report_counts_what_is_there(built):
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


def test_pictures_say_where_they_come_from(built):
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


def test_mimic_all_needs_no_more_than_images_and_views(built, copy, tmp_path):
    (copy.mimic / "mimic-cxr-2.0.0-metadata.csv.gz").unlink()
    (copy.mimic / "mimic-cxr-2.0.0-split.csv.gz").unlink()
    every = copy.vqa.parent / "mimic_all.csv"
    write(every, [{name: row[name] for name in ("study_id", "dicom_id", "view")} for row in table(every)])
    out = build(copy, tmp_path / "out")
    assert (out / "pairs.csv").read_bytes() == (built / "pairs.csv").read_bytes()


# What can't be used


def rejected(out):
    return [(row["reason"], row["row"]) for row in table(out / "rejected.csv") if row["reason"] != "nothing_changed"]


def expect(out, *pairs):
    assert sorted(rejected(out)) == sorted(pairs)
    report = report_of(out)
    assert (
        report["rows"]["kept"]
        + sum(number for reason, number in report["rows"]["rejected"].items() if reason != "malformed_row")
        == report["rows"]["difference"]
    )


def lines_of(case, *rows):
    """The line numbers of rows in the file."""
    return [str(case.questions.index(row) + 2) for row in rows]


def told(case):
    return [row for row in case.differences if "nothing" not in row["answer"]]


def test_rows_that_say_nothing_usable_are_listed(copy, tmp_path):
    first, second, third, fourth, fifth = told(copy)[:5]
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


def test_a_fault_in_the_rules_spoils_one_row_alone(copy, tmp_path, monkeypatch):
    spoilt = told(copy)[1]
    read = wording.instruction_from_difference

    def faulty(answer, question):
        if answer == spoilt["answer"].strip():
            raise IndexError("out of range")
        return read(answer, question)

    monkeypatch.setattr(wording, "instruction_from_difference", faulty)
    out = build(copy, tmp_path / "out")
    wrong = [row for row in told(copy) if row["answer"] == spoilt["answer"]]
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
    assert "study_id is 'x', no number" in listed[-1]["detail"] and listed[-1]["table"] == "mimic_pair_questions.csv"
    assert report_of(out)["rows"]["malformed_by_table"] == {"mimic_pair_questions.csv": 3}
    assert len(table(out / "instructions.csv")) == 12


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_byte_order_marks_line_ends_and_columns_in_another_order_change_nothing(built, copy, tmp_path, ending):
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


def test_a_table_that_lacks_a_column_is_named_and_nothing_is_made(copy, tmp_path):
    rows = table(copy.vqa)
    write(copy.vqa, [{name: row[name] for name in row if name != "ref_id"} for row in rows])
    with pytest.raises(ValueError, match=r"mimic_pair_questions.csv` must be a table with the columns .* lacks ref_id"):
        build(copy, tmp_path / "out")


def test_an_empty_a_cut_and_a_lost_image_spoil_their_own_pairs_alone(built, copy, tmp_path):
    empty, cut, lost = (told(copy)[number] for number in (0, 2, 4))
    copy.image(empty["ref_id"]).write_bytes(b"")
    path = copy.image(cut["study_id"])
    path.write_bytes(path.read_bytes()[:-60])
    shutil.rmtree(copy.image(lost["ref_id"]).parent)
    out = build(copy, tmp_path / "out")
    reasons = ("unreadable_image", "unreadable_image", "missing_image")
    expect(out, *zip(reasons, lines_of(copy, empty, cut, lost)))
    left = [row for row in table(built / "pairs.csv") if row["vqa_row"] not in lines_of(copy, empty, cut, lost)]
    assert table(out / "pairs.csv") == left and len(left) == 9


def test_images_that_cannot_be_used_are_listed(copy, tmp_path):
    rows = [told(copy)[number] for number in (0, 2, 4, 6, 8)]  # one a patient
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


def test_views_order_and_splits_that_cannot_be_used_are_listed(copy, tmp_path):
    late, side, lost = told(copy)[0], told(copy)[2], told(copy)[4]
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


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_little_overlap_and_implausible_motion_are_listed(copy, tmp_path, monkeypatch):
    out = build(copy, tmp_path / "covered", settings=BuildSettings(size=64, min_overlap=1.0))
    assert {reason for reason, _ in rejected(out)} == {"registration_overlap"} and not table(out / "instructions.csv")
    monkeypatch.setattr("x2x_core.dataset.registration.MAX_TURN_DEGREES", 0.0)
    out = build(copy, tmp_path / "turned")
    assert {reason for reason, _ in rejected(out)} == {"registration_implausible"}


def test_every_reason_has_a_meaning():
    assert set(MEANING) == set(Reason)


# Splits


def test_a_patient_named_in_several_splits_goes_to_the_most_held_out(copy, tmp_path):
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


def test_rows_without_a_split_take_mimic_s(copy, tmp_path):
    for row in copy.questions:
        row["split"] = ""
    copy.write_questions()
    out = build(copy, tmp_path / "out")
    assert {row["split"] for row in table(out / "instructions.csv")} == {"train", "val", "test"} and not rejected(out)


def test_a_patient_whom_mimic_s_own_table_puts_in_several_splits_goes_to_one(copy, tmp_path):
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


# Several pairs with the same images


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


def add_all_pairs(case):
    """A difference row for every two studies of a patient that have none yet."""
    there = {(row["ref_id"], row["study_id"]) for row in case.differences}
    for one, other in combinations(case.studies, 2):
        pair = (one["study_id"], other["study_id"])
        if one["subject_id"] == other["subject_id"] and pair not in there:
            case.questions.append({
                "study_id": pair[1], "subject_id": one["subject_id"], "ref_id": pair[0], "question_type": "difference",
                "question": "what has changed compared to the reference image?", "split": one["split"],
                "answer": "the main image has an additional finding of edema than the reference image. ",
            })  # fmt: skip
    case.write_questions()


# Interruption


def test_killed_outright_it_goes_on_and_ends_with_the_same_bytes(copy, tmp_path):
    add_all_pairs(copy)
    whole = build(copy, tmp_path / "whole")
    out = tmp_path / "out"
    for sign in (out / "build.json", part_file(out, 0)):
        process = start(copy, out)
        try:
            wait_for(lambda: sign.exists() or process.poll() is not None)
        finally:
            kill(process)
        assert not json.loads((out / "build.json").read_text())["complete"] and not (out / "instructions.csv").exists()
    parts = list((out / WORK / "parts").rglob("*.json"))
    assert parts and digest(out) != digest(whole)
    stamps = {path: path.stat().st_mtime_ns for path in parts}
    seen = []
    build(copy, out, progress=lambda done, total, note="": seen.append((done, total, note)))
    assert next(done for done, _, note in seen if note == "pairs") >= 8, "what was done is not done again"
    assert stamps and digest(out) == digest(whole)


def start(case, out):
    command = [sys.executable, "-m", "x2x_core.cli", "dataset", "build", "--mimic", case.mimic, "--vqa", case.vqa,
               "--out", out, "--size", "64", "--workers", "2"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [str(word) for word in command], env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )


def wait_for(happened, seconds=120):
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.01)


def kill(process):
    """Kill the build alone; its worker processes must leave by themselves."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not group_lives(process.pid), 30)


def group_lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("broken", ["write_table", "report_html", "dataset_card"])
def test_interrupted_while_gathering_it_ends_with_the_same_bytes(built, mimic_case, tmp_path, monkeypatch, broken):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gathering, broken, stop)
        with pytest.raises(KeyboardInterrupt):
            build(mimic_case, tmp_path / "out")
    assert not json.loads((tmp_path / "out" / "build.json").read_text())["complete"]
    build(mimic_case, tmp_path / "out")
    assert digest(tmp_path / "out") == digest(built)


def test_cut_off_at_any_write_it_ends_with_the_same_bytes(built, mimic_case, tmp_path, monkeypatch):
    """Time and again the file being written is left half written, beside its place or in it, and the process ends."""
    draw, replace, out, cuts = random.Random(4), os.replace, tmp_path / "out", 0
    monkeypatch.setattr(building, "PORTION", 2)  # the most that is done again

    def until(writes):
        def cut(source, target):
            nonlocal writes
            writes -= 1
            if writes < 0:
                if draw.random() < 0.5:
                    os.truncate(source, Path(source).stat().st_size // 2)
                else:
                    replace(source, target)
                raise KeyboardInterrupt
            replace(source, target)

        return cut

    while True:
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", until(draw.randrange(20)))
            try:
                build(mimic_case, out)
                break
            except KeyboardInterrupt:
                cuts += 1
                assert cuts < 30
    assert cuts >= 4 and digest(out) == digest(built)


def test_a_half_made_database_and_scratch_files_are_done_again(built, mimic_case, tmp_path, monkeypatch):
    out = tmp_path / "out"

    def stop(database, vqa):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("x2x_core.dataset.database.load_questions", stop)
        with pytest.raises(KeyboardInterrupt):
            build(mimic_case, out)
    assert (out / WORK / "tables.partial").exists()
    (out / WORK / "scratch" / "99-a.png").write_bytes(b"half a file")
    build(mimic_case, out)
    assert digest(out) == digest(built)


def test_a_finished_build_is_left_as_it_is(built, mimic_case):
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*")}
    build(mimic_case, built)
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*")} == before


def test_a_worker_that_dies_is_said_in_a_sentence():
    with pytest.raises(ChildProcessError, match="A process was killed.*Start again to go on where it was"):
        list(deal(os._exit, [9], 2))


def test_work_is_dealt_in_one_process_and_in_several():
    assert list(deal(abs, iter([-1, 2]), 1)) == [1, 2]
    assert sorted(deal(abs, iter(range(-20, 0)), 3)) == list(range(1, 21))


# Refusals


def test_what_is_not_its_own_is_refused(built, mimic_case, copy, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds other files. Give another folder"):
        build(mimic_case, other)
    assert [path.name for path in other.iterdir()] == ["notes.txt"]
    with pytest.raises(FileExistsError, match="but .* is a file"):
        build(mimic_case, other / "notes.txt")
    before = digest(built)
    with pytest.raises(FileExistsError, match="was built with another schema, size. Give another folder"):
        build(mimic_case, built, settings=BuildSettings(size=96, schema="v1"))
    copy.questions.pop()
    copy.write_questions()
    with pytest.raises(FileExistsError, match="was built with another tables_sha256"):
        build(copy, built)
    assert digest(built) == before
    (other / "notes.txt").unlink()
    (other / "build.json").write_text("{")
    with pytest.raises(FileExistsError, match="must be the record of a build"):
        build(mimic_case, other)


def test_two_builds_in_one_folder_are_refused(mimic_case, tmp_path):
    out = tmp_path / "out"
    with building._alone(out), pytest.raises(FileExistsError, match="is being built by another process"):
        build(mimic_case, out)


def test_of_two_builds_started_at_once_one_is_refused(copy, tmp_path):
    add_all_pairs(copy)
    out = tmp_path / "out"
    first = start(copy, out)
    try:
        wait_for(lambda: (out / "build.json").exists() or first.poll() is not None)
        with pytest.raises(FileExistsError, match="is being built by another process. Wait for it"):
            build(copy, out)
    finally:
        kill(first)


def test_inputs_that_are_not_there_are_named(mimic_case, tmp_path):
    with pytest.raises(FileNotFoundError, match="`--mimic` must be the folder of MIMIC-CXR-JPG"):
        build_dataset(tmp_path, mimic_case.vqa, tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="`--vqa` must be"):
        build_dataset(mimic_case.mimic, tmp_path / "none.csv", tmp_path / "out")
    with pytest.raises(ValueError, match="`workers` must be at least 1, got 0"):
        build_dataset(mimic_case.mimic, mimic_case.vqa, tmp_path / "out", workers=0)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"schema": "v3"}, "`schema` must be one of v1, v2, got 'v3'"),
        ({"size": 8}, "`size` must be at least 32"),
        ({"registration": "elastic"}, "`registration` must be one of affine, rigid"),
        ({"min_quality": 1.0}, "`min_quality` must lie in"),
        ({"min_overlap": -0.1}, "`min_overlap` must lie in"),
    ],
)
def test_wrong_settings_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        BuildSettings(**wrong)
