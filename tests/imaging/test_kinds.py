"""Radiographs among the files of a folder."""

import numpy as np
import pytest
from dicom_cases import write

from x2x_core.imaging.kinds import is_dicom, is_radiograph_file, stem


def test_the_mark_tells_dicom_whatever_the_name(tmp_path):
    for name in ("a.dcm", "IM000001", "1.2.840.113619.2", "b.png"):
        assert is_dicom(write(tmp_path / name, np.zeros((2, 2), np.uint8)))


@pytest.mark.parametrize(
    "head", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"BM", b""]
)
def test_pictures_are_not_dicom(tmp_path, head):
    (tmp_path / "a").write_bytes(head + bytes(200))
    assert not is_dicom(tmp_path / "a")


def test_files_without_the_mark_are_told_by_their_first_element(tmp_path):
    whole = write(tmp_path / "a", np.zeros((2, 2), np.uint8)).read_bytes()
    (tmp_path / "b").write_bytes(whole[132:])
    assert is_dicom(tmp_path / "b")


def test_folders_are_searched_by_suffix_and_by_content(tmp_path):
    for name in ("IM1", "1.2.840.5", "DICOMDIR"):
        write(tmp_path / name, np.zeros((2, 2), np.uint8))
    for name in ("a.PNG", "b.DCM", "notes.txt", "README", "table.csv"):
        (tmp_path / name).write_text("a letter")
    (tmp_path / "folder.png").mkdir()
    found = sorted(one.name for one in tmp_path.iterdir() if is_radiograph_file(one))
    assert found == ["1.2.840.5", "IM1", "a.PNG", "b.DCM"]


@pytest.mark.parametrize(
    ("name", "expected"), [("a.png", "a"), ("a.b.DCM", "a.b"), ("1.2.840.5", "1.2.840.5"), ("IM1", "IM1")]
)
def test_a_number_after_a_point_belongs_to_the_name(tmp_path, name, expected):
    assert stem(tmp_path / name) == expected
