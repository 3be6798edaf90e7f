"""Result folders: refused before an edit is computed, and left empty if writing fails."""

import os

import pytest
import torch
from archive_cases import draw
from dicom_cases import write

from x2x_core.archive import writing
from x2x_core.archive.settings import DicomSettings
from x2x_core.commands import edit as command
from x2x_core.commands.outputs import fresh_folder
from x2x_core.common.errors import InputError
from x2x_core.imaging.dicom import read_dicom


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    assert fresh_folder(tmp_path, ("a",), overwrite=False) == tmp_path
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root, who can write anywhere
    with pytest.raises(InputError, match="must be a folder that can be written"):
        fresh_folder(tmp_path, ("a",), overwrite=False)


def test_no_pictures_are_left_if_dicom_cannot_be_written(tmp_path, monkeypatch):
    radiograph = read_dicom(write(tmp_path / "a.dcm", draw(12), 12))
    mask = torch.zeros(1, 1, *radiograph.size, dtype=torch.bool)
    finished = command._Finished(radiograph.pixels, mask.float(), mask, None, None, None, None, "cpu", "float32")
    names = ("prompt", "settings", "seed", "model", "weights_sha256", "input", "versions")
    record = {**dict.fromkeys(names), "model": "demo", "instruction": {"text": "Add the finding of edema."}}

    def fail(*arguments):
        raise InputError("`edited` must be something else.")

    monkeypatch.setattr(writing, "write_dicom", fail)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(InputError):
        command._write(folder, finished, radiograph, record, DicomSettings())
    assert not list(folder.iterdir())
