"""Elements that an anonymous result takes from its input: measures and defined terms, none of which can name anybody.

DICOM PS3.15 table E.1-1 lists what its basic profile removes or replaces. This list goes the other way: what is not on
it is never read. It keeps nothing that the profile removes (a test compares the two), and of texts only the terms that
the standard defines, so that a name typed into the wrong field does not pass either.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from x2x_core.imaging.dicom_numbers import numbers

# Numbers (VR DS, IS, US, FD): geometry and exposure.
MEASURES = (
    "KVP", "ExposureTime", "ExposureTimeInuS", "XRayTubeCurrent", "XRayTubeCurrentInuA", "Exposure", "ExposureInuAs",
    "RelativeXRayExposure", "ExposureIndex", "TargetExposureIndex", "DeviationIndex", "Sensitivity",
    "ImageAndFluoroscopyAreaDoseProduct", "DistanceSourceToDetector", "DistanceSourceToPatient",
    "DistanceSourceToEntrance", "EstimatedRadiographicMagnificationFactor", "BodyPartThickness", "FocalSpots",
    "FieldOfViewDimensions", "FieldOfViewRotation", "FieldOfViewOrigin", "DetectorBinning",
    "DetectorElementPhysicalSize", "DetectorElementSpacing", "DetectorActiveDimensions", "DetectorActiveOrigin",
    "GridPitch", "GridAspectRatio", "GridThickness", "GridFocalDistance", "PositionerPrimaryAngle",
    "PositionerSecondaryAngle", "CollimatorLeftVerticalEdge", "CollimatorRightVerticalEdge",
    "CollimatorUpperHorizontalEdge", "CollimatorLowerHorizontalEdge", "ImagerPixelSpacing", "PixelSpacing",
    "NominalScannedPixelSpacing", "PixelAspectRatio", "PixelIntensityRelationshipSign", "RescaleIntercept",
    "RescaleSlope", "LossyImageCompressionRatio",
)  # fmt: skip
_YES_NO = ("YES", "NO")
# Terms (VR CS, and LO of the same kind) that the standard defines.
TERMS = {
    "Modality": ("CR", "DX", "RG", "OT", "SC", "RF", "XA", "XC"),
    "PresentationIntentType": ("FOR PRESENTATION", "FOR PROCESSING"),
    "BodyPartExamined": ("CHEST", "THORAX", "LUNG", "RIB", "HEART", "ABDOMEN", "CHESTABDOMEN", "WHOLEBODY"),
    "ViewPosition": ("AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO"),
    "PatientOrientation": ("L", "R", "A", "P", "H", "F", *(a + b for a in "LRAP" for b in "HFLRAP")),
    "Laterality": ("L", "R"),
    "ImageLaterality": ("L", "R", "U", "B"),
    "PatientPosition": ("HFP", "HFS", "HFDR", "HFDL", "FFDR", "FFDL", "FFP", "FFS"),
    "PhotometricInterpretation": ("MONOCHROME1", "MONOCHROME2"),
    "PixelIntensityRelationship": ("LIN", "LOG", "DISP"),
    "PresentationLUTShape": ("IDENTITY", "INVERSE"),
    "VOILUTFunction": ("LINEAR", "LINEAR_EXACT", "SIGMOID"),
    "RescaleType": ("US", "OD", "HU"),
    "BurnedInAnnotation": _YES_NO,
    "LossyImageCompression": ("00", "01"),
    "LossyImageCompressionMethod": ("ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_15444_15"),
    "PixelSpacingCalibrationType": ("GEOMETRY", "FIDUCIAL"),
    "DetectorType": ("DIRECT", "SCINTILLATOR", "STORAGE", "FILM"),
    "DetectorConfiguration": ("AREA", "SLOT"),
    "DetectorConditionsNominalFlag": _YES_NO,
    "PositionerType": ("CARM", "COLUMN", "NONE"),
    "FieldOfViewShape": ("RECTANGLE", "ROUND", "HEXAGONAL"),
    "FieldOfViewHorizontalFlip": _YES_NO,
    "CollimatorShape": ("RECTANGULAR", "CIRCULAR", "POLYGONAL"),
    "ExposureStatus": ("NORMAL", "ABORTED"),
    "ExposureControlMode": ("MANUAL", "AUTOMATIC"),
    "Grid": ("FIXED", "FOCUSED", "RECIPROCATING", "PARALLEL", "CROSSED", "NONE", "IN", "OUT"),
    "FilterType": ("STRIP", "WEDGE", "BUTTERFLY", "MULTIPLE", "FLAT", "SHAPED", "NONE"),
    "AnodeTargetMaterial": ("TUNGSTEN", "MOLYBDENUM", "RHODIUM"),
}
VIEWS, ANATOMY = "ViewCodeSequence", "AnatomicRegionSequence"
_CODE_LISTS = {VIEWS: "CID4010", ANATOMY: "CID4009"}  # PS3.16: DX View, DX Anatomy Imaged
NAMES = (*MEASURES, *TERMS, *_CODE_LISTS)


def kept_elements(dataset: Any) -> Iterator[tuple[str, Any]]:
    """Yield keyword and value of what a result takes from a data set: numbers, defined terms and known codes.

    An element with a value that is none of these is left out.
    """
    for name in MEASURES:
        if (value := measure(dataset, name)) is not None:
            yield name, value
    for name, terms in TERMS.items():
        found = _terms(dataset, name)
        if found and has_multiplicity(name, len(found)) and all(word in terms for word in found):
            yield name, found if len(found) > 1 else found[0]
    for name, codes in _CODE_LISTS.items():
        if known := [code for item in _items(dataset, name) if (code := _known_code(item, codes)) is not None]:
            yield name, known[:1]


def measure(dataset: Any, name: str) -> Any:
    """Return the numbers of a measure; `None` without numbers, or with another count than its element may have.

    A spacing of one number is that of rows and columns.
    """
    values = numbers(dataset, name)
    if len(values) == 1 and name.endswith("Spacing"):
        values = [*values, *values]
    fits = values and has_multiplicity(name, len(values)) and all(map(math.isfinite, values))
    return _plain(name, values) if fits else None


def has_multiplicity(name: str, count: int) -> bool:
    """Return True if an element may have so many values: "2", "1-3", "2-n" or "2-2n" in the standard's dictionary."""
    from pydicom.datadict import dictionary_VM, tag_for_keyword

    tag = tag_for_keyword(name)
    assert tag is not None
    least, _, most = dictionary_VM(tag).partition("-")
    if not most.endswith("n"):
        return int(least) <= count <= int(most or least)
    return count >= int(least) and count % int(most.removesuffix("n") or 1) == 0


def _plain(name: str, values: list[float]) -> Any:
    """Return numbers in the value representation of their element."""
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.valuerep import DSfloat

    tag = tag_for_keyword(name)
    assert tag is not None
    kind = dictionary_VR(tag)
    plain = [DSfloat(value, auto_format=True) if kind == "DS" else value for value in values]
    if kind in ("IS", "US", "SS"):
        plain = [round(value) for value in values]
    return plain if len(plain) > 1 else plain[0]


def _terms(dataset: Any, name: str) -> list[str]:
    try:
        value = dataset.get(name)
    except Exception:  # pydicom raises errors of many types for a damaged element
        return []
    several = [value] if isinstance(value, str) else list(value or ())
    return [part for text in several for part in re.split(r"\\", str(text).strip().upper())]


def _items(dataset: Any, name: str) -> list[Any]:
    try:
        return list(dataset.get(name) or ())
    except Exception:  # as above
        return []


def _known_code(item: Any, name: str) -> Any:
    """Return the code that an item names, written anew from the standard's list; `None` for another one."""
    from pydicom.dataset import Dataset
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    try:
        own = Code(str(item.CodeValue), str(item.CodingSchemeDesignator), "")
        group = getattr(codes, name)
        code = next((found for key in group.trait_names() if (found := getattr(group, key)) == own), None)
    except Exception:  # a damaged item, or a coding scheme that pydicom does not know
        return None
    if code is None:
        return None
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return made
