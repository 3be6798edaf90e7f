"""Identifiers: removed by default, replaced with a secret, kept for storing beside the input."""

import numpy as np
import pydicom
import pytest
from archive_cases import COMPLETE, KEY, draw, write_results
from dicom_cases import IDENTITY, dataset, write
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c
from pydicom.datadict import DicomDictionary, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset

from x2x_core.archive.derived_ids import days_back, derived_uid, shifted
from x2x_core.archive.kept_elements import NAMES
from x2x_core.archive.settings import DicomSettings
from x2x_core.archive.source import _EMPTY
from x2x_core.archive.writing import FILES

TOKEN = "KOWALSKA"
TEXTS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
REMOVE, REPLACE, KEEP = DicomSettings(), DicomSettings("replace", key=KEY), DicomSettings("keep")


def test_the_profile_of_the_standard_removes_nothing_that_is_kept():
    groups = [name for name in dir(dicomfields_2026c) if name.endswith("_TAGS")]
    profile = {tag for name in groups for tag in getattr(dicomfields_2026c, name) if len(tag) == 2}
    assert len(profile) > 500 and (0x0010, 0x0010) in profile
    kept = {(tag_for_keyword(name) >> 16, tag_for_keyword(name) & 0xFFFF) for name in NAMES}
    assert not kept & profile


def planted(path):
    """Write a file with a token in every text element that the dictionary knows, and in private and nested ones."""
    made = pydicom.dcmread(write(path, draw(12), 12, **{**IDENTITY, **COMPLETE}))
    needed = {"PhotometricInterpretation", "Modality", "SpecificCharacterSet"}
    for tag, (kind, multiplicity, _, _, keyword) in DicomDictionary.items():
        group = tag >> 16
        if kind in TEXTS and keyword and keyword not in needed and group not in (0x0000, 0x0002, 0x0004):
            value = f"{TOKEN}{tag:08X}"[:16]
            made.add_new(tag, kind, value if multiplicity != "2" else [value, value])
    made.PatientOrientation = ["L", "F"]
    for tag, (kind, _, _, _, keyword) in DicomDictionary.items():
        if kind == "SQ" and keyword and not keyword.endswith("LUTSequence"):
            item = Dataset()
            item.CodeMeaning = item.TextValue = TOKEN
            item.CodeValue, item.CodingSchemeDesignator = "1", TOKEN
            made.add_new(tag, "SQ", [item])
    block = made.private_block(0x0019, TOKEN, create=True)
    block.add_new(0x01, "LO", TOKEN)
    made.save_as(path)
    return path


@pytest.mark.parametrize("settings", [REMOVE, REPLACE], ids=["remove", "replace"])
@pytest.mark.parametrize("kind", ["1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1"])
def test_a_name_in_any_text_element_is_in_no_result(tmp_path, settings, kind):
    path = planted(tmp_path / "a.dcm")
    made = pydicom.dcmread(path)
    made.SOPClassUID = kind
    made.save_as(path)
    assert path.read_bytes().count(TOKEN.encode()) > 1500
    write_results(tmp_path / "out", path, settings)
    for name in FILES:
        content = (tmp_path / "out" / name).read_bytes()
        assert TOKEN.encode() not in content, name
        for value in IDENTITY.values():
            assert value.encode() not in content, (name, value)


def test_dates_and_identifiers_are_empty_by_default(tmp_path):
    path = write(tmp_path / "a.dcm", draw(12), 12, **{**IDENTITY, **COMPLETE})
    write_results(tmp_path / "out", path)
    found = pydicom.dcmread(tmp_path / "out" / "edited.dcm")
    assert all(found.get(name) in ("", None) for name in _EMPTY)
    assert found.PatientIdentityRemoved == "YES" and found.LongitudinalTemporalInformationModified == "REMOVED"
    assert found.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert found.KVP == 120 and found.ViewPosition == "PA" and found.BodyPartExamined == "CHEST"
    assert found.SourceImageSequence[0].ReferencedSOPInstanceUID not in IDENTITY.values()


def test_pseudonyms_are_the_same_for_the_same_patient_and_secret(tmp_path):
    tags = {**IDENTITY, **COMPLETE}
    first = write(tmp_path / "a.dcm", draw(12), 12, **tags)
    second = write(tmp_path / "b.dcm", draw(12) // 2, 12, **{**tags, "StudyDate": "20231124"})
    other = write(tmp_path / "c.dcm", draw(12), 12, **{**tags, "PatientID": "1"})
    found = {}
    for name, path, key in (("a", first, KEY), ("b", second, KEY), ("c", other, KEY), ("d", first, KEY + "!")):
        write_results(tmp_path / name, path, DicomSettings("replace", key=key))
        found[name] = pydicom.dcmread(tmp_path / name / "edited.dcm")
    assert found["a"].PatientID == found["b"].PatientID and found["a"].PatientID.startswith("X2X-")
    assert len({found[name].PatientID for name in "acd"}) == 3
    assert found["a"].StudyInstanceUID == found["b"].StudyInstanceUID != found["d"].StudyInstanceUID
    days = [np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in (found["a"].StudyDate, found["b"].StudyDate)]
    assert days[1] - days[0] == np.timedelta64(7, "D") and found["a"].StudyDate < "20231117"
    assert found["a"].LongitudinalTemporalInformationModified == "MODIFIED"


def test_patient_and_study_stay_in_the_archive_they_came_from(tmp_path):
    path = planted(tmp_path / "a.dcm")
    write(tmp_path / "b.dcm", draw(12), 12, **{**IDENTITY, **COMPLETE})
    write_results(tmp_path / "out", tmp_path / "b.dcm", KEEP)
    for name in FILES:
        found = pydicom.dcmread(tmp_path / "out" / name)
        for element in (
            "PatientName",
            "PatientID",
            "PatientBirthDate",
            "StudyInstanceUID",
            "AccessionNumber",
            "StudyDate",
        ):
            assert str(found[element].value) == IDENTITY[element]
        assert found.SeriesInstanceUID != IDENTITY["SeriesInstanceUID"]
    image = pydicom.dcmread(tmp_path / "out" / "edited.dcm")
    assert image.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.826.0.1.3680043.10.511.3.79"
    write_results(tmp_path / "private", path, KEEP)
    kept = pydicom.dcmread(tmp_path / "private" / "edited.dcm")
    assert not [element for element in kept.iterall() if element.tag.is_private]
    write_results(tmp_path / "new", tmp_path / "b.dcm", DicomSettings("keep", new_study=True))
    moved = pydicom.dcmread(tmp_path / "new" / "edited.dcm")
    assert moved.StudyInstanceUID != IDENTITY["StudyInstanceUID"] and str(moved.PatientName) == IDENTITY["PatientName"]


def test_texts_of_other_scripts_stay(tmp_path):
    path = tmp_path / "a.dcm"
    made = pydicom.dcmread(write(path, draw(12), 12, **COMPLETE))
    made.SpecificCharacterSet, made.PatientName = "ISO_IR 101", "Wałęsa^Łucja"
    made.save_as(path)
    write_results(tmp_path / "out", path, KEEP)
    assert str(pydicom.dcmread(tmp_path / "out" / "edited.dcm").PatientName) == "Wałęsa^Łucja"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"identifiers": "some"}, "`identifiers` must be one of remove, replace, keep, got 'some'"),
        ({"identifiers": "replace"}, "requires a secret of at least 16 characters .* X2X_PSEUDONYM_KEY"),
        ({"new_study": True}, "`new_study` requires `identifiers='keep'`"),
        ({"series_description": "x" * 65}, "`series_description` must be 1 to 64 printable characters"),
        ({"series_description": "a\\b"}, "`series_description` must be 1 to 64 printable characters"),
    ],
)
def test_unusable_choices_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        DicomSettings(**arguments)


def test_derived_uids_are_valid_and_depend_on_each_part():
    found = {derived_uid(*parts) for parts in (("a",), ("a", "b"), ("ab",), ("a", "b", ""))}
    assert len(found) == 4 and all(pydicom.uid.UID(uid).is_valid and len(uid) <= 64 for uid in found)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20240301", "20240229"),
        ("20240101120000.5+0100", "20231231120000.5+0100"),
        ("2024", ""),
        ("00010101", ""),
        ("2024030x", ""),
    ],
)
def test_dates_are_shifted_by_whole_days(value, expected):
    assert shifted(value, 1) == expected
    assert 1 <= days_back(KEY, "a") <= 3650 and days_back(KEY, "a") != days_back(KEY, "b")


def test_only_known_elements_are_read_without_identifiers(tmp_path, monkeypatch):
    path = write(tmp_path / "a.dcm", draw(12), 12, **{**IDENTITY, **COMPLETE})
    asked = []
    original = pydicom.dcmread
    monkeypatch.setattr(pydicom, "dcmread", lambda *a, **k: asked.append(k.get("specific_tags")) or original(*a, **k))
    write_results(tmp_path / "out", path)
    assert asked and all(tags is not None and not set(tags) & set(IDENTITY) for tags in asked)


def test_the_dictionary_is_not_asked_for_names_that_it_lacks():
    assert all(keyword_for_tag(tag_for_keyword(name)) == name for name in NAMES)
    assert dataset(draw(12), 12).Modality == "DX"
