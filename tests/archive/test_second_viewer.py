"""Results displayed by a second program, DCMTK: as the edit, and outside the mask exactly as the input."""

import shutil
import subprocess

import cv2
import numpy as np
import pytest
from archive_cases import COMPLETE, draw, write_results
from dicom_cases import write
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

pytestmark = pytest.mark.skipif(shutil.which("dcm2pnm") is None, reason="dcm2pnm of dcmtk is not installed: not read")
SYNTAXES = {"plain": ExplicitVRLittleEndian, "packed": RLELossless}


def displayed(path):
    """Return the grey of a file's first window, `(H, W)` integers from 0 to 255."""
    target = path.with_suffix(".pgm")
    done = subprocess.run(["dcm2pnm", "+Wi", "1", str(path), str(target)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return cv2.imread(str(target), cv2.IMREAD_GRAYSCALE).astype(int)


@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("tags", [{}, COMPLETE], ids=["capture", "DX"])
def test_a_second_program_displays_the_edit_and_the_input_around_it(tmp_path, polarity, tags):
    shape = "INVERSE" if polarity == "MONOCHROME1" else "IDENTITY"
    tags = {**tags, "PhotometricInterpretation": polarity, "PresentationLUTShape": shape}
    tags |= {"WindowCenter": 2000, "WindowWidth": 3000}
    film = write(tmp_path / "a.dcm", draw(12), 12, **tags)
    edit = write_results(tmp_path / "out", film)
    shown, before, mask = displayed(tmp_path / "out" / "edited.dcm"), displayed(film), edit.guidance_mask[0, 0].numpy()
    assert np.array_equal(shown[~mask], before[~mask]) and (shown[mask] > before[mask]).mean() > 0.5
    assert np.abs(shown - edit.edited[0, 0].numpy() * 255).max() <= 1.5


def test_compressed_inputs_are_displayed_as_uncompressed_ones(tmp_path):
    tags = {"WindowCenter": 2000, "WindowWidth": 3000}
    films = [write(tmp_path / f"{name}.dcm", draw(12), 12, syntax, **tags) for name, syntax in SYNTAXES.items()]
    for film in films:
        write_results(tmp_path / film.stem, film)
    plain, packed = (displayed(tmp_path / film.stem / "edited.dcm") for film in films)
    assert np.array_equal(plain, packed)
