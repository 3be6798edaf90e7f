"""`x2x dicomweb edit` and `x2x dimse edit` with the tiny model against a real Orthanc, in processes of their own."""

import os
import subprocess
import sys
from io import BytesIO

import pytest
from orthanc_process import PASSWORD, Orthanc
from pydicom import dcmread
from remote_cases import FRONTAL, STUDY, films

PROMPT = "Add the finding of moderate left pleural effusion."


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    folder = tmp_path_factory.mktemp("command")
    with Orthanc(folder / "orthanc") as made:
        for content in films(folder).values():
            made.put(content)
        yield made


def x2x(orthanc, folder, *arguments, **environment):
    """Run a command; return its status, and all that it printed."""
    own = {**os.environ, **orthanc.environment(**environment), "TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "x2x_core.cli", *arguments], cwd=folder, env=own, capture_output=True, text=True
    )
    assert PASSWORD not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("command", ["dicomweb", "dimse"])
def test_the_whole_round(orthanc, tiny_folder, tmp_path, command):
    before = orthanc.files()
    address = orthanc.web if command == "dicomweb" else orthanc.dimse
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    edit = [
        command, "edit", PROMPT, "--study", STUDY, "--archive", address, "--model", str(tiny_folder), "--steps", "2",
        "--device", "cpu", "-o", str(tmp_path / "result"), "--seed", str(len(command)),
    ]  # fmt: skip
    status, said = x2x(orthanc, scratch, *edit)
    assert status == 0 and f"Radiograph: {FRONTAL}" in said and "4 stored, 0 already there" in said, said
    after = orthanc.files()
    assert {uid: after[uid] for uid in before} == before and len(after) == len(before) + 4
    image = dcmread(BytesIO((tmp_path / "result" / "edited.dcm").read_bytes()))
    assert dcmread(BytesIO(after[image.SOPInstanceUID])) == image and image.StudyInstanceUID == STUDY
    status, said = x2x(orthanc, scratch, *edit, "--overwrite")
    assert status == 0 and "0 stored, 4 already there" in said and orthanc.files() == after
    status, said = x2x(orthanc, scratch, command, "store", str(tmp_path / "result"), "--archive", address)
    assert status == 0 and "0 stored, 4 already there" in said
    record = (tmp_path / "result" / "result.json").read_text()
    assert "127.0.0.1" not in record and PASSWORD not in record and STUDY not in record
    status, said = x2x(orthanc, scratch, *edit, X2X_ARCHIVE_PASSWORD="wrong")
    if command == "dicomweb":
        assert status == 2 and said.splitlines()[-1].startswith("x2x: The archive") and "HTTP 401" in said
    assert list(scratch.glob("x2x*")) == []
