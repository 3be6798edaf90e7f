"""Choice of a study's image, and the order of studies."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from mimic_cases import METADATA, write_table

from x2x_core.dataset.studies import Study, find_study, image_path
from x2x_core.dataset.study_tables import StudyTables, find_tables, load_studies


def studies_of(tmp_path, metadata=None, every=None, split=None):
    tables = {"metadata": (METADATA, metadata), "mimic_all": (
        ("subject_id", "study_id", "dicom_id", "view", "split", "study_order"), every),
        "split": (("dicom_id", "study_id", "subject_id", "split"), split)}  # fmt: skip
    paths = {}
    for name, (columns, rows) in tables.items():
        paths[name] = tmp_path / f"{name}.csv" if rows else None
        if rows:
            write_table(paths[name], columns, rows)
    database = sqlite3.connect(":memory:")
    rejected = list(load_studies(database, StudyTables(**paths)))
    return (lambda number: find_study(database, number)), rejected


def view(dicom, position, study=7, **more):
    return {"dicom_id": dicom, "subject_id": 10000001, "study_id": study, "ViewPosition": position, **more}


def entry(dicom, position, study=7, **more):
    return {"dicom_id": dicom, "subject_id": 10000001, "study_id": study, "view": position, "study_order": 1.0, **more}


def test_metadata_gives_the_first_frontal_image(tmp_path):
    find, rejected = studies_of(tmp_path, [
        view("lateral", "LATERAL"), view("first", "AP"), view("second", "PA"),
        view("only", "LL", 8), view("coded", "", 9, ViewCodeSequence_CodeMeaning="postero-anterior"),
        view("decubitus", "AP LLD", 10),
    ])  # fmt: skip
    assert rejected == []
    assert (find(7).dicom_id, find(7).frontal) == ("first", True)
    assert not find(8).frontal and not find(10).frontal
    assert find(9).frontal and find(11) is None


def test_mimic_all_decides_where_it_names_a_frontal_image(tmp_path):
    metadata = [view("a", "PA"), view("b", "AP"), view("c", "PA", 8), view("d", "PA", 9)]
    every = [entry("b", "antero-posterior", split="validate"), entry("x", "lateral", 8)]
    find, _ = studies_of(tmp_path, metadata, every, [{"study_id": 9, "split": "test"}])
    assert (find(7).dicom_id, find(7).split) == ("b", "val")
    assert (find(8).dicom_id, find(8).frontal) == ("c", True)
    assert (find(9).dicom_id, find(9).split) == ("d", "test")
    assert studies_of(tmp_path, None, every)[0](8).frontal is False


def test_unusable_lines_are_reported(tmp_path):
    find, rejected = studies_of(
        tmp_path, [view("../../etc", "PA"), view("", "PA"), view("good", "PA", 8), view("a", "PA", "x")]
    )
    assert [(name, record.row) for name, record in rejected] == [
        ("metadata.csv", 2),
        ("metadata.csv", 3),
        ("metadata.csv", 5),
    ]
    assert find(8).dicom_id == "good" and find(7) is None


def test_studies_are_ordered_by_number_and_then_by_time():
    early = Study(1, 5, "a", True, None, 1.0, 21800506213014.5)
    late = replace(early, study_order=2.0)
    assert late.later_than(early) and not early.later_than(late)
    same_day = replace(early, moment=21800506220000.0)
    assert same_day.later_than(early) and not early.later_than(same_day)
    unknown = replace(early, study_order=None, moment=None)
    assert not unknown.later_than(late) and not early.later_than(unknown)


def test_images_lie_where_mimic_keeps_them():
    study = Study(50414267, 10000032, "02aa804e-bde0afdd", True, None, None, None)
    assert image_path(Path("m"), study) == Path("m/files/p10/p10000032/s50414267/02aa804e-bde0afdd.jpg")


def test_tables_are_found_and_missed(tmp_path, mimic_case):
    found = find_tables(mimic_case.mimic, mimic_case.vqa)
    assert found.mimic_all.name == "mimic_all.csv" and found.metadata.name == "mimic-cxr-2.0.0-metadata.csv.gz"
    assert found.split.name == "mimic-cxr-2.0.0-split.csv.gz" and len(found.present) == 3
    with pytest.raises(FileNotFoundError, match=r"neither `mimic_all\.csv` beside"):
        find_tables(tmp_path, tmp_path / "questions.csv")
