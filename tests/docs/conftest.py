"""The folder in which code of the documentation runs: the files that its pages name."""

import csv
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "models" / "sample"


def make_pairs(folder, split, count=2):
    """Write a small dataset in the pair layout."""
    for name in ("past", "current"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            shutil.copy(SAMPLES / f"radiograph-{number + 2}.png", folder / name / f"{number}.png")
    rows = [(split, "Add the finding of moderate left pleural effusion.", f"{i}.png", f"{i}.png") for i in range(count)]
    with (folder / "instructions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("split", "instruction", "past_dicom_id", "current_dicom_id"), *rows])


@pytest.fixture
def workplace(tmp_path, tiny_folder, monkeypatch):
    """The current folder, with a radiograph, a folder of them, a checkpoint, published masks and a dataset."""
    shutil.copy(SAMPLES / "radiograph.png", tmp_path / "chest.png")
    shutil.copytree(SAMPLES, tmp_path / "chests", ignore=shutil.ignore_patterns("*.md"))
    os.symlink(tiny_folder, tmp_path / "instructx2x-v1", target_is_directory=True)
    shutil.copytree(ROOT / "tests" / "fixtures" / "reference" / "pseudomasks", tmp_path / "pseudo_masks")
    make_pairs(tmp_path / "mimic-edit-instruction", "train")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def archive(workplace, monkeypatch):
    """An archive at the address of the environment, with a study of the sample radiograph."""
    import numpy as np
    from archive_cases import COMPLETE
    from archive_server import ArchiveServer
    from dicom_cases import write
    from PIL import Image

    values = np.asarray(Image.open(SAMPLES / "radiograph.png").convert("L")).astype(np.uint16) * 16
    with ArchiveServer() as server:
        tags = {"StudyInstanceUID": "2.25.1001", "SeriesInstanceUID": "2.25.1002", "SOPInstanceUID": "2.25.1003"}
        file = write(workplace / "film.dcm", values, 12, **COMPLETE, **tags, StudyDate="20260115", PatientID="P1")
        server.put(file.read_bytes())
        file.unlink()
        monkeypatch.setenv("X2X_ARCHIVE", server.url)
        yield server
