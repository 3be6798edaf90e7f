"""DICOM files for tests, written by pydicom: small, and as wrong as asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRBigEndian, ExplicitVRLittleEndian, RLELossless

IDENTITY = {
    "PatientName": "Kowalska^Zofia", "PatientID": "MRN-7718823", "PatientBirthDate": "19480229",
    "StudyDate": "20231117", "AccessionNumber": "ACC990817", "InstitutionName": "Szpital Powiatowy",
    "ReferringPhysicianName": "Nowak^Jan",
    "StudyInstanceUID": "1.2.826.0.1.3680043.10.511.3.77", "SeriesInstanceUID": "1.2.826.0.1.3680043.10.511.3.78",
    "StudyDescription": "THORAX Kowalska", "SeriesDescription": "pa 17.11.", "OperatorsName": "Wrona",
    "PatientAge": "075Y",
    "ProtocolName": "Zofia pa", "DeviceSerialNumber": "SN443821", "PatientComments": "sister of Maria Kowalska",
    "WindowCenterWidthExplanation": "Kowalska soft", "ImageComments": "bed 12 Kowalska", "StationName": "XRAY-POWIAT",
}  # fmt: skip


def dataset(values: np.ndarray, bits: int | None = None, **tags) -> Dataset:
    """Return a frontal digital radiograph of `values` `(H, W)` or `(H, W, 3)`.

    `tags` are set last: values, elements with a value representation of their own, or ``None`` to remove a tag.
    """
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = DigitalXRayImageStorageForPresentation, "1.2.826.0.1.3680043.10.511.3.79"
    made.Modality, made.ViewPosition, made.BodyPartExamined = "DX", "PA", "CHEST"
    made.PatientOrientation = ["L", "F"]
    made.Rows, made.Columns = values.shape[:2]
    made.SamplesPerPixel = values.shape[2] if values.ndim == 3 else 1
    made.PhotometricInterpretation = "RGB" if values.ndim == 3 else "MONOCHROME2"
    if values.ndim == 3:
        made.PlanarConfiguration = 0
    made.BitsAllocated = values.dtype.itemsize * 8
    made.BitsStored = bits or made.BitsAllocated
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(values.dtype.kind == "i")
    for name, value in tags.items():
        if value is None:
            del made[name]
        elif isinstance(value, DataElement):  # with a value representation of its own
            made.add(value)
        else:
            setattr(made, name, value)
    return made


def write(path: Path, values: np.ndarray, bits: int | None = None, syntax=ExplicitVRLittleEndian, **tags) -> Path:
    """Write `dataset(values, bits, **tags)` in a transfer syntax: a native one, or RLE."""
    made = dataset(values, bits, **tags)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    made.PixelData = np.ascontiguousarray(values.astype(values.dtype.newbyteorder(order))).tobytes()
    made["PixelData"].VR = "OW" if values.dtype.itemsize == 2 else "OB"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    if syntax == RLELossless:
        made.compress(RLELossless, encoding_plugin="pydicom")
    made.save_as(path, enforce_file_format=True)
    return path


def table(entries, first: int = 0, bits: int = 16, kind: str = "US") -> Dataset:
    """A look-up table, its entries as numbers ("US") or as bytes ("OW")."""
    made = Dataset()
    made.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) % 2**16, first, bits])
    data = list(map(int, entries)) if kind == "US" else np.asarray(entries, "<u2").tobytes()
    made.add_new("LUTData", kind, data)
    return made
