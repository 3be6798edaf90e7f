"""A picture, such as the panel, as a colour secondary capture that any viewer shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from .image_object import CAPTURE, write_colours

# Of the patient and study modules, and of their identification: what all objects of a study share.
SHARED = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge", "PatientSize",
    "PatientWeight", "StudyInstanceUID", "StudyDate", "StudyTime", "StudyDescription", "AccessionNumber", "StudyID",
    "ReferringPhysicianName", "PatientIdentityRemoved", "DeidentificationMethod",
    "DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified", "SpecificCharacterSet",
)  # fmt: skip


def share(made: Any, image: Any) -> None:
    """Copy the elements of patient and study from the edited image to another object."""
    for name in SHARED:
        if name in image:
            made[name] = image[name]


def capture_object(image: Any, values: np.ndarray) -> Any:
    """Return the data set of a picture in the study of an image, without its identity and provenance.

    Args:
        image: data set of the edited image.
        values: `(H, W, 3)` uint8.
    """
    from pydicom.dataset import Dataset

    made = Dataset()
    share(made, image)
    made.SOPClassUID = CAPTURE
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.Modality, made.ConversionType = "OT", "WSD"
    made.BodyPartExamined, made.PatientOrientation = "CHEST", ""
    made.BurnedInAnnotation, made.LossyImageCompression = "YES", "00"
    write_colours(made, values, 8)
    return made
