"""What a DICOM image shows and how it lies: is it a frontal chest radiograph, and where is the patient's right?

Of a file's texts none is repeated in a sentence here unless it is one of the words that this module knows: whatever else
stands there could name a patient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from x2x_core.common.errors import InputError

RADIOGRAPHS = ("CR", "DX", "RG")  # computed and digital radiography, digitised film
POSSIBLE = (
    "",
    "OT",
    "SC",
    "RF",
    "XA",
    "XC",
)  # says nothing, or can be one: secondary captures, single fluoroscopy frames
OTHERS = {
    "CT": "computed tomography", "MR": "magnetic resonance", "PT": "positron emission tomography",
    "NM": "nuclear medicine", "US": "ultrasound", "MG": "mammography", "IO": "intra-oral radiography",
    "PX": "panoramic dental radiography", "ES": "endoscopy", "RTIMAGE": "radiotherapy", "RTDOSE": "radiotherapy dose",
    "SM": "slide microscopy", "OP": "ophthalmic photography", "OPT": "ophthalmic tomography", "SEG": "segmentation",
}  # fmt: skip
CHEST_WORDS = ("CHEST", "THORAX", "LUNG", "RIB", "HEART")
LATERAL_VIEWS = ("LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT", "LEFT LATERAL", "RIGHT LATERAL")
FRONTAL_VIEWS = ("AP", "PA")
OTHER_VIEWS = ("LLD", "RLD", "LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "AXIAL", "OBLIQUE", "OBL")  # decubitus, oblique
_TRANSPOSED = ("H", "F")  # rows that run along the body
_SIDES = ("L", "R")


@dataclass(frozen=True)
class Turning:
    """How a picture is laid as frontal radiographs are: first rows and columns swapped, then mirrored."""

    transpose: bool = False
    mirror: bool = False  # left and right
    upend: bool = False  # top and bottom

    def apply(self, values: np.ndarray) -> np.ndarray:
        """`(H, W)` or `(H, W, C)`, turned."""
        values = np.swapaxes(values, 0, 1) if self.transpose else values
        values = values[:, ::-1] if self.mirror else values
        return np.ascontiguousarray(values[::-1] if self.upend else values)


def check_modality(dataset) -> list[str]:
    """Warnings about the modality.

    Raises:
        InputError: it is no radiograph.
    """
    modality = _word(dataset.get("Modality"))
    if modality in RADIOGRAPHS:
        return []
    if modality in POSSIBLE:
        return ["The file does not say that it is a radiograph (modality CR, DX or RG): it is read as one."]
    what = f"{OTHERS[modality]} ({modality})" if modality in OTHERS else "of another modality"
    raise InputError(
        f"must be a radiograph (modality CR, DX or RG), but it is {what}. If it shows a frontal chest radiograph all the "
        "same, save it as PNG"
    )


def view_warnings(dataset) -> list[str]:
    """What speaks against a frontal chest radiograph that is ready to be shown."""
    warnings = []
    part = _word(dataset.get("BodyPartExamined"))
    if part and not any(word in part for word in CHEST_WORDS):
        warnings.append("The file names another body part than the chest.")
    if kind := _odd_view(dataset):
        warnings.append(f"It is {kind} view: instructions and pseudomasks are for frontal views.")
    if _word(dataset.get("PresentationIntentType")) == "FOR PROCESSING":
        warnings.append("It holds the detector's raw values (FOR PROCESSING): take the image for presentation.")
    if _word(dataset.get("BurnedInAnnotation")) == "YES":
        warnings.append(
            "Text is burned into its pixels, perhaps the patient's name: every picture made of it shows it too."
        )
    return warnings


def _odd_view(dataset) -> str | None:
    """A view that is not frontal, by its article and name; ``None``: frontal, or not said."""
    position = _word(dataset.get("ViewPosition"))
    meanings = " ".join(_word(code.get("CodeMeaning")) for code in dataset.get("ViewCodeSequence") or ())
    rows = _directions(dataset)
    lateral_words = "LATERAL" in meanings and "DECUBITUS" not in meanings
    if position in LATERAL_VIEWS or (rows and rows[0] in ("A", "P")) or (not position and lateral_words):
        return "a lateral"
    if position in OTHER_VIEWS or "DECUBITUS" in meanings or "OBLIQUE" in meanings:
        return "an oblique or decubitus"
    return None


def turning(dataset) -> tuple[Turning, list[str], list[str]]:
    """How to turn the picture so that the patient's right is on its left and the head on top.

    Returns:
        The turning, what was done, and warnings. PatientOrientation (PS3.3 C.7.6.1.1.1) names the directions in which
        rows and columns run; without it the picture stays as it is.
    """
    directions = _directions(dataset)
    if directions is None:
        return (
            Turning(),
            ["The file does not say which side is the patient's right: taken to be the picture's left."],
            [],
        )
    rows, columns = directions
    transpose = rows in _TRANSPOSED
    across, along = (columns, rows) if transpose else (rows, columns)
    if along not in _TRANSPOSED or across not in (*_SIDES, "A", "P"):
        return Turning(), [], ["The file's patient orientation fits no radiograph: the picture stays as it is."]
    turn = Turning(transpose, mirror=across == "R", upend=along == "H")
    return turn, [], _said(turn)


def _said(turn: Turning) -> list[str]:
    if turn == Turning():
        return []
    done = [
        text
        for wanted, text in (
            (turn.transpose, "rows and columns were swapped"),
            (turn.mirror, "left and right were swapped"),
            (turn.upend, "it was turned upside down"),
        )
        if wanted
    ]
    return [
        f"By its patient orientation the picture lay otherwise than radiographs do: {', '.join(done)}, so that the patient's "
        "right is on the picture's left and the head on top."
    ]


def _directions(dataset) -> tuple[str, str] | None:
    """The first letters of the directions of rows and columns; ``None`` where they are not said."""
    value = dataset.get("PatientOrientation")
    if value is None or isinstance(value, str) or len(value) != 2:
        return None
    rows, columns = (_word(one)[:1] for one in value)
    return (rows, columns) if rows and columns else None


def _word(value) -> str:
    return "" if value is None else str(value).strip().upper()
