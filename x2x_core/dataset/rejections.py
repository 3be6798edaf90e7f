"""Reasons for which a source row does not become a pair of the dataset."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Reasons, by their names in `rejected.csv`."""

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
    REGISTRATION_MIRRORED = "registration_mirrored"


MEANING: dict[Reason, str] = {
    Reason.MALFORMED_ROW: "too few or too many fields, a stray quotation mark, or an identifier that is not a number",
    Reason.DUPLICATE_ROW: "an earlier row of the pair has the same difference question and answer",
    Reason.SAME_STUDY: "the row compares a study with itself",
    Reason.UNKNOWN_STUDY: "a study of the pair is missing from the tables of studies",
    Reason.PATIENT_MISMATCH: "the row and its two studies belong to different patients",
    Reason.WRONG_ORDER: "the reference study is later than the main study",
    Reason.NO_FRONTAL_VIEW: "a study of the pair has no frontal image (postero-anterior or antero-posterior)",
    Reason.UNKNOWN_SPLIT: "neither the patient's rows nor MIMIC's table name a split",
    Reason.NOTHING_CHANGED: "the answer says that nothing has changed",
    Reason.UNREADABLE_ANSWER: "the rules cannot read the answer, or it contradicts itself",
    Reason.DUPLICATE_INSTRUCTION: "another row of the pair gives the same instruction",
    Reason.MISSING_IMAGE: "an image file does not exist",
    Reason.UNREADABLE_IMAGE: "an image file cannot be decoded",
    Reason.FLAT_IMAGE: "an image has the same value everywhere",
    Reason.REGISTRATION_QUALITY: "the agreement of the registered images is below the threshold",
    Reason.REGISTRATION_OVERLAP: "the registered past image covers too little of the current one",
    Reason.REGISTRATION_IMPLAUSIBLE: "registration rotated or stretched the past image more than patients move",
    Reason.REGISTRATION_MIRRORED: "the images agree better if one of them is mirrored left to right",
}


class RowRejectedError(Exception):
    """A row or a pair cannot be used; caught by the build, which records the reason and the detail."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason, self.detail = reason, detail
