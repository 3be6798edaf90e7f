"""The DICOM file that an edit was made from: the elements that its result takes over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x2x_core.common.extras import needs_extra
from x2x_core.imaging.provenance import sha256_file

from .derived_ids import days_back, derived_uid, pseudonym, replaced_uid, shifted
from .kept_elements import MEASURES, NAMES, has_multiplicity, kept_elements, measure
from .settings import KEEP, REMOVE, DicomSettings

DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime")
_TIMES = ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime")
_REPLACED = ("PatientID", "StudyInstanceUID", "SOPInstanceUID", *DATES, *_TIMES)
_EMPTY = (  # type 2 of the patient and study modules
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
    "ReferringPhysicianName", "StudyID",
)  # fmt: skip
_BULK = ("OB", "OW", "OF", "OD", "OL", "OV", "UN")
# Groups that describe the original's pixels or bind it: thumbnails, annotations, signatures, curves, overlays, pixels.
_DROPPED_GROUPS = (0x0002, 0x0070, 0x0088, 0x0400, 0x5400, 0x7FE0, 0xFFFA, 0xFFFC)
_DROPPED = (
    "InstanceCreationDate", "InstanceCreationTime", "InstanceCreatorUID", "SmallestImagePixelValue",
    "LargestImagePixelValue", "SmallestPixelValueInSeries", "LargestPixelValueInSeries", "NumberOfFrames",
    "PlanarConfiguration", "PixelPaddingValue", "PixelPaddingRangeLimit", "DerivationDescription",
    "DerivationCodeSequence", "SourceImageSequence", "VOILUTSequence", "ModalityLUTSequence",
    "PaletteColorLookupTableUID", "PresentationLUTSequence", "SeriesNumber", "SyntheticData",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """Elements that a result takes from its input, and the references to it."""

    elements: Any  # pydicom data set: patient, study and technique
    sop_class: str
    reference: str  # SOP instance UID by which results refer to the input: its own, or the one that replaces it
    sha256: str  # of the file


def read_source(path: Path, settings: DicomSettings) -> Source:
    """Read what the results take from their input.

    Without identifiers only the elements of `kept_elements` are read; names, dates and UIDs never reach memory.

    Args:
        path: a DICOM file that `read_stored` reads.
        settings: how it is written.

    Raises:
        MissingExtraError: pydicom is not installed.
    """
    with needs_extra("Writing DICOM", "pydicom", "dicom"):
        import pydicom
    names = {REMOVE: ["SOPClassUID", *NAMES], KEEP: None}.get(
        settings.identifiers, ["SOPClassUID", *NAMES, *_REPLACED, "SpecificCharacterSet"]
    )
    read = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=names)
    digest = sha256_file(path)
    if settings.identifiers == KEEP:
        elements, reference = _everything(read), _text(read, "SOPInstanceUID")
        study = _text(read, "StudyInstanceUID")
        elements.StudyInstanceUID = derived_uid("study", digest, study) if settings.new_study or not study else study
    else:
        elements, reference = _anonymous(read, digest), ""
    if settings.identifiers not in (KEEP, REMOVE):
        reference = _replace(elements, read, settings.key, digest)
    return Source(elements, _text(read, "SOPClassUID"), reference or derived_uid("source", digest), digest)


def _anonymous(read: Any, digest: str) -> Any:
    """Return the kept elements, with patient and study empty."""
    from pydicom.dataset import Dataset
    from pydicom.sr.codedict import codes

    elements = Dataset()
    for name in _EMPTY:
        setattr(elements, name, "")
    for name, value in kept_elements(read):
        setattr(elements, name, value)
    elements.StudyInstanceUID = derived_uid("study", digest)
    elements.PatientIdentityRemoved = "YES"
    elements.DeidentificationMethod = "Elements not known to be harmless are left out"
    elements.DeidentificationMethodCodeSequence = [_item(codes.DCM.BasicApplicationConfidentialityProfile)]
    elements.LongitudinalTemporalInformationModified = "REMOVED"
    return elements


def _replace(elements: Any, read: Any, key: str, digest: str) -> str:
    """Set pseudonyms, the study's new UID and shifted dates; return the UID that replaces the input's."""
    from pydicom.sr.codedict import codes

    study, patient = _text(read, "StudyInstanceUID"), _text(read, "PatientID")
    patient = patient or study or digest
    elements.PatientID = f"X2X-{pseudonym(key, 'patient', patient)}"
    elements.PatientName = elements.PatientID.replace("-", "^")
    if study:
        elements.StudyInstanceUID = replaced_uid(key, study)
    days = days_back(key, patient)
    for name in DATES:
        if date := shifted(_text(read, name), days):
            setattr(elements, name, date)
    for name in _TIMES:
        time = _text(read, name)
        if time.replace(".", "", 1).isdigit() and elements.get(name.replace("Time", "Date")):
            setattr(elements, name, time)
    elements.LongitudinalTemporalInformationModified = "MODIFIED"
    elements.DeidentificationMethodCodeSequence.append(
        _item(codes.DCM.RetainLongitudinalTemporalInformationModifiedDatesOption)
    )
    instance = _text(read, "SOPInstanceUID")
    return replaced_uid(key, instance) if instance else ""


def _everything(read: Any) -> Any:
    """Return all elements but private ones, damaged ones, and those that describe the original's pixels alone.

    Measures with a count of values that their element cannot have are mended as `measure` does, or left out.
    """
    from pydicom.dataset import Dataset

    elements = Dataset()
    for name in _EMPTY:
        setattr(elements, name, "")
    for tag in list(read.keys()):
        if tag.is_private or tag.group in _DROPPED_GROUPS or tag.group & 0xFF00 in (0x5000, 0x6000):
            continue
        try:
            element = read[tag]
            _decode(element)
        except Exception:  # damaged: pydicom raises errors of many types
            continue
        if element.VR not in _BULK and element.keyword not in _DROPPED:
            elements.add(element)
    for name in MEASURES:
        if name in elements and not has_multiplicity(name, elements[name].VM):
            del elements[name]
            if (value := measure(read, name)) is not None:
                setattr(elements, name, value)
    elements.walk(_drop_bulk)
    elements.remove_private_tags()
    elements.SpecificCharacterSet = read.get("SpecificCharacterSet") or "ISO_IR 6"
    elements.decode()
    return elements


def _decode(element: Any) -> None:
    for item in element.value if element.VR == "SQ" else ():
        for _ in item.iterall():
            pass


def _drop_bulk(dataset: Any, element: Any) -> None:
    if element.VR in _BULK:
        del dataset[element.tag]


def _text(dataset: Any, name: str) -> str:
    try:
        return str(dataset.get(name) or "").strip()
    except Exception:  # a damaged element
        return ""


def _item(code: Any) -> Any:
    from pydicom.dataset import Dataset

    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return made
