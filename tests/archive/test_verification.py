"""Verification: what a result's record shows, with and without its original."""

import json

import numpy as np
import pydicom
import pytest
import torch
from archive_cases import COMPLETE, PARAMETERS, draw, write_pictures, write_results
from dicom_cases import IDENTITY, table, write
from PIL import Image

from x2x_core.archive.settings import DicomSettings
from x2x_core.archive.verification import NO_RECORD, UNSIGNED, summary, verify
from x2x_core.archive.writing import FILES
from x2x_core.common.errors import InputError
from x2x_core.imaging.files import encode_png, read_text_chunks, to_values, write_png
from x2x_core.imaging.fingerprint import record_digest
from x2x_core.imaging.provenance import Proof, sha256_file, synthetic_metadata


@pytest.fixture
def film(tmp_path):
    return write(tmp_path / "a.dcm", draw(12), 12, **{**IDENTITY, **COMPLETE})


@pytest.fixture
def edited(tmp_path, film):
    write_results(tmp_path / "out", film)
    return tmp_path / "out" / "edited.dcm"


def repaint(path, row, column):
    """Change a pixel of a PNG and keep its text chunks."""
    chunks, values = read_text_chunks(path), np.array(Image.open(path))
    values[row, column] ^= 1
    path.write_bytes(encode_png(values, chunks))


def test_a_dicom_result_is_recognised_under_another_name(tmp_path, edited, film):
    moved = edited.rename(tmp_path / "IM0001")
    found = verify(moved, film)
    assert found.is_made_here and found.is_unaltered and found.holds
    assert found.original.is_input and found.original.has_input_pixels
    assert found.original.changed_outside == 0 < found.original.changed_inside
    said = " ".join(summary(found))
    assert PARAMETERS["prompt"] in said and sha256_file(film) in said and "0" * 64 in said and UNSIGNED in said
    assert json.loads(json.dumps(found.as_dict()))["holds"]


@pytest.mark.parametrize("name", FILES)
def test_each_result_carries_a_record_of_its_own_pixels(edited, name):
    found = verify(edited.parent / name)
    assert found.is_made_here and found.is_unaltered and found.parameters["seed"] == 3


@pytest.mark.parametrize(("row", "column", "outside"), [(0, 0, 1), (8, 7, 0)])
def test_an_altered_dicom_pixel_is_found(edited, film, row, column, outside):
    made = pydicom.dcmread(edited)
    values = made.pixel_array.copy()
    values[row, column] ^= 1
    made.PixelData = values.tobytes()
    made.save_as(edited)
    found = verify(edited, film)
    assert found.is_made_here and found.is_unaltered is False and not found.holds
    assert found.original.changed_outside == outside
    assert "ALTERED" in " ".join(summary(found))


def test_lossless_compression_and_changed_tags_leave_it_unaltered(edited, film):
    made = pydicom.dcmread(edited)
    made.PatientID = "other"
    made.compress(pydicom.uid.RLELossless, encoding_plugin="pydicom")
    made.save_as(edited)
    assert verify(edited, film).holds


def test_another_original_is_told_apart(tmp_path, edited, film):
    other = write(tmp_path / "b.dcm", draw(12)[::-1], 12, **COMPLETE)
    found = verify(edited, other)
    assert not found.original.is_input and found.original.has_input_pixels is False and not found.holds
    assert "NOT the recorded input" in " ".join(summary(found))
    again = write(tmp_path / "c.dcm", draw(12), 12, **COMPLETE)  # the same pixels, another head
    found = verify(edited, again)
    assert not found.original.is_input and found.original.has_input_pixels and found.holds


def test_an_original_of_another_size_cannot_be_compared(tmp_path, edited):
    found = verify(edited, write(tmp_path / "b.dcm", draw(12, shape=(10, 10)), 12))
    assert found.original.changed_outside is None and "different sizes" in " ".join(summary(found))


def test_the_burnt_in_mark_counts_as_mask(tmp_path, film):
    write_results(tmp_path / "marked", film, DicomSettings(burn_in=True))
    found = verify(tmp_path / "marked" / "edited.dcm", film)
    assert found.holds and "burnt" in " ".join(summary(found))


@pytest.mark.parametrize("depth", [8, 16])
def test_a_picture_is_recognised_and_compared(tmp_path, depth):
    original, edited = write_pictures(tmp_path, depth)
    found = verify(edited.rename(tmp_path / "holiday.png"), original)
    assert found.holds and found.original.changed_outside == 0 and found.original.changed_inside > 10


@pytest.mark.parametrize(("row", "column", "outside"), [(0, 0, 1), (6, 6, 0)])
def test_an_altered_picture_is_found(tmp_path, row, column, outside):
    original, edited = write_pictures(tmp_path)
    repaint(edited, row, column)
    found = verify(edited, original)
    assert found.is_unaltered is False and found.original.changed_outside == outside and not found.holds


def test_after_re_encoding_it_is_said_what_cannot_be_known(tmp_path):
    original, edited = write_pictures(tmp_path)
    Image.open(edited).save(tmp_path / "a.jpg")
    Image.fromarray(np.array(Image.open(edited))).save(tmp_path / "bare.png")
    for name in ("a.jpg", "bare.png", "chest.png"):
        found = verify(tmp_path / name, original)
        assert not found.is_made_here and not found.holds and NO_RECORD in summary(found)


def test_a_foreign_dicom_file_has_no_record(tmp_path, film):
    found = verify(film)
    assert not found.is_made_here and summary(found) == [NO_RECORD]
    made = pydicom.dcmread(film)
    made.SyntheticData = "YES"
    made.save_as(film)
    assert "It says of itself that it is synthetic." in summary(verify(film))


def test_pictures_of_earlier_versions_have_no_digest(tmp_path):
    write_png(tmp_path / "a.png", torch.zeros(1, 4, 4), 8, synthetic_metadata(PARAMETERS))
    found = verify(tmp_path / "a.png")
    assert found.is_made_here and found.is_unaltered is None and "no digest" in " ".join(summary(found))


def test_a_map_cannot_be_compared_with_the_original(edited, film):
    found = verify(edited.parent / "panel.dcm", film)
    assert found.original.is_input and "Only edited images" in " ".join(summary(found))


def test_unusable_files_are_refused(tmp_path, edited):
    with pytest.raises(FileNotFoundError, match="to verify"):
        verify(tmp_path / "nowhere.png")
    with pytest.raises(FileNotFoundError, match="to compare with"):
        verify(edited, tmp_path / "nowhere.dcm")
    picture, _ = write_pictures(tmp_path)
    with pytest.raises(ValueError, match="`original` must be a DICOM file"):
        verify(edited, picture)
    chunks = read_text_chunks(tmp_path / "edited.png")
    for packed in ("20x30", "20x30:AAAA", "0x30:", "200000x300000:eJw=", "20x30:eJwDAAAAAAE="):
        changed = {**chunks, "Guidance-Mask": packed}
        (tmp_path / "b.png").write_bytes(encode_png(np.array(Image.open(tmp_path / "edited.png")), changed))
        with pytest.raises(ValueError, match=r"guidance mask .* the record was altered"):
            verify(tmp_path / "b.png", picture)


def rewrite(path, change):
    """Change a DICOM file by a function of its data set."""
    made = pydicom.dcmread(path)
    change(made)
    made.save_as(path)
    return path


def record_item(made):
    return next(item for item in made.ContributingEquipmentSequence if "TextValue" in item)


def test_an_altered_instruction_of_a_dicom_result_is_found(edited, film):
    def change(made):
        item = record_item(made)
        item.TextValue = item.TextValue.replace("Add the finding of edema", "Remove the edema")

    found = verify(rewrite(edited, change), film)
    assert found.is_unaltered and found.is_record_intact is False and not found.holds
    assert "Record since then: ALTERED." in summary(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DerivationDescription", "Something else."),
        ("SyntheticData", "NO"),
        ("WindowCenter", "7"),
        ("RescaleSlope", "2"),
        ("PhotometricInterpretation", "MONOCHROME1"),
        ("PatientOrientation", ["R", "F"]),
    ],
)
def test_changed_elements_of_identity_and_display_are_named(edited, film, name, value):
    found = verify(rewrite(edited, lambda made: setattr(made, name, value)), film)
    assert found.is_unaltered and found.is_record_intact and not found.holds
    assert found.changed_elements == (name,) and f"Elements since then: {name} CHANGED." in summary(found)
    assert found.as_dict()["changed_elements"] == [name]


def as_table(made):
    made.VOILUTSequence = [table(np.arange(4096)[::-1], kind="OW", bits=12)]


DISPLAYS = {
    "PixelPaddingValue": ({"PixelPaddingValue": 5}, lambda made: setattr(made, "PixelPaddingValue", 6)),
    "PixelPaddingRangeLimit": (
        {"PixelPaddingValue": 5, "PixelPaddingRangeLimit": 9},
        lambda made: delattr(made, "PixelPaddingRangeLimit"),
    ),
    "VOILUTFunction": (
        {"WindowCenter": 2000, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"},
        lambda made: setattr(made, "VOILUTFunction", "LINEAR_EXACT"),
    ),
    "VOILUTSequence": ({"VOILUTSequence": [table(range(4096), kind="OW", bits=12)]}, as_table),
    "ModalityLUTSequence": (
        {"ModalityLUTSequence": [table(range(4096), bits=12)]},
        lambda made: delattr(made, "ModalityLUTSequence"),
    ),
}


@pytest.mark.parametrize("name", DISPLAYS)
def test_changed_tables_functions_and_padding_are_named(tmp_path, name):
    tags, change = DISPLAYS[name]
    path = write(tmp_path / "b.dcm", draw(12), 12, **{**COMPLETE, **tags})
    write_results(tmp_path / "other", path)
    edited = tmp_path / "other" / "edited.dcm"
    assert verify(edited, path).holds, "as it was written"
    assert verify(rewrite(edited, lambda made: None), path).holds, "and as pydicom writes it again"
    found = verify(rewrite(edited, change), path)
    assert found.is_unaltered and found.changed_elements == (name,) and not found.holds


def test_tables_in_another_byte_order_and_encoding_are_the_same(tmp_path):
    path = write(tmp_path / "b.dcm", draw(12), 12, **COMPLETE, VOILUTSequence=[table(range(4096), kind="OW", bits=12)])
    write_results(tmp_path / "other", path)
    made = pydicom.dcmread(tmp_path / "other" / "edited.dcm")
    made.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    made.save_as(tmp_path / "implicit.dcm")
    assert verify(tmp_path / "implicit.dcm", path).holds


def test_a_record_of_another_format_is_refused_and_an_altered_one_is_named(edited):
    def change(made, is_consistent):
        item = record_item(made)
        record = {**json.loads(item.TextValue), "format": 2}
        if is_consistent:
            record["record_sha256"] = record_digest({k: v for k, v in record.items() if k != "record_sha256"})
        item.TextValue = json.dumps(record, sort_keys=True)

    assert verify(rewrite(edited, lambda made: change(made, False))).is_record_intact is False
    with pytest.raises(InputError, match="must have a record of format 1, which this version reads, got 2"):
        verify(rewrite(edited, lambda made: change(made, True)))


def test_a_new_instance_uid_is_named_and_holds(edited, film):
    found = verify(rewrite(edited, lambda made: setattr(made, "SOPInstanceUID", "1.2.3")), film)
    assert found.holds and found.changed_elements == ("SOPInstanceUID",)
    assert "Elements since then: SOPInstanceUID CHANGED." in summary(found)
    assert "a new instance of what was written" in " ".join(summary(found))


def test_a_record_without_a_digest_of_itself_says_what_cannot_be_known(edited, film):
    def change(made):
        item = record_item(made)
        item.TextValue = json.dumps({k: v for k, v in json.loads(item.TextValue).items() if k != "record_sha256"})

    found = verify(rewrite(edited, change), film)
    assert found.is_record_intact is None and found.holds and "its words were altered" in " ".join(summary(found))


def test_an_altered_instruction_of_a_picture_is_found(tmp_path):
    original, edited = write_pictures(tmp_path)
    chunks, values = read_text_chunks(edited), np.array(Image.open(edited))
    edited.write_bytes(encode_png(values, {**chunks, "Comment": "mine", "Title": "a"}))
    assert verify(edited, original).holds
    edited.write_bytes(encode_png(values, {**chunks, "Parameters": chunks["Parameters"].replace("edema", "oedema")}))
    found = verify(edited, original)
    assert found.is_unaltered and found.is_record_intact is False and not found.holds


@pytest.mark.parametrize("name", FILES[1:])
def test_a_map_holds_with_the_recorded_original_alone(tmp_path, edited, film, name):
    other = write(tmp_path / "b.dcm", draw(12)[::-1], 12, **COMPLETE)
    assert verify(edited.parent / name, film).holds
    assert not verify(edited.parent / name, other).holds


def test_control_characters_of_a_record_do_not_reach_the_terminal(tmp_path):
    parameters = {"prompt": "\x1b[31mx\nOriginal: the recorded input."}
    values = torch.zeros(1, 4, 4)
    write_png(tmp_path / "a.png", values, 8, synthetic_metadata(parameters, Proof(to_values(values[None], 8))))
    lines = summary(verify(tmp_path / "a.png"))
    assert all(line.isprintable() for line in lines) and not any(line.startswith("Original") for line in lines)


def test_a_picture_cut_short_is_refused(tmp_path):
    _, edited = write_pictures(tmp_path)
    content = edited.read_bytes()
    edited.write_bytes(content[: len(content) - 200])
    with pytest.raises(ValueError, match="must be an intact PNG file"):
        verify(edited)
