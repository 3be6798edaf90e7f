"""Studies and results for tests of archives: two views and another study, an edit of the frontal view."""

from __future__ import annotations

from pathlib import Path

from archive_cases import COMPLETE, PARAMETERS, draw, results_for
from dicom_cases import IDENTITY, write

from x2x_core.archive.remote.storing import outgoing
from x2x_core.archive.settings import DicomSettings
from x2x_core.archive.writing import encode_dicom
from x2x_core.imaging.provenance import sha256_file

STUDY, OTHER_STUDY = IDENTITY["StudyInstanceUID"], "1.2.826.0.1.3680043.10.511.4.1"
FRONTAL, LATERAL, OTHER = "1.2.3.1", "1.2.3.2", "1.2.3.3"
SECRET = "a password of the tests"


def film(folder: Path, uid: str, **tags) -> bytes:
    """Return the file of a digital radiograph in the study."""
    own = {**IDENTITY, **COMPLETE, "SOPInstanceUID": uid, **tags}
    return write(folder / f"{uid}.dcm", draw(12, shape=(48, 40)), 12, **own).read_bytes()


def films(folder: Path) -> dict[str, bytes]:
    """Return a study of two views, and another study of the patient: files by UID."""
    return {
        FRONTAL: film(folder, FRONTAL),
        LATERAL: film(folder, LATERAL, ViewPosition="LL", SeriesInstanceUID="1.2.4.2"),
        OTHER: film(folder, OTHER, StudyInstanceUID=OTHER_STUDY, SeriesInstanceUID="1.2.5.1"),
    }


def edited(path: Path, prompt: str = "Add edema.", settings: DicomSettings | None = None) -> dict[str, bytes]:
    """Return the results of an edit of a file, without a model."""
    parameters = {**PARAMETERS, "prompt": prompt, "input": {"file": "DICOM", "sha256": sha256_file(path)}}
    return encode_dicom(path, results_for(path), prompt, parameters, settings or DicomSettings("keep"))


def results(folder: Path, prompt: str = "Add edema."):
    """Return the results of an edit of the frontal view as objects to store."""
    folder.mkdir(exist_ok=True)
    film(folder, FRONTAL)
    return outgoing(edited(folder / f"{FRONTAL}.dcm", prompt))
