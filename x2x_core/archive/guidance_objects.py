"""Guidance mask as DICOM Segmentation and guidance map as Parametric Map, in the pixel grid of the edited image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import x2x_core
from x2x_core.common.extras import needs_extra
from x2x_core.imaging.dicom_numbers import numbers
from x2x_core.imaging.pixel_shape import height_to_width

from .capture_object import share
from .derived_ids import derived_uid
from .provenance_elements import MAKER, SCHEME

_LABEL = "Guidance mask"
_SERIAL = "none"  # type 1 of enhanced objects; a program has no serial number


@dataclass(frozen=True)
class Identity:
    """Identifiers of a new object in a series of its own."""

    instance: str
    series: str
    number: int  # of the series
    description: str  # of the series


def check_library() -> None:
    """Check that the library for these objects is installed.

    Raises:
        MissingExtraError: it is not.
    """
    with needs_extra("Writing DICOM", "highdicom", "dicom"):
        import highdicom  # noqa: F401


def mask_object(image: Any, mask: np.ndarray, identity: Identity) -> Any:
    """Return the guidance mask as a Segmentation with one segment.

    Args:
        image: data set of the edited image.
        mask: `(H, W)` bool in its grid. An empty mask is written as an empty frame.
        identity: UIDs and the series.
    """
    from highdicom.seg import (
        SegmentAlgorithmTypeValues,
        Segmentation,
        SegmentationTypeValues,
        SegmentDescription,
    )
    from highdicom.sr import CodedConcept

    segment = SegmentDescription(
        segment_number=1,
        segment_label=_LABEL,
        segmented_property_category=CodedConcept("91723000", "SCT", "Anatomical structure"),
        segmented_property_type=CodedConcept("GMASK", SCHEME, "Region that an edit may change"),
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=_algorithm(),
    )
    made = Segmentation(
        source_images=[_stand_in(image)],
        pixel_array=mask.astype(np.uint8),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[segment],
        content_description=_LABEL,
        content_label="GUIDANCE_MASK",
        omit_empty_frames=False,
        **_common(identity),
    )
    return _settle(made, image)


def map_object(image: Any, values: np.ndarray, identity: Identity) -> Any:
    """Return the guidance map as a Parametric Map of 32-bit floating-point values in [0, 1].

    A Parametric Map requires a frame of reference (PS3.3 A.75), which projection radiographs lack. The map gets one of
    its own, of the image's plane: its origin is the first pixel, its axes follow the patient orientation, and lengths
    are those at the detector, or counted as 1 mm a pixel if the file gives none.

    Args:
        image: data set of the edited image.
        values: `(H, W)` in its grid.
        identity: UIDs and the series.
    """
    from highdicom import VOILUTTransformation
    from highdicom.pm import DerivedPixelContrastValues, ImageFlavorValues, ParametricMap, RealWorldValueMapping
    from highdicom.sr import CodedConcept

    mapping = RealWorldValueMapping(
        lut_label="GUIDANCE",
        lut_explanation="Guidance map, 0 to 1",
        unit=CodedConcept("1", "UCUM", "no units"),
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
        quantity_definition=CodedConcept("GMAP", SCHEME, "Relevance of a pixel to the instruction"),
    )
    made = ParametricMap(
        source_images=[_with_plane(image)],
        pixel_array=np.clip(values, 0, 1).astype(np.float32),
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[VOILUTTransformation(0.5, 1.0, voi_lut_function="LINEAR_EXACT")],
        content_description="Guidance map",
        content_label="GUIDANCE_MAP",
        image_flavor=ImageFlavorValues.STATIC,
        derived_pixel_contrast=DerivedPixelContrastValues.QUANTITY,
        **_common(identity),
    )
    made.Laterality = ""  # type 2C with a frame of reference
    return _settle(made, image)


def _algorithm() -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.sr import CodedConcept

    return AlgorithmIdentificationSequence(
        name=MAKER,
        family=CodedConcept("123110", "DCM", "Artificial Intelligence"),
        version=x2x_core.__version__,
    )


def _common(identity: Identity) -> dict[str, Any]:
    return {
        "series_instance_uid": identity.series,
        "series_number": identity.number,
        "sop_instance_uid": identity.instance,
        "instance_number": 1,
        "manufacturer": MAKER,
        "manufacturer_model_name": MAKER,
        "software_versions": x2x_core.__version__,
        "device_serial_number": _SERIAL,
        "series_description": identity.description,
    }


_REFERRED = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "Rows", "Columns",
    "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
)  # fmt: skip
_EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
    "StudyID", "ReferringPhysicianName",
)  # fmt: skip
_AXES = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}


def _stand_in(image: Any) -> Any:
    """Return what highdicom needs of an image, without patient and study, whose values it may refuse."""
    from pydicom.dataset import Dataset

    made = Dataset()
    for name in _REFERRED:
        made[name] = image[name]
    for name in _EMPTY:
        setattr(made, name, "")
    made.file_meta = image.file_meta
    return made


def _with_plane(image: Any) -> Any:
    """Return a stand-in of an image with a frame of reference of its own plane."""
    plane = _stand_in(image)
    letters = [str(direction)[:1] for direction in image.get("PatientOrientation") or ()]
    axes = [_AXES.get(letter, (0, 0, 0)) for letter in letters]
    if len(axes) != 2 or np.dot(axes[0], axes[1]) != 0 or not any(axes[0]) or not any(axes[1]):
        axes = [_AXES["L"], _AXES["F"]]
    spacings = (numbers(image, name) for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"))
    plane.FrameOfReferenceUID = derived_uid("plane", image.SOPInstanceUID)
    plane.PositionReferenceIndicator = ""
    plane.ImagePositionPatient = [0, 0, 0]
    plane.ImageOrientationPatient = [*axes[0], *axes[1]]
    spacing = next((given for given in spacings if height_to_width(given) is not None), [1])
    plane.PixelSpacing = [spacing[0], spacing[-1]]
    plane.SliceThickness = 1  # of a projection there is none; the macro requires a number
    return plane


def _settle(made: Any, image: Any) -> Any:
    """Take out what highdicom draws and reads from the clock, and complete what general modules require."""
    for name in ("InstanceCreationDate", "InstanceCreationTime", "ContributingEquipmentSequence"):
        if name in made:
            del made[name]
    made.ContentDate, made.ContentTime = content_moment(image)
    dimensions = derived_uid("dimensions", made.SOPInstanceUID)
    for sequence in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in made.get(sequence, ()):
            item.DimensionOrganizationUID = dimensions
    share(made, image)
    made.PatientOrientation = image.get("PatientOrientation") or ""
    return made


def content_moment(image: Any) -> tuple[str, str]:
    """Return date and time of an object's content: those of the study, or fixed ones if it has none.

    No clock enters a result. Enhanced objects require a date, so 1 January 1900 stands for an unknown one.
    """
    date = str(image.get("ContentDate") or image.get("StudyDate") or "")
    time = str(image.get("ContentTime") or image.get("StudyTime") or "")
    return (date, time or "000000") if date else ("19000101", "000000")
