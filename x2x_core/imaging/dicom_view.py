"""View and orientation of a DICOM image: is it a frontal chest radiograph, and on which side is the patient's right?

Messages never quote a file's texts, except for words that this module knows: anything else could name a patient.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

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
)  # unspecified, or possibly a radiograph: secondary captures, single fluoroscopy frames
OTHERS = {
    "CT": "computed tomography", "MR": "magnetic resonance", "PT": "positron emission tomography",
    "NM": "nuclear medicine", "US": "ultrasound", "MG": "mammography", "IO": "intra-oral radiography",
    "PX": "panoramic dental radiography", "ES": "endoscopy", "RTIMAGE": "radiotherapy", "RTDOSE": "radiotherapy dose",
    "SM": "slide microscopy", "OP": "ophthalmic photography", "OPT": "ophthalmic tomography", "SEG": "segmentation",
}  # fmt: skip
CHEST_WORDS = ("CHEST", "THORAX", "LUNG", "RIB", "HEART")
# Words of a view. DICOM defines LL, RL and the oblique abbreviations; machines write many more.
_LATERAL = re.compile(
    r"[LR]L|(?:[LR]|[LR]T|LEFT|RIGHT|CHEST|THORAX|X?TABLE|TRANS)?LAT(?:ERAL(?:IS|E)?|[LR]|[LR]T)?|PROFILE?|PERFIL"
    r"|SEITLICH|XTABLE|CROSSTABLE"
)
_DECUBITUS = re.compile(r"[LR]LD|(?:LAT|LATERAL)?DEC(?:UB(?:ITUS|ITO)?)?|[LR]DEC(?:UB)?")
_OBLIQUE = re.compile(r"[LR][LAP]?O|[LRAP]+OBL|OBL(?:IQ(?:UE)?)?|OBLICUA|SCHRAEG|SCHRAG|AXIAL")
_TRANSPOSED = ("H", "F")  # rows that run along the body
_SIDES = ("L", "R")


@dataclass(frozen=True)
class Turning:
    """Steps that bring a picture to the orientation of frontal radiographs: transposed first, then mirrored."""

    transpose: bool = False
    mirror: bool = False  # left and right
    upend: bool = False  # top and bottom

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the turned `(H, W)` or `(H, W, C)` values."""
        values = np.swapaxes(values, 0, 1) if self.transpose else values
        values = values[:, ::-1] if self.mirror else values
        return np.ascontiguousarray(values[::-1] if self.upend else values)

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Return turned `(H, W)` or `(H, W, C)` values as they were before `apply`."""
        values = values[::-1] if self.upend else values
        values = values[:, ::-1] if self.mirror else values
        return np.ascontiguousarray(np.swapaxes(values, 0, 1) if self.transpose else values)


def check_modality(dataset: Any) -> list[str]:
    """Return warnings about the modality.

    Raises:
        InputError: not a radiograph.
    """
    modality = _word(dataset.get("Modality"))
    if modality in RADIOGRAPHS:
        return []
    if modality in POSSIBLE:
        return ["The file does not say that it is a radiograph (modality CR, DX or RG): it is read as one."]
    what = f"{OTHERS[modality]} ({modality})" if modality in OTHERS else "of another modality"
    raise InputError(
        f"must be a radiograph (modality CR, DX or RG), but is {what}. If it shows a frontal chest radiograph "
        "nevertheless, save it as PNG"
    )


def view_warnings(dataset: Any) -> list[str]:
    """Return warnings if this may not be a frontal chest radiograph for presentation."""
    warnings = []
    part = _word(dataset.get("BodyPartExamined"))
    if part and not any(word in part for word in CHEST_WORDS):
        warnings.append("The file names another body part than the chest.")
    if kind := _odd_view(dataset):
        warnings.append(f"It is {kind} view: instructions and pseudomasks are for frontal views.")
    if is_for_processing(dataset):
        warnings.append("It holds the detector's raw values (FOR PROCESSING): take the image for presentation.")
    if _word(dataset.get("BurnedInAnnotation")) == "YES":
        warnings.append(
            "Text is burned into its pixels, perhaps the patient's name: every picture made of it shows it too."
        )
    return warnings


def is_frontal(dataset: Any) -> bool:
    """Return False for a view that the file calls lateral, oblique or decubitus."""
    return _odd_view(dataset) is None


def is_for_processing(dataset: Any) -> bool:
    """Return True for a detector's raw values."""
    return _word(dataset.get("PresentationIntentType")) == "FOR PROCESSING"


def _odd_view(dataset: Any) -> str | None:
    """Return a view that is not frontal, with its article; `None` for frontal or unspecified views."""
    position = _words(dataset.get("ViewPosition"))
    part = [word for word in _words(dataset.get("BodyPartExamined")) if len(word) > 2]  # not the sides "L" and "R"
    meanings = [word for code in dataset.get("ViewCodeSequence") or () for word in _words(code.get("CodeMeaning"))]
    named = [*position, *part]
    rows = _directions(dataset)
    if any(_DECUBITUS.fullmatch(word) or _OBLIQUE.fullmatch(word) for word in [*named, *meanings]):
        return "an oblique or decubitus"
    is_lateral = any(_LATERAL.fullmatch(word) for word in [*named, *(() if position else meanings)])
    if is_lateral or (rows and rows[0] in ("A", "P")):
        return "a lateral"
    return None


def _words(value: Any) -> list[str]:
    """Return the words of a text in capitals without accents; digits and signs separate them."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", _word(value)) if not unicodedata.combining(letter)
    )
    return re.findall("[A-Z]+", plain)


def turning(dataset: Any) -> tuple[Turning, list[str], list[str]]:
    """Return how to turn the picture so that the patient's right is on its left and the head on top.

    Returns:
        The turning, assumptions, and warnings. PatientOrientation (PS3.3 C.7.6.1.1.1) gives the directions of rows and
        columns; without it the picture is not turned.
    """
    directions = _directions(dataset)
    if directions is None:
        return (
            Turning(),
            ["The file does not say which side is the patient's right: assumed to be the picture's left."],
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
        for applied, text in (
            (turn.transpose, "rows and columns were swapped"),
            (turn.mirror, "left and right were swapped"),
            (turn.upend, "it was turned upside down"),
        )
        if applied
    ]
    return [
        f"By its patient orientation the picture was not displayed as radiographs are: {', '.join(done)}, so that the "
        "patient's right is on the picture's left and the head on top."
    ]


def _directions(dataset: Any) -> tuple[str, str] | None:
    """Return the first letters of the directions of rows and columns, `None` if they are not given."""
    value = dataset.get("PatientOrientation")
    value = value.split("\\") if isinstance(value, str) else value  # text that pydicom does not split
    if value is None or len(value) != 2:
        return None
    rows, columns = (_word(direction)[:1] for direction in value)
    return (rows, columns) if rows and columns else None


def _word(value: Any) -> str:
    return "" if value is None else str(value).strip().upper()
