"""Each reader against a second one: SimpleITK (which reads DICOM by GDCM), and DCMTK where it is installed."""

import shutil
import subprocess
import warnings
from pathlib import Path

import cv2
import numpy as np
import pydicom.data
import pytest
import SimpleITK
from dicom_cases import table, write
from PIL import Image
from pydicom import uid

from x2x_core.common.bundled import bundled_path
from x2x_core.common.errors import InputError
from x2x_core.imaging.dicom import _check_picture, _open
from x2x_core.imaging.dicom_decoding import decode
from x2x_core.imaging.dicom_display import modality_values
from x2x_core.imaging.dicom_stored import extract
from x2x_core.imaging.files import read_image, write_png

SAMPLE = read_image(bundled_path("sample")).pixels[0, 0, ::4, ::4].numpy()
DEEP = np.round(SAMPLE * 4095).astype(np.uint16)
SYNTAXES = [
    uid.ExplicitVRLittleEndian,
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.RLELossless,
]


@pytest.fixture(autouse=True)
def _quiet():
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def by_simpleitk(path):
    """Return the values that SimpleITK reads, without axes of length 1."""
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).squeeze()


def modality(path):
    """Return a grey DICOM file's values before any window."""
    opened = _open(Path(path))
    _check_picture(opened)
    if not str(opened.PhotometricInterpretation).startswith("MONOCHROME"):
        raise InputError("a colour picture")
    return modality_values(extract(decode(opened, Path(path), all_bits=True), opened)[0], opened)[0].squeeze()


# -- DICOM against SimpleITK -------------------------------------------------------------------------------------------


def forms():
    """Return names, values and tags of files that both can read; left-aligned values, only DCMTK reads too."""
    rng = np.random.default_rng(0)
    yield "8 bits", np.round(SAMPLE * 255).astype(np.uint8), 8, {}
    for bits in (10, 12, 14, 16):
        yield f"{bits} bits", rng.integers(0, 2**bits, (20, 30)).astype(np.uint16), bits, {}
    yield "signed", rng.integers(-2000, 2000, (20, 30)).astype(np.int16), 16, {}
    yield "signed 12", rng.integers(-2000, 2000, (20, 30)).astype(np.int16), 12, {}
    yield "rescaled", DEEP, 12, {"RescaleSlope": 2, "RescaleIntercept": -1024}
    yield "inverted", DEEP, 12, {"PhotometricInterpretation": "MONOCHROME1"}
    yield "windowed", DEEP, 12, {"WindowCenter": 2048, "WindowWidth": 4096}
    yield "one spacing", DEEP, 12, {"PixelSpacing": [0.2, 0.2]}


FORMS = {name: rest for name, *rest in forms()}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name.split()[0])
def test_dicom_files_hold_the_values_that_simpleitk_reads(tmp_path, name, syntax):
    values, bits, tags = FORMS[name]
    path = write(tmp_path / "a.dcm", values, bits, syntax, **tags)
    theirs = by_simpleitk(path).astype(np.int32)
    theirs = 4095 - theirs if "PhotometricInterpretation" in tags else theirs  # it inverts, which comes later here
    assert np.allclose(modality(path), theirs)


def bundled():
    """Return the files inside the package; `get_testdata_files` would try to download others."""
    return sorted(Path(pydicom.data.__file__).with_name("test_files").rglob("*.dcm"), key=lambda path: path.name)


@pytest.mark.parametrize("path", bundled(), ids=lambda path: path.name)
def test_pydicoms_own_files_hold_the_values_that_simpleitk_reads(path):
    try:
        ours = modality(path)
    except InputError as error:
        pytest.skip(f"not read here: {str(error).split('`')[-1][:60]}")
    try:
        theirs = by_simpleitk(path)
    except RuntimeError:
        pytest.skip("not read by SimpleITK")
    assert ours.shape == theirs.shape and np.allclose(ours, theirs)


# -- DICOM against DCMTK -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("dcm2pnm") is None, reason="DCMTK is not installed")
@pytest.mark.parametrize(
    ("tags", "options"),
    [
        ({}, ["+Wm"]),
        ({"PhotometricInterpretation": "MONOCHROME1"}, ["+Wm"]),
        ({"WindowCenter": 2048, "WindowWidth": 4096}, ["+Wi", "1"]),
        ({"WindowCenter": [1800, 9], "WindowWidth": [1500, 9]}, ["+Wi", "1"]),
        ({"WindowCenter": 900, "WindowWidth": 1000, "PhotometricInterpretation": "MONOCHROME1"}, ["+Wi", "1"]),
        ({"WindowCenter": 1800, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"}, ["+Wi", "1", "+Wfs"]),
        ({"VOILUTSequence": [table((np.arange(4096) ** 2 // 256).tolist(), bits=16)]}, ["+Wl", "1"]),
        ({"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": 3000, "WindowWidth": 7000}, ["+Wi", "1"]),
        ({"HighBit": 15, "WindowCenter": 2048, "WindowWidth": 4096}, ["+Wi", "1"]),
    ],
)
def test_dicom_files_are_shown_as_dcmtk_shows_them(tmp_path, tags, options):
    values = DEEP << 4 if "HighBit" in tags else DEEP
    path = write(tmp_path / "a.dcm", values, 12, **tags)
    subprocess.run(["dcm2pnm", "+opw", *options, str(path), str(tmp_path / "a.pgm")], check=True, capture_output=True)
    ours, theirs = (read_image(file).pixels[0, 0].numpy() for file in (path, tmp_path / "a.pgm"))
    assert np.abs(ours - theirs).max() < 0.002


# -- pictures and NIfTI against SimpleITK ------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "jpg", "nii", "nii.gz", "pgm"])
def test_8_bit_pictures_hold_the_values_that_simpleitk_reads(tmp_path, suffix):
    values = np.round(SAMPLE * 255).astype(np.uint8)
    path = tmp_path / f"a.{suffix}"
    if suffix == "pgm":
        Image.fromarray(values).save(path)
        theirs = values
    else:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(path))
        theirs = by_simpleitk(path)
        theirs = theirs[..., 0] if theirs.ndim == 3 else theirs  # BMP in colour
    ours = read_image(path).pixels[0, 0].numpy() * 255
    assert np.abs(ours - theirs).max() <= (1.01 if suffix == "jpg" else 1e-3)  # decoders of JPEG round differently


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("bits", [12, 16])
def test_16_bit_pictures_hold_the_values_that_simpleitk_reads(tmp_path, suffix, bits):
    values = np.round(SAMPLE * (2**bits - 1)).astype(np.uint16)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(tmp_path / f"a.{suffix}"))
    ours = read_image(tmp_path / f"a.{suffix}")
    assert np.array_equal(np.round(ours.pixels[0, 0].numpy() * ours.white), by_simpleitk(tmp_path / f"a.{suffix}"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_pictures_hold_the_values_that_opencv_and_simpleitk_read(tmp_path, dtype):
    values = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (9, 11, 3), dtype, endpoint=True)
    cv2.imwrite(str(tmp_path / "a.png"), values[..., ::-1])
    ours = read_image(tmp_path / "a.png").pixels[0].numpy().transpose(1, 2, 0) * np.iinfo(dtype).max
    assert np.array_equal(np.round(ours), by_simpleitk(tmp_path / "a.png"))


@pytest.mark.parametrize("depth", [8, 16])
def test_what_is_written_here_is_read_by_simpleitk(tmp_path, depth):
    pixels = read_image(bundled_path("sample")).pixels
    write_png(tmp_path / "a.png", pixels, depth)
    theirs = by_simpleitk(tmp_path / "a.png") / (2**depth - 1)
    assert np.abs(pixels[0, 0].numpy() - theirs).max() < 2**-depth
