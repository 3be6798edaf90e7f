"""The files of an edit: written together or not at all, with records that name no place."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from archive_cases import draw
from dicom_cases import write

from x2x_core.archive import edit_files, writing
from x2x_core.archive.edit_files import RESULTS, encode_edit
from x2x_core.archive.edit_record import EditCall, FinishedEdit, carried, edit_record
from x2x_core.archive.settings import DicomSettings
from x2x_core.common.errors import InputError
from x2x_core.common.storage import write_files
from x2x_core.edit.settings import EditSettings
from x2x_core.imaging.dicom import read_dicom
from x2x_core.language.instruction import Instruction

WORDS = "Add the finding of edema."


def finished_edit(radiograph):
    mask = torch.zeros(1, 1, *radiograph.size, dtype=torch.bool)
    mask[..., 2:6, 2:6] = True
    edited = torch.where(mask, radiograph.pixels * 0.5, radiograph.pixels)
    instruction = Instruction.parse(WORDS)
    return FinishedEdit(edited, mask.float(), mask, instruction, None, None, EditSettings(), "cpu", "float32")


@pytest.fixture
def made(tmp_path):
    radiograph = read_dicom(write(tmp_path / "a.dcm", draw(12), 12))
    finished = finished_edit(radiograph)
    record = edit_record(finished, radiograph, EditCall(WORDS, 3, "demo", {}), "0" * 64, ["a warning"])
    return finished, radiograph, record


def test_all_files_are_encoded_and_carry_the_record(made):
    finished, radiograph, record = made
    files = encode_edit(finished, radiograph, record, DicomSettings())
    assert set(files) == {*RESULTS, *writing.FILES}
    assert json.loads(files["result.json"])["warnings"] == ["a warning"]
    assert set(encode_edit(finished, radiograph, record, None)) == set(RESULTS)
    assert encode_edit(finished, radiograph, record, DicomSettings()) == files, "the same bytes"


def test_pictures_carry_what_else_decided_the_edit_but_no_names_of_files(made):
    finished, radiograph, record = made
    assert {"keep_mask", "pseudomasks_sha256"} & set(carried(record)) == set()
    kept = {"file": "Kowalska.png", "sha256": "1" * 64, "share": 0.25}
    files = encode_edit(finished, radiograph, {**record, "keep_mask": kept, "pseudomasks_sha256": "2" * 64}, None)
    found = carried({**record, "keep_mask": kept, "pseudomasks_sha256": "2" * 64})
    assert found["keep_mask"] == {"sha256": "1" * 64, "share": 0.25} and found["pseudomasks_sha256"] == "2" * 64
    assert all(b"Kowalska" not in data for name, data in files.items() if name != "result.json")


@pytest.mark.parametrize("failing", range(9))
def test_a_disk_that_fills_up_leaves_nothing(made, tmp_path, monkeypatch, failing):
    files, synced, folder = encode_edit(*made, DicomSettings()), [], tmp_path / "out"
    folder.mkdir()

    def fill_up(handle):
        synced.append(handle)
        if len(synced) > failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fill_up)
    with pytest.raises(InputError, match=r"`out` must be a place that can be written.*No space left"):
        write_files(folder, files)
    assert len(synced) == failing + 1 and list(folder.iterdir()) == []


def test_a_limit_of_the_system_in_the_middle_of_a_file_leaves_nothing(tmp_path):
    code = (
        "import resource, signal, sys; from pathlib import Path; from x2x_core.common.storage import write_files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_files(Path(sys.argv[1]), {'a': b'1' * 900, 'b': b'2' * 1100})"
    )
    pytest.importorskip("resource")
    run = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert run.returncode == 1 and "InputError: `out` must be" in run.stderr and list(tmp_path.iterdir()) == []


def test_a_permission_lost_while_files_take_their_places_leaves_nothing_new(tmp_path, monkeypatch):
    (tmp_path / "b").write_bytes(b"old")
    replace = os.replace

    def refuse(source, target):
        if Path(target).name == "c":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        write_files(tmp_path, {"a": b"1", "b": b"2", "c": b"3"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"b": b"2"}


def test_nothing_is_written_if_dicom_cannot_be_encoded(made, monkeypatch):
    def fail(*arguments):
        raise InputError("`edited` must be something else.")

    monkeypatch.setattr(edit_files, "encode_dicom", fail)
    with pytest.raises(InputError, match="something else"):
        encode_edit(*made, DicomSettings())


def test_pictures_name_a_local_model_by_its_folder_and_a_hub_model_as_typed(made, tmp_path, monkeypatch):
    record = made[2]
    (tmp_path / "jane" / "model").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "jane"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "jane"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "name").mkdir(parents=True)
    for typed, expected in {
        "demo": "demo",
        "~/model": "model",
        str(tmp_path / "jane" / "model"): "model",
        "jane/model/": "model",
        "owner/name": "name",  # a folder here, not the repository
        "other/name": "other/name",
    }.items():
        assert carried({**record, "model": typed})["model"] == expected
