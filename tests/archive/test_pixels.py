"""Stored values of an edit: outside the mask those of the input, inside those that display the edit."""

import numpy as np
import pydicom
import pytest
import SimpleITK
import torch
from archive_cases import draw, results_for, write_results
from dicom_cases import table, write
from hypothesis import given
from hypothesis import strategies as st
from pydicom import uid

from x2x_core.archive.inverse_display import DisplayTable, display_table
from x2x_core.archive.pixels import store_edit
from x2x_core.imaging.dicom import read_dicom, read_stored

BENT = table((np.arange(4096) ** 2 // 256).tolist(), bits=16)
INVERTED = {"PhotometricInterpretation": "MONOCHROME1"}
FORMS = {
    "8 bits": (8, False, {}),
    "10 bits, no window": (10, False, {}),
    "12 bits, window": (12, False, {"WindowCenter": 2000, "WindowWidth": 1500}),
    "12 bits, inverted": (12, False, {**INVERTED, "WindowCenter": 2000, "WindowWidth": 3000}),
    "12 bits, sigmoid": (12, False, {"WindowCenter": 2000, "WindowWidth": 1500, "VOILUTFunction": "SIGMOID"}),
    "12 bits, table": (12, False, {"VOILUTSequence": [BENT]}),
    "12 bits, table, inverted": (12, False, {"VOILUTSequence": [BENT], **INVERTED}),
    "12 bits, rescaled": (
        12,
        False,
        {"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": 3000, "WindowWidth": 7000},
    ),
    "12 bits, modality table": (12, False, {"ModalityLUTSequence": [BENT]}),
    "14 bits": (14, False, {}),
    "16 bits": (16, False, {"WindowCenter": 30000, "WindowWidth": 50000}),
    "16 bits, no window": (16, False, {}),
    "signed 12 bits": (12, True, {"WindowCenter": 0, "WindowWidth": 3000}),
    "signed 16 bits, inverted": (16, True, INVERTED),
    "padding": (
        12,
        False,
        {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 60, "WindowCenter": 2000, "WindowWidth": 4000},
    ),
    "mirrored": (12, False, {"PatientOrientation": ["R", "F"]}),
    "lying": (12, False, {"PatientOrientation": ["F", "L"]}),
}


def stored(path):
    return read_stored(path).values


@pytest.mark.parametrize("name", FORMS)
def test_outside_the_mask_the_stored_values_are_the_inputs(tmp_path, name):
    bits, signed, tags = FORMS[name]
    path = write(tmp_path / "a.dcm", draw(bits, signed), bits, **tags)
    results = write_results(tmp_path / "out", path)
    picture = read_stored(path)
    mask = picture.turn.undo(results.guidance_mask[0, 0].numpy())
    before, after = picture.values, stored(tmp_path / "out" / "edited.dcm")
    assert mask.any() and not mask.all() and before.shape == after.shape
    assert (before[~mask] == after[~mask]).all() and (before[mask] != after[mask]).any()
    written = pydicom.dcmread(tmp_path / "out" / "edited.dcm")
    assert written.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert written.BitsStored == bits and written.PixelRepresentation == int(signed)
    assert written.PhotometricInterpretation == tags.get("PhotometricInterpretation", "MONOCHROME2")


@pytest.mark.parametrize("name", FORMS)
def test_the_result_is_displayed_as_the_edit(tmp_path, name):
    bits, signed, tags = FORMS[name]
    path = write(tmp_path / "a.dcm", draw(bits, signed), bits, **tags)
    results = write_results(tmp_path / "out", path)
    shown = read_dicom(tmp_path / "out" / "edited.dcm").pixels
    original = read_dicom(path).pixels
    assert (shown - original).abs()[~results.guidance_mask].max() < 2e-5  # also without a window, whatever changed
    picture = read_stored(path)
    levels = np.unique(display_table(picture).levels[display_table(picture).usable]) / display_table(picture).white
    coarsest = np.diff(levels).max() / 2
    wanted = results.edited.clamp(float(levels.min()), float(levels.max()))  # some tables never reach black or white
    assert (shown - wanted).abs()[results.guidance_mask].max() <= coarsest + 2e-5


@pytest.mark.parametrize(
    "syntax",
    [uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian, uid.RLELossless],
)
@pytest.mark.parametrize("tags", [{}, {"VOILUTSequence": [BENT]}, {"PixelPaddingValue": 5}])
def test_each_transfer_syntax_comes_out_uncompressed(tmp_path, syntax, tags):
    plain = write(tmp_path / "plain.dcm", draw(12), 12, **tags)
    path = write(tmp_path / "a.dcm", draw(12), 12, syntax, **tags)
    for name, source in (("out", path), ("plain", plain)):
        write_results(tmp_path / name, source)
    assert np.array_equal(stored(tmp_path / "out" / "edited.dcm"), stored(tmp_path / "plain" / "edited.dcm"))
    both = [read_dicom(tmp_path / name / "edited.dcm").pixels for name in ("out", "plain")]
    assert torch.equal(*both)
    assert pydicom.dcmread(tmp_path / "out" / "edited.dcm").file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian


@pytest.mark.parametrize("name", ["12 bits, window", "signed 12 bits", "16 bits", "8 bits"])
def test_a_second_library_reads_the_same_values(tmp_path, name):
    bits, signed, tags = FORMS[name]
    results = write_results(tmp_path / "out", write(tmp_path / "a.dcm", draw(bits, signed), bits, **tags))
    path = tmp_path / "out" / "edited.dcm"
    theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).squeeze()
    assert np.array_equal(theirs.astype(int), stored(path))
    mask = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "out" / "guidance_mask.dcm"))).squeeze()
    assert np.array_equal(mask > 0, results.guidance_mask[0, 0].numpy())


def test_a_clipped_pixel_moves_to_the_edge_of_the_window_only():
    levels = np.clip(np.arange(100) - 40, 0, 20)
    found = DisplayTable(0, levels, np.ones(100, bool), 20)
    # white for a grey pixel: the darkest white; black for one: the brightest black; clipped ones stay themselves
    wanted, own = np.array([20, 0, 20, 0, 7]), np.array([50, 50, 90, 3, 10])
    assert found.nearest(wanted, own).tolist() == [60, 40, 90, 3, 47]


@given(
    levels=st.lists(st.integers(0, 30), min_size=2, max_size=40),
    pixels=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 39)), min_size=1, max_size=20),
    seed=st.integers(0, 99),
)
def test_the_inverse_is_the_closest_display_and_then_the_closest_value(levels, pixels, seed):
    usable = np.random.default_rng(seed).random(len(levels)) < 0.7
    usable[0] = True
    found = DisplayTable(-5, np.array(levels), usable, 30)
    for wanted, own in pixels:
        own = min(own, len(levels) - 1)
        value = int(found.nearest(np.array([wanted]), np.array([own - 5]))[0]) + 5
        costs = {v: (abs(levels[v] - wanted), abs(v - own)) for v in range(len(levels)) if usable[v]}
        assert value in costs and costs[value] == min(costs.values())


def test_no_edited_pixel_becomes_padding(tmp_path):
    path = write(tmp_path / "a.dcm", draw(12), 12, PixelPaddingValue=0, PixelPaddingRangeLimit=900)
    results = write_results(tmp_path / "out", path, change=-1.0)
    before, after = stored(path), stored(tmp_path / "out" / "edited.dcm")
    changed = before != after
    assert changed.any() and (after[changed] > 900).all() and not (changed & ~results.guidance_mask[0, 0].numpy()).any()


def test_pixels_that_are_not_square_are_mapped_back(tmp_path):
    path = write(tmp_path / "a.dcm", draw(12), 12, PixelSpacing=[0.2, 0.1])
    results = results_for(path)
    edit = store_edit(read_stored(path), results.edited, results.guidance_mask)
    assert results.edited.shape[2:] == (48, 20) and edit.after.shape == (24, 20)
    # rows 12 to 24 of 48 are rows 6 to 12 of 24
    assert edit.mask[6:12, 5:10].all() and edit.mask.sum() == 30
    assert (edit.after != edit.before)[edit.mask].mean() > 0.7
    assert np.array_equal(edit.after[~edit.mask], edit.before[~edit.mask])


def test_colours_are_written_as_they_are_decoded(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
    path = write(tmp_path / "a.dcm", colours, Modality="OT")
    mask = write_results(tmp_path / "out", path).guidance_mask[0, 0].numpy()
    written = pydicom.dcmread(tmp_path / "out" / "edited.dcm")
    assert written.SOPClassUID == uid.SecondaryCaptureImageStorage and written.PhotometricInterpretation == "RGB"
    assert (written.pixel_array[~mask] == colours[~mask]).all() and (written.pixel_array != colours).any()


def test_an_edit_of_another_size_is_refused(tmp_path):
    path = write(tmp_path / "a.dcm", draw(12), 12)
    results = results_for(path)
    with pytest.raises(ValueError, match="`edited` and `mask` must have the radiograph's shape"):
        store_edit(read_stored(path), results.edited[..., 1:], results.guidance_mask)
