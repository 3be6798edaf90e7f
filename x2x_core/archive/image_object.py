"""The edited image as a DICOM object: the input's class where the standard allows it, else Secondary Capture."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from x2x_core.imaging.dicom import StoredPicture
from x2x_core.imaging.dicom_display import LINEAR, modality_values
from x2x_core.imaging.dicom_numbers import number, numbers
from x2x_core.imaging.dicom_stored import padding_of
from x2x_core.imaging.dicom_tables import Table, read_table

from .pixels import StoredEdit, colour_bits
from .provenance_elements import code_item
from .source import Source

COMPUTED, CAPTURE = "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.7"
DIGITAL, DIGITAL_RAW = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1.1"
_INTENTS = {DIGITAL: "FOR PRESENTATION", DIGITAL_RAW: "FOR PROCESSING"}
# Type 1 of the DX image, and known only to whoever made the picture.
_NEEDED = (
    "PixelIntensityRelationship", "PixelIntensityRelationshipSign", "ImagerPixelSpacing", "PatientOrientation",
    "BurnedInAnnotation",
)  # fmt: skip
_DIGITAL_ONLY = ("PresentationIntentType", "PixelIntensityRelationship", "PixelIntensityRelationshipSign")
_VIEWS = {"AP": ("399348003", "SCT", "antero-posterior"), "PA": ("272479007", "SCT", "postero-anterior")}
_CHEST = ("816094009", "SCT", "Chest")
# Elements of an X-ray image that a secondary capture has no module for; without identifiers they are left out there.
_CAPTURED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
    "ReferringPhysicianName", "StudyID", "StudyInstanceUID", "PatientIdentityRemoved", "DeidentificationMethod",
    "DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified", "Modality", "BodyPartExamined",
    "PatientOrientation", "Laterality", "PixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio",
    "RescaleIntercept", "RescaleSlope", "RescaleType", "PresentationLUTShape", "VOILUTFunction", "BurnedInAnnotation",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod", "SeriesDate", "SeriesTime",
    "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime", "AcquisitionDateTime",
)  # fmt: skip


def output_class(source: Source, picture: StoredPicture) -> str:
    """Return the SOP class of an edit: the input's if it is CR or DX and has what the class requires.

    A DX image must be grey, unsigned, of 6 to 16 bits, without a modality table or rescaling, and say what only its
    maker knows (PS3.3 A.26 and C.8.11); else the result is a secondary capture.
    """
    if not picture.is_grey or source.sop_class not in (COMPUTED, *_INTENTS):
        return CAPTURE
    if source.sop_class == COMPUTED:
        return COMPUTED
    own = picture.dataset
    fits = (
        int(own.BitsStored) >= 6
        and not own.get("PixelRepresentation")
        and not own.get("ModalityLUTSequence")
        and (number(own, "RescaleSlope", 1.0), number(own, "RescaleIntercept", 0.0)) == (1, 0)
        and all(name in source.elements and source.elements[name].value not in (None, "") for name in _NEEDED)
    )
    return source.sop_class if fits else CAPTURE


def image_object(edit: StoredEdit, source: Source, values: np.ndarray) -> Any:
    """Return the data set of the edited image without its identity and provenance.

    Args:
        edit: the edit, for its display and grid.
        source: what the result takes from its input.
        values: the stored values to write: `edit.after`, or these with a mark in them.
    """
    kind = output_class(source, edit.picture)
    dataset = copy.deepcopy(source.elements)
    if kind == CAPTURE:
        _as_capture(dataset, anonymous="DeidentificationMethod" in source.elements)
    for name in _DIGITAL_ONLY if kind not in _INTENTS else ():
        dataset.pop(name, None)
    dataset.SOPClassUID = kind
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    write_pixels(dataset, values, edit)
    if edit.picture.is_grey:
        write_display(dataset, edit)
    else:
        _drop_display(dataset)
    syntax = edit.picture.dataset.file_meta.TransferSyntaxUID
    if dataset.get("LossyImageCompression") not in ("00", "01") or _is_lossy(syntax):
        dataset.LossyImageCompression = "01" if _is_lossy(syntax) else "00"
    if kind in _INTENTS:
        _as_digital(dataset, kind)
    elif kind == COMPUTED:
        _default(dataset, {"BodyPartExamined": "", "ViewPosition": ""})
    dataset.Modality = dataset.get("Modality") or "OT"
    _default(dataset, {"PatientOrientation": "", "Manufacturer": ""})
    if kind != CAPTURE and dataset.get("BodyPartExamined", "") == "CHEST":
        dataset.pop("Laterality", None)  # for paired parts of the body alone
    return dataset


def _as_capture(dataset: Any, anonymous: bool) -> None:
    if anonymous:
        for element in list(dataset):
            if element.keyword not in _CAPTURED:
                del dataset[element.tag]
    dataset.ConversionType = "WSD"


def _as_digital(dataset: Any, kind: str) -> None:
    """Complete the attributes that the DX image requires and that follow from others, or may be empty."""
    dataset.PresentationIntentType = _INTENTS[kind]
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    _default(
        dataset,
        {
            "ImageLaterality": "U",
            "AnatomicRegionSequence": [code_item(*_CHEST)],
            "DetectorType": "",
            "AcquisitionContextSequence": [],
            "PositionerType": "",
        },
    )
    view = str(dataset.get("ViewPosition") or "")
    if view in _VIEWS and not dataset.get("ViewCodeSequence"):
        dataset.ViewCodeSequence = [code_item(*_VIEWS[view])]


def _default(dataset: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if name not in dataset:
            setattr(dataset, name, value)


def _is_lossy(syntax: Any) -> bool:
    from pydicom import uid

    return syntax in (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.JPEG2000, uid.HTJ2K)


def write_pixels(dataset: Any, values: np.ndarray, edit: StoredEdit) -> None:
    """Set pixel data and their description: uncompressed, right-aligned, without unused bits."""
    own = edit.picture.dataset
    if not edit.picture.is_grey:
        write_colours(dataset, values, colour_bits(edit.picture))
        return
    dataset.PhotometricInterpretation = str(own.PhotometricInterpretation)
    signed = bool(own.get("PixelRepresentation"))
    _write_values(dataset, values, int(own.BitsStored), f"{'i' if signed else 'u'}{int(own.BitsAllocated) // 8}")


def write_colours(dataset: Any, values: np.ndarray, bits: int) -> None:
    """Set pixel data of `(H, W)` greys or `(H, W, 3)` colours, and their description."""
    if values.ndim == 3:
        dataset.PhotometricInterpretation, dataset.PlanarConfiguration = "RGB", 0
    else:
        dataset.PhotometricInterpretation = "MONOCHROME2"
    _write_values(dataset, values, bits, "u1" if bits <= 8 else "u2")


def _write_values(dataset: Any, values: np.ndarray, bits: int, kind: str) -> None:
    data = np.ascontiguousarray(values.astype(f"<{kind}"))
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.SamplesPerPixel = values.shape[2] if values.ndim == 3 else 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8 * data.itemsize, bits, bits - 1
    dataset.PixelRepresentation = int(data.dtype.kind == "i")
    encoded = data.tobytes()
    dataset.add_new("PixelData", "OW" if data.itemsize == 2 else "OB", encoded + b"\0" * (len(encoded) % 2))


_DISPLAY = (
    "RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence", "VOILUTSequence", "WindowCenter",
    "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction", "PixelPaddingValue", "PixelPaddingRangeLimit",
)  # fmt: skip

_LUT_BITS = 16
_LUT_WHITE = 2**_LUT_BITS - 1


def _drop_display(dataset: Any) -> None:
    for name in (*_DISPLAY, "PresentationLUTShape"):
        if name in dataset:
            del dataset[name]


def write_display(dataset: Any, edit: StoredEdit) -> None:
    """Set the display of a grey image as its input has it: rescaling, tables, windows, padding, polarity."""
    own = edit.dataset
    explained = dataset.get("WindowCenterWidthExplanation")
    _drop_display(dataset)
    if tables := own.get("ModalityLUTSequence"):
        kind = str(tables[0].get("ModalityLUTType") or "").strip().upper()
        table = read_table(tables[0], own, edit.before.min() < 0)
        dataset.ModalityLUTSequence = [_table_item(table, table.entries)]
        dataset.ModalityLUTSequence[0].ModalityLUTType = kind if kind in ("OD", "HU", "US") else "US"
    elif numbers(own, "RescaleSlope") or numbers(own, "RescaleIntercept"):
        dataset.RescaleIntercept = _decimal(number(own, "RescaleIntercept", 0.0))
        dataset.RescaleSlope = _decimal(number(own, "RescaleSlope", 1.0))
        dataset.RescaleType = "US"
    if tables := own.get("VOILUTSequence"):
        table = read_table(tables[0], own, modality_values(edit.before, own)[0].min() < 0)
        dataset.VOILUTSequence = [_table_item(table, np.rint(table.entries * (_LUT_WHITE / table.white)))]
    elif windows := _windows(own):
        dataset.WindowCenter, dataset.WindowWidth = ([_decimal(pair[side]) for pair in windows] for side in (0, 1))
        function = str(own.get("VOILUTFunction") or LINEAR).strip().upper()
        if function != LINEAR:
            dataset.VOILUTFunction = function
        several = explained if isinstance(explained, list) or hasattr(explained, "append") else [explained]
        if explained and len(several) == len(windows):
            dataset.WindowCenterWidthExplanation = explained
    dataset.PresentationLUTShape = "INVERSE" if own.PhotometricInterpretation == "MONOCHROME1" else "IDENTITY"
    _write_padding(dataset, own)


def _windows(own: Any) -> list[tuple[float, float]]:
    function = str(own.get("VOILUTFunction") or LINEAR).strip().upper()
    narrowest = 1 if function == LINEAR else np.nextafter(0, 1)
    pairs = zip(numbers(own, "WindowCenter"), numbers(own, "WindowWidth"))
    return [pair for pair in pairs if np.isfinite(pair).all() and pair[1] >= narrowest]


def _decimal(value: float) -> Any:
    from pydicom.valuerep import DSfloat

    return DSfloat(value, auto_format=True)


def _table_item(table: Table, entries: np.ndarray) -> Any:
    """Return a look-up table with other entries, of 16 bits in little-endian order, without its explanation.

    The standard has tables of 8 and 16 bits alone (PS3.3 C.11.1.1 and C.11.2.1.1).
    """
    from pydicom.dataset import Dataset

    count = len(entries) % 2**16
    made = Dataset()
    signed = table.first < 0 and count < 2**15
    made.add_new("LUTDescriptor", "SS" if signed else "US", [count, table.first % 2**16, _LUT_BITS])
    if signed:
        made["LUTDescriptor"].value = [count, table.first, _LUT_BITS]
    made.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return made


def _write_padding(dataset: Any, own: Any) -> None:
    """Set the padding in the numbers of the pixels; none if no pixel can have it."""
    bits, signed = int(own.BitsStored), bool(own.get("PixelRepresentation"))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    padding = np.flatnonzero(padding_of(np.arange(low, high + 1), own)) + low
    if not padding.size:
        return
    kind = "SS" if signed else "US"
    dataset.add_new("PixelPaddingValue", kind, int(padding[0]))
    if len(padding) > 1:
        dataset.add_new("PixelPaddingRangeLimit", kind, int(padding[-1]))
