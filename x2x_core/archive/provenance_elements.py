"""Elements that say of a DICOM object that it is synthetic, how it was made, and from what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import x2x_core
from x2x_core.common.errors import InputError
from x2x_core.imaging.dicom_display import LINEAR
from x2x_core.imaging.dicom_numbers import numbers
from x2x_core.imaging.dicom_tables import read_table
from x2x_core.imaging.fingerprint import record_digest
from x2x_core.imaging.provenance import SYNTHETIC_NOTICE

MAKER = "InstructX2X"
SCHEME = "99X2X"  # designator of this project's own codes
RECORD_FORMAT = 1  # of the record of a DICOM object
_DIGEST = "record_sha256"
EDIT_CODE = ("EDIT", "Region-restricted edit by a generative model")
# Elements that say what an object is and how it is displayed; its record repeats them.
_TEXTS = (
    "SOPInstanceUID", "SyntheticData", "DerivationDescription", "PresentationLUTShape", "PatientOrientation",
    "VOILUTFunction",
)  # fmt: skip
_NUMBERS = (
    "RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "PixelPaddingValue", "PixelPaddingRangeLimit",
)  # fmt: skip
_TABLES = ("ModalityLUTSequence", "VOILUTSequence")
_GREY = ("MONOCHROME1", "MONOCHROME2")
_LONGEST = 1024  # letters of a short text (ST)


@dataclass(frozen=True)
class Made:
    """Circumstances of an edit that its results record."""

    prompt: str
    parameters: Mapping[str, Any]  # settings, seed, hashes, versions: as JSON can hold them
    identifiers: str  # a choice of `DicomSettings`
    warning: str = ""  # what a reader must know besides


def code_item(value: str, scheme: str, meaning: str) -> Any:
    """Return a coded entry as a data set."""
    from pydicom.dataset import Dataset

    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, meaning
    return made


def mark_synthetic(dataset: Any, made: Made, sop_class: str, reference: str) -> None:
    """Set the synthetic mark and the derivation: description, code, source image.

    Args:
        dataset: of the result.
        made: how it was made.
        sop_class: of the image that the result was derived from.
        reference: SOP instance UID of that image.
    """
    from pydicom.dataset import Dataset
    from pydicom.sr.codedict import codes

    dataset.SyntheticData = "YES"
    dataset.DerivationDescription = plain_text(
        f"{SYNTHETIC_NOTICE} Instruction: {made.prompt} Pixels outside the guidance mask are the source image's. "
        f"{made.warning}",
        _LONGEST,
    )
    dataset.DerivationCodeSequence = [code_item(EDIT_CODE[0], SCHEME, EDIT_CODE[1])]
    source = Dataset()
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = sop_class, reference
    purpose = codes.DCM.SourceImageForImageProcessingOperation
    source.PurposeOfReferenceCodeSequence = [code_item(purpose.value, "DCM", purpose.meaning)]
    source.SpatialLocationsPreserved = "YES"
    dataset.SourceImageSequence = [source]


def add_equipment(dataset: Any, made: Made, record: Mapping[str, Any]) -> None:
    """Append this program to the contributing equipment, with the record of the result as its text value.

    Args:
        dataset: of the result.
        made: how it was made.
        record: what `x2x verify` reads, as JSON can hold it. `elements` and a digest of it all are added.
    """
    from pydicom.sr.codedict import codes

    roles = [codes.DCM.ProcessingEquipment]
    if made.identifiers != "keep":
        roles.append(codes.DCM.DeIdentifyingEquipment)
    items = [_equipment(role) for role in roles]
    items[0].ContributionDescription = plain_text(f"Synthetic edit. {made.prompt}", _LONGEST)
    complete = {**record, "elements": recorded_elements(dataset)}
    complete[_DIGEST] = record_digest(complete)
    items[0].TextValue = json.dumps(complete, sort_keys=True, ensure_ascii=False, allow_nan=False)
    dataset.ContributingEquipmentSequence = [*dataset.get("ContributingEquipmentSequence", ()), *items]


def _equipment(role: Any) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [code_item(role.value, "DCM", role.meaning)]
    item.Manufacturer, item.ManufacturerModelName = MAKER, MAKER
    item.SoftwareVersions = x2x_core.__version__
    return item


def read_record(dataset: Any) -> dict[str, Any] | None:
    """Return the record that `add_equipment` wrote, `None` without one."""
    for item in reversed(list(dataset.get("ContributingEquipmentSequence") or ())):
        if item.get("ManufacturerModelName") == MAKER and item.get("TextValue"):
            try:
                record = json.loads(str(item.TextValue))
            except json.JSONDecodeError:
                return None
            return record if isinstance(record, dict) else None
    return None


def recorded_elements(dataset: Any) -> dict[str, Any]:
    """Return the elements that say what an object is and how it is displayed, by keyword; "" or [] if absent.

    Look-up tables stand as a digest of their numbers. Of the photometric interpretation only a grey one counts:
    lossless compression may change that of colours.
    """
    found: dict[str, Any] = {name: _joined(dataset.get(name)) for name in _TEXTS}
    found |= {name: numbers(dataset, name) for name in _NUMBERS}
    found |= {name: _tables_digest(dataset, name) for name in _TABLES}
    if found["VOILUTFunction"] == LINEAR:  # the default
        found["VOILUTFunction"] = ""
    kind = str(dataset.get("PhotometricInterpretation") or "")
    return {**found, "PhotometricInterpretation": kind if kind in _GREY else ""}


def _tables_digest(dataset: Any, name: str) -> str:
    """Return a digest of the first values, depths and entries of look-up tables, "" without any."""
    tables: list[Any] = []
    # Bytes of a data set that was made here, and not read, are in little-endian order.
    is_little = getattr(dataset, "original_encoding", (None, None))[1] is not False
    order = SimpleNamespace(original_encoding=(False, is_little))
    for item in dataset.get(name) or ():
        try:
            table = read_table(item, order, below_zero=True)
            tables.append([table.first, table.bits, table.entries.tolist()])
        except InputError:
            tables.append("unreadable")
    return hashlib.sha256(json.dumps(tables).encode()).hexdigest() if tables else ""


def _joined(value: Any) -> str:
    several = [value] if value is None or isinstance(value, str) else list(value)
    return "\\".join(str(part or "").strip() for part in several)


def is_intact(record: Mapping[str, Any]) -> bool | None:
    """Return whether a record is the one that was written; `None` if it has no digest of itself."""
    if _DIGEST not in record:
        return None
    return record[_DIGEST] == record_digest({name: record[name] for name in record if name != _DIGEST})


def changed_elements(dataset: Any, record: Mapping[str, Any]) -> list[str]:
    """Return the keywords of recorded elements whose values are not the recorded ones."""
    recorded = record.get("elements")
    if not isinstance(recorded, dict):
        return []
    own = recorded_elements(dataset)
    return sorted(name for name, value in recorded.items() if own.get(name) != value)


def plain_text(text: str, longest: int) -> str:
    """Return a text in one line of printable letters, cut to a length."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).replace("\\", "/").split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
