"""DICOM objects that an edit writes: valid, marked as synthetic, the same bytes twice."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from archive_cases import COMPLETE, KEY, PARAMETERS, draw, results_for, write_results
from dicom_cases import IDENTITY, table, write
from pydicom import uid

import x2x_core
from x2x_core.archive.settings import DicomSettings
from x2x_core.archive.writing import FILES
from x2x_core.imaging.dicom import read_dicom, read_stored

CR = {"SOPClassUID": uid.ComputedRadiographyImageStorage, "Modality": "CR", "ViewPosition": "AP", "KVP": "90"}
MODES = {
    "remove": DicomSettings(),
    "replace": DicomSettings("replace", key=KEY),
    "keep": DicomSettings("keep"),
}
KINDS = {
    "DX": {**IDENTITY, **COMPLETE},
    "DX, nothing but pixels": {},
    "CR": {**IDENTITY, **CR},
    "CR, rescaled": {**CR, "RescaleSlope": 2, "RescaleIntercept": -100},
    "CR, 12-bit table": {**CR, "VOILUTSequence": [table(range(4096), bits=12)]},
    "CR, table of fewer bits than it declares": {**CR, "VOILUTSequence": [table(range(4096), bits=16)]},
    "CR, modality table": {**CR, "ModalityLUTSequence": [table(np.linspace(0, 65535, 4096).round())]},
    "DX, 12-bit table": {**COMPLETE, "VOILUTSequence": [table(range(4096), bits=12)]},
    "CR, measures of a wrong count": {**CR, "PixelSpacing": ["0.14"], "ImagerPixelSpacing": ["1", "2", "3"]},
    "RF": {**IDENTITY, "SOPClassUID": uid.XRayRadiofluoroscopicImageStorage, "Modality": "RF"},
}
# Of the extra `validator`, beside Python, or the system's.
VALIDATOR = shutil.which("dciodvfy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
# Classes by which it checks objects.
CLASS_READ = r"(?m)^(DXImageFor\w+|CRImage|SCImage|Segmentation|ParametricMap)$"
# The standard has had Synthetic Data (0008,001C) since 2023; Debian's dicom3tools is older.
SYNTHETIC_DATA = "Attribute with an even group number is not a recognized standard attribute - (0x0008,0x001c)"


def written(folder, name="edited"):
    return pydicom.dcmread(folder / f"{name}.dcm")


@pytest.fixture(scope="module")
def unknown():
    """Errors of a validator that is older than what they are about."""
    if VALIDATOR is None:
        pytest.skip("dciodvfy of dicom3tools is not installed: not validated")
    said = subprocess.run([VALIDATOR, "-version"], capture_output=True, text=True)
    year = re.search(r"snapshot\.(\d{4})", said.stderr + said.stdout)
    return [SYNTHETIC_DATA] if year and int(year[1]) < 2023 else []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_independent_validator_finds_no_error(tmp_path, unknown, kind, mode):
    write_results(tmp_path / "out", write(tmp_path / "a.dcm", draw(12), 12, **KINDS[kind]), MODES[mode])
    for name in FILES:
        done = subprocess.run([VALIDATOR, str(tmp_path / "out" / name)], capture_output=True, text=True)
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        assert [line for line in errors if not any(text in line for text in unknown)] == [], name
        assert re.search(CLASS_READ, done.stderr), "the validator read the object"


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_tables_are_written_with_16_bits_and_display_the_same(tmp_path, bits):
    entries = np.linspace(2 ** min(bits, 12) - 1, 0, 4096).round()
    path = write(tmp_path / "a.dcm", draw(12), 12, **CR, VOILUTSequence=[table(entries, bits=bits)])
    write_results(tmp_path / "out", path)
    assert written(tmp_path / "out").VOILUTSequence[0].LUTDescriptor == [4096, 0, 16]
    before, after = read_stored(path), read_stored(tmp_path / "out" / "edited.dcm")
    outside = before.values == after.values
    assert np.abs(before.shown - after.shown)[outside].max() < 1e-5


DX, DX_RAW = uid.DigitalXRayImageStorageForPresentation, uid.DigitalXRayImageStorageForProcessing
CAPTURE = uid.SecondaryCaptureImageStorage


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        (COMPLETE, DX),
        ({**COMPLETE, "SOPClassUID": DX_RAW}, DX_RAW),
        ({name: value for name, value in COMPLETE.items() if name != "ImagerPixelSpacing"}, CAPTURE),
        ({**COMPLETE, "RescaleSlope": 2, "RescaleIntercept": 0}, CAPTURE),
        (CR, uid.ComputedRadiographyImageStorage),
        ({"Modality": "OT", "SOPClassUID": CAPTURE}, CAPTURE),
    ],
)
def test_the_class_is_the_inputs_where_it_has_what_the_class_requires(tmp_path, tags, kind):
    write_results(tmp_path / "out", write(tmp_path / "a.dcm", draw(12), 12, **tags))
    assert written(tmp_path / "out").SOPClassUID == kind


def test_signed_digital_radiographs_become_secondary_captures(tmp_path):
    write_results(tmp_path / "out", write(tmp_path / "a.dcm", draw(12, signed=True), 12, **COMPLETE))
    assert written(tmp_path / "out").SOPClassUID == uid.SecondaryCaptureImageStorage


def test_every_object_says_that_it_is_synthetic_and_how_it_was_made(tmp_path):
    write_results(tmp_path / "out", write(tmp_path / "a.dcm", draw(12), 12, **COMPLETE))
    image = written(tmp_path / "out")
    for name in FILES:
        found = pydicom.dcmread(tmp_path / "out" / name)
        assert found.SyntheticData == "YES" and found.ImageType[0] == "DERIVED"
        assert (
            "Not for diagnosis" in found.DerivationDescription and PARAMETERS["prompt"] in found.DerivationDescription
        )
        assert found.DerivationCodeSequence[0].CodingSchemeDesignator == "99X2X"
        maker = found.ContributingEquipmentSequence[0]
        assert (maker.Manufacturer, maker.SoftwareVersions) == ("InstructX2X", x2x_core.__version__)
        assert found.StudyInstanceUID == image.StudyInstanceUID and found.SeriesDescription.startswith("Synthetic")
        if name != "edited.dcm":
            assert found.SourceImageSequence[0].ReferencedSOPInstanceUID == image.SOPInstanceUID
    assert list(image.ImageType) == ["DERIVED", "SECONDARY"]
    series = {pydicom.dcmread(tmp_path / "out" / name).SeriesInstanceUID for name in FILES}
    instances = {pydicom.dcmread(tmp_path / "out" / name).SOPInstanceUID for name in FILES}
    assert len(series) == len(instances) == 4


@pytest.mark.parametrize("mode", MODES)
def test_the_same_edit_gives_the_same_bytes(tmp_path, mode):
    path = write(tmp_path / "a.dcm", draw(12), 12, **KINDS["DX"])
    for name in "ab":
        write_results(tmp_path / name, path, MODES[mode])
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    write_results(tmp_path / "c", path, MODES[mode], change=0.1)
    assert written(tmp_path / "a").SOPInstanceUID != written(tmp_path / "c").SOPInstanceUID


@pytest.mark.parametrize("orientation", [["L", "F"], ["R", "F"], ["F", "L"]])
def test_mask_and_map_are_in_the_pixel_grid_of_the_image(tmp_path, orientation):
    path = write(tmp_path / "a.dcm", draw(12), 12, **{**COMPLETE, "PatientOrientation": orientation})
    results = write_results(tmp_path / "out", path)
    turn = read_stored(path).turn
    mask = turn.undo(results.guidance_mask[0, 0].numpy())
    segmentation, guidance = written(tmp_path / "out", "guidance_mask"), written(tmp_path / "out", "guidance_map")
    assert segmentation.SOPClassUID == uid.SegmentationStorage and guidance.SOPClassUID == uid.ParametricMapStorage
    assert np.array_equal(segmentation.pixel_array.astype(bool), mask)
    assert np.array_equal(guidance.pixel_array, turn.undo(results.guidance_map[0, 0].numpy()))
    assert "FrameOfReferenceUID" not in segmentation and guidance.FrameOfReferenceUID.startswith("2.25.")
    measures = guidance.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert list(measures.PixelSpacing) == [0.14, 0.14]


def test_an_empty_mask_is_written(tmp_path):
    from x2x_core.archive.writing import Results, write_dicom

    path = write(tmp_path / "a.dcm", draw(12), 12)
    full = results_for(path)
    nothing = Results(read_dicom(path).pixels, full.guidance_map * 0, full.guidance_mask & False, full.panel)
    write_dicom(tmp_path, path, nothing, "Add edema.", {}, DicomSettings())
    assert not written(tmp_path, "guidance_mask").pixel_array.any()
    assert np.array_equal(read_stored(tmp_path / "edited.dcm").values, read_stored(path).values)


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_the_mark_is_burnt_in_by_choice(tmp_path, kind):
    tags = {**COMPLETE, "PhotometricInterpretation": kind}
    path = write(tmp_path / "a.dcm", draw(12, shape=(300, 400)), 12, **tags)
    write_results(tmp_path / "out", path, DicomSettings(burn_in=True, series_description="Trial 7"))
    found = written(tmp_path / "out")
    assert found.BurnedInAnnotation == "YES" and found.SeriesDescription == "Trial 7"
    shown = read_dicom(tmp_path / "out" / "edited.dcm").pixels[0, 0]
    corner = shown[:8, :100]
    assert corner.min() == 0 and corner.max() == 1 and ((corner < 0.01) | (corner > 0.99)).all()
    assert written(tmp_path / "out", "panel").SeriesDescription == "Trial 7: panel"


def test_what_is_said_in_other_scripts_can_be_read(tmp_path):
    from x2x_core.archive.writing import write_dicom

    path = write(tmp_path / "a.dcm", draw(12), 12)
    words = "왼쪽 흉수를 추가\n" + "x" * 2000
    write_dicom(tmp_path, path, results_for(path), words, {"prompt": words}, DicomSettings())
    said = written(tmp_path).DerivationDescription
    assert "왼쪽 흉수를 추가 xxx" in said and len(said) == 1024 and said.endswith("…")


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "a.dcm", draw(12), 12)
    results = results_for(path)
    monkeypatch.setitem(sys.modules, "highdicom", None)
    from x2x_core.archive.writing import write_dicom

    with pytest.raises(ImportError, match=r"Writing DICOM needs highdicom: install the extra .*instructx2x\[dicom\]"):
        write_dicom(tmp_path, path, results, "Add edema.", {}, DicomSettings())
    assert not (tmp_path / "edited.dcm").exists()


def test_earlier_equipment_stays_where_identifiers_are_kept(tmp_path):
    path = tmp_path / "a.dcm"
    made = pydicom.dcmread(write(path, draw(12), 12, **COMPLETE))
    item = pydicom.Dataset()
    item.Manufacturer = "Gateway"
    made.ContributingEquipmentSequence = [item]
    made.save_as(path)
    write_results(tmp_path / "keep", path, DicomSettings("keep"))
    write_results(tmp_path / "remove", path)
    kept = [one.Manufacturer for one in written(tmp_path / "keep").ContributingEquipmentSequence]
    assert kept == ["Gateway", "InstructX2X"]
    assert "Gateway" not in {one.Manufacturer for one in written(tmp_path / "remove").ContributingEquipmentSequence}


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [(["0.14"], 0.14), (["0", "0"], 1), (["-1", "1"], 1), (["1", "2", "3"], 1)],
)
def test_an_unusable_spacing_does_not_reach_the_map(tmp_path, spacing, expected):
    path = write(tmp_path / "a.dcm", draw(12), 12, **{**COMPLETE, "ImagerPixelSpacing": spacing})
    write_results(tmp_path / "out", path)
    made = pydicom.dcmread(tmp_path / "out" / "guidance_map.dcm")
    measures = made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.PixelSpacing == [expected, expected]
