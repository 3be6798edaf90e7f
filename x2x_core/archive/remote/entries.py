"""Studies, series and instances as an archive lists them, and the places of objects in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from x2x_core.common.errors import InputError

from .errors import ArchiveError

STUDY, SERIES, INSTANCE = "study", "series", "instance"
UID_OF = {STUDY: "StudyInstanceUID", SERIES: "SeriesInstanceUID", INSTANCE: "SOPInstanceUID"}
# Keys that are asked for at each level, beside the UIDs of the levels above.
KEYS = {
    STUDY: (
        "StudyInstanceUID", "StudyDate", "ModalitiesInStudy", "NumberOfStudyRelatedInstances", "PatientID",
        "StudyDescription",
    ),
    SERIES: (
        "SeriesInstanceUID", "Modality", "SeriesNumber", "NumberOfSeriesRelatedInstances", "SeriesDescription",
    ),
    INSTANCE: ("SOPInstanceUID", "SOPClassUID", "InstanceNumber"),
}  # fmt: skip
_UID = re.compile(r"[0-9]+(\.[0-9]+)*", re.ASCII)
_DATE = re.compile(r"\d{8}|\d{8}-(\d{8})?|-\d{8}", re.ASCII)


def is_uid(text: str) -> bool:
    """Return True for a UID; nothing else becomes part of an address or of a file name."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


@dataclass(frozen=True)
class Place:
    """A study, one of its series, or one instance.

    Raises:
        InputError: a text that is no UID, or an instance or series without what it lies in.
    """

    study: str
    series: str | None = None
    instance: str | None = None

    def __post_init__(self) -> None:
        for name in (STUDY, SERIES, INSTANCE):
            value = getattr(self, name)
            if value is not None and not is_uid(value):
                raise InputError(f"`{name}` must be a UID (numbers and points, at most 64), got {value!r}.")


@dataclass(frozen=True)
class StudyQuery:
    """Conditions that studies must meet; "" for none. DICOM's `*` and `?` stand for any letters.

    Raises:
        InputError: a date of another form.
    """

    patient_id: str = ""
    accession: str = ""
    date: str = ""  # YYYYMMDD, or a range YYYYMMDD-YYYYMMDD
    modality: str = ""

    def __post_init__(self) -> None:
        if self.date and not _DATE.fullmatch(self.date):
            raise InputError(f"`date` must be YYYYMMDD or YYYYMMDD-YYYYMMDD, got {self.date!r}.")
        for name in ("patient_id", "accession", "modality"):
            if "\\" in getattr(self, name) or not getattr(self, name).isprintable():
                raise InputError(f"`{name}` must be one line without a backslash.")

    def conditions(self) -> dict[str, str]:
        """Return the conditions by keyword."""
        values = {
            "PatientID": self.patient_id,
            "AccessionNumber": self.accession,
            "StudyDate": self.date,
            "ModalitiesInStudy": self.modality.upper(),
        }
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class Entry:
    """A study, series or instance of an archive."""

    level: str
    values: Mapping[str, str]  # by keyword, in printable letters; several values are separated by backslashes

    @property
    def study(self) -> str:
        """Return the UID of its study."""
        return self.values[UID_OF[STUDY]]

    @property
    def series(self) -> str:
        """Return the UID of its series."""
        return self.values[UID_OF[SERIES]]

    @property
    def instance(self) -> str:
        """Return its SOP instance UID."""
        return self.values[UID_OF[INSTANCE]]

    @property
    def sop_class(self) -> str:
        """Return its SOP class UID; "" if the archive does not say it."""
        return self.values.get("SOPClassUID", "")


def make_entry(level: str, conditions: Mapping[str, str], values: Mapping[str, str]) -> Entry:
    """Return an entry of what an archive answered.

    Args:
        level: of the question.
        conditions: of the question; UIDs of the levels above are taken from them.
        values: of the answer, by keyword.

    Raises:
        ArchiveError: the answer has no usable UID.
    """
    kept = {name: "".join(letter for letter in value if letter.isprintable()) for name, value in values.items()}
    for name in UID_OF.values():
        if conditions.get(name):
            kept[name] = conditions[name]
    uid = UID_OF[level]
    if not is_uid(kept.get(uid, "")) or (uid in values and kept[uid] != values[uid]):
        raise ArchiveError(f"The archive's answer must have a UID for each {level}, but one has none that is valid.")
    return Entry(level, kept)
