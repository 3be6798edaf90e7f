"""Results written again by a second library, SimpleITK, which reads and writes DICOM by GDCM."""

from contextlib import suppress

import pydicom
import pytest
import SimpleITK
from archive_cases import COMPLETE, draw, write_results
from dicom_cases import write

SYNTHETIC = "0008|001c"


def write_again(image, path):
    writer = SimpleITK.ImageFileWriter()
    writer.SetFileName(str(path))
    writer.KeepOriginalImageUIDOn()
    writer.Execute(image)


@pytest.mark.parametrize("tags", [{}, COMPLETE], ids=["capture", "DX"])
def test_only_the_synthetic_mark_keeps_simpleitk_from_writing_what_it_read(tmp_path, tags):
    """GDCM's dictionary is older than Synthetic Data (0008,001C), and GDCM writes no element that it does not know."""
    write_results(tmp_path / "out", write(tmp_path / "a.dcm", draw(12), 12, **tags))
    image = SimpleITK.ReadImage(str(tmp_path / "out" / "edited.dcm"))
    assert image.GetMetaData(SYNTHETIC).strip() == "YES"
    with suppress(RuntimeError):  # a later GDCM may know it
        write_again(image, tmp_path / "known.dcm")
    image.EraseMetaData(SYNTHETIC)
    write_again(image, tmp_path / "again.dcm")
    before, after = (pydicom.dcmread(path) for path in (tmp_path / "out" / "edited.dcm", tmp_path / "again.dcm"))
    assert (before.pixel_array == after.pixel_array).all()
    assert after.DerivationDescription == before.DerivationDescription
