"""Why a row of the tables did not become a pair of the dataset."""

from __future__ import annotations

from enum import Enum


class Reason(str, Enum):
    """Each reason by the name that stands in `rejected.csv`."""

    MALFORMED_ROW = "malformed_row"
    DUPLICATE_ROW = "duplicate_row"
    SAME_STUDY = "same_study"
    UNKNOWN_STUDY = "unknown_study"
    PATIENT_MISMATCH = "patient_mismatch"
    WRONG_ORDER = "wrong_order"
    NO_FRONTAL_VIEW = "no_frontal_view"
    UNKNOWN_SPLIT = "unknown_split"
    NOTHING_CHANGED = "nothing_changed"
    UNREADABLE_ANSWER = "unreadable_answer"
    DUPLICATE_INSTRUCTION = "duplicate_instruction"
    MISSING_IMAGE = "missing_image"
    UNREADABLE_IMAGE = "unreadable_image"
    FLAT_IMAGE = "flat_image"
    REGISTRATION_QUALITY = "registration_quality"
    REGISTRATION_OVERLAP = "registration_overlap"
    REGISTRATION_IMPLAUSIBLE = "registration_implausible"


MEANING: dict[Reason, str] = {
    Reason.MALFORMED_ROW: "too few or too many fields, a stray quotation mark, or an identifier that is no number",
    Reason.DUPLICATE_ROW: "the same difference question and answer stand in an earlier row of the pair",
    Reason.SAME_STUDY: "the row compares a study with itself",
    Reason.UNKNOWN_STUDY: "a study of the pair is in no table of studies",
    Reason.PATIENT_MISMATCH: "the row and its two studies do not name one patient",
    Reason.WRONG_ORDER: "the reference study is later than the main study",
    Reason.NO_FRONTAL_VIEW: "a study of the pair has no frontal image (postero-anterior or antero-posterior)",
    Reason.UNKNOWN_SPLIT: "neither the patient's rows nor MIMIC's table say a split",
    Reason.NOTHING_CHANGED: "the answer says that nothing has changed",
    Reason.UNREADABLE_ANSWER: "the rules can't read the answer, or what it says contradicts itself",
    Reason.DUPLICATE_INSTRUCTION: "another row of the pair gives the same instruction",
    Reason.MISSING_IMAGE: "an image file is not there",
    Reason.UNREADABLE_IMAGE: "an image file can't be decoded",
    Reason.FLAT_IMAGE: "an image has one value everywhere",
    Reason.REGISTRATION_QUALITY: "after registration the images agree less than the threshold asks",
    Reason.REGISTRATION_OVERLAP: "after registration the past image covers too little of the current one",
    Reason.REGISTRATION_IMPLAUSIBLE: "registration turned or stretched the past image more than patients move",
}


class Rejected(ValueError):
    """A row or a pair that can't be used, with the reason and what exactly is wrong."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason, self.detail = reason, detail
