"""Small copies of MIMIC-CXR-JPG and Medical-Diff-VQA in exactly their formats, with radiographs from the simulator."""

from __future__ import annotations

import csv
import gzip
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch

from x2x_core.language.clauses import Operation
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.pairs import simulate_body
from x2x_core.simulation.phantom import phantom_ct
from x2x_core.simulation.thorax import segment_thorax

METADATA = (
    "dicom_id", "subject_id", "study_id", "PerformedProcedureStepDescription", "ViewPosition", "Rows", "Columns",
    "StudyDate", "StudyTime", "ProcedureCodeSequence_CodeMeaning", "ViewCodeSequence_CodeMeaning",
    "PatientOrientationCodeSequence_CodeMeaning",
)  # fmt: skip
CHEXPERT = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Enlarged Cardiomediastinum", "Fracture", "Lung Lesion",
    "Lung Opacity", "No Finding", "Pleural Effusion", "Pleural Other", "Pneumonia", "Pneumothorax", "Support Devices",
)  # fmt: skip
QUESTIONS = ("study_id", "subject_id", "ref_id", "question_type", "question", "answer", "split")
GENERAL_QUESTION = "what has changed compared to the reference image?"
_SPLITS = {"train": "train", "val": "validate", "test": "test"}


@dataclass
class MimicCase:
    """Paths and contents of a copy; change `questions` and call `write_questions` to spoil it."""

    mimic: Path
    vqa: Path
    studies: list[dict] = field(default_factory=list)
    questions: list[dict] = field(default_factory=list)

    @property
    def differences(self) -> list[dict]:
        """The rows that compare two studies."""
        return [row for row in self.questions if row["question_type"] == "difference"]

    def image(self, study_id: int) -> Path:
        """The frontal image of a study."""
        study = next(study for study in self.studies if study["study_id"] == study_id)
        return self.mimic / image_folder(study) / f"{study['dicom_id']}.jpg"

    def write_questions(self) -> None:
        """Write Medical-Diff-VQA's table as it now is."""
        write_table(self.vqa, QUESTIONS, self.questions)


def image_folder(study: dict) -> str:
    """MIMIC-CXR-JPG's folder of a study."""
    patient = f"p{study['subject_id']}"
    return f"files/{patient[:3]}/{patient}/s{study['study_id']}"


def make_mimic(folder: Path, patients: int = 8, pairs: int = 2, size: int = 128, seed: int = 0) -> MimicCase:
    """Make a copy with `patients`, each with `pairs` pairs of studies, in `folder`.

    The earlier study of a pair is turned, moved and scaled a little and exposed otherwise; images are higher than wide.
    """
    case = MimicCase(folder / "mimic-cxr-jpg", folder / "medical-diff-vqa" / "mimic_pair_questions.csv")
    thorax = segment_thorax(phantom_ct((8.0, 8.0, 8.0)), (8.0, 8.0, 8.0))
    for patient in range(patients):
        generator = torch.Generator().manual_seed(1000 * seed + patient)
        for number, pair in enumerate(simulate_body(thorax, generator, pairs=pairs, size=size)):
            _add_pair(case, patient, number, pair)
    case.vqa.parent.mkdir(parents=True, exist_ok=True)
    case.write_questions()
    _write_tables(case)
    return case


def _add_pair(case: MimicCase, patient: int, number: int, pair) -> None:
    split = ("train", "train", "train", "val", "test")[patient % 5]
    studies = []
    for after, pixels in enumerate((pair.before, pair.after)):
        order = 2 * number + after
        study = {
            "subject_id": 10000032 + 977 * patient, "study_id": 50414267 + 7919 * (10 * patient + order),
            "split": split,
            "study_order": order + 1, "StudyDate": 21800506 + 100 * order, "view": ("PA", "AP")[(patient + order) % 2],
        }  # fmt: skip
        study["dicom_id"] = _dicom_id(study["study_id"], "frontal")
        values = (pixels[0] * 255).round().byte().numpy()
        study["Rows"], study["Columns"] = _write_image(
            case, study, values if after else moved(values, patient + number)
        )
        studies.append(study)
    if number:
        case.questions += _earlier_questions(studies[0], case.studies[-1], pair.instruction)
    case.studies += studies
    case.questions += _questions(studies[0], studies[1], pair.instruction)


def _dicom_id(study_id: int, kind: str) -> str:
    digest = hashlib.sha256(f"{study_id} {kind}".encode()).hexdigest()
    return "-".join(digest[place : place + 8] for place in range(0, 40, 8))


def moved(values: np.ndarray, seed: int) -> np.ndarray:
    """A picture `(H, W)` uint8 turned, moved, scaled and exposed a little otherwise, as on another day."""
    draw = np.random.default_rng(seed).uniform
    height, width = values.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), draw(-4, 4), draw(0.95, 1.05))
    matrix[:, 2] += draw(-0.04, 0.04, 2) * (width, height)
    shifted = cv2.warpAffine(values, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(255 * (shifted / 255.0) ** draw(0.85, 1.2), 0, 255).astype(np.uint8)


def _write_image(case: MimicCase, study: dict, values: np.ndarray) -> tuple[int, int]:
    folder = case.mimic / image_folder(study)
    folder.mkdir(parents=True)
    margin = values.shape[1] // 12
    values = np.ascontiguousarray(values[:, margin:-margin])
    cv2.imwrite(str(folder / f"{study['dicom_id']}.jpg"), values, [cv2.IMWRITE_JPEG_QUALITY, 95])
    lateral = _dicom_id(study["study_id"], "lateral")
    cv2.imwrite(str(folder / f"{lateral}.jpg"), values[::2, ::2], [cv2.IMWRITE_JPEG_QUALITY, 95])
    return values.shape


def difference_answer(instruction: Instruction) -> str:
    """Answer that Medical-Diff-VQA would give."""
    found = {operation: [c for c in instruction.clauses if c.operation is operation] for operation in Operation}
    changes = [
        f"the level of {c.finding} has changed from {c.level_from} to {c.level}. " for c in found[Operation.CHANGE]
    ]
    texts = {
        Operation.ADD: ("has an additional finding of", "has additional findings of"),
        Operation.REMOVE: ("is missing the finding of", "is missing the findings of"),
    }
    for operation, (one, several) in texts.items():
        names = list(dict.fromkeys(clause.finding for clause in found[operation]))
        if names:
            listed = names[0] if len(names) == 1 else ", ".join(names[:-1]) + ", and " + names[-1]
            changes.append(f"the main image {one if len(names) == 1 else several} {listed} than the reference image. ")
    return "".join(changes) or "nothing has changed."


def _questions(past: dict, current: dict, instruction: Instruction) -> list[dict]:
    clause = instruction.clauses[0]
    there = clause.operation is not Operation.REMOVE
    place = " ".join(word for word in (clause.side, clause.zone) if word)
    rows = [
        ("abnormality", "what abnormalities are seen in this image?", clause.finding if there else "no finding"),
        ("presence", f"is there evidence of {clause.finding} in this image?", "yes" if there else "no"),
        ("view", "which view is this image taken?", f"{current['view']} view"),
        *(_details(clause) if there else ()),
        ("type", "what type is the lung opacity?", "patchy"),
    ]
    area = clause.operation is Operation.CHANGE and len(instruction.clauses) == 1 and place
    question = f"what has changed in the {place} area?" if area else GENERAL_QUESTION
    return _rows(past, current, [*rows, ("difference", question, difference_answer(instruction))])


def _earlier_questions(study: dict, reference: dict, instruction: Instruction) -> list[dict]:
    """Rows about a study that is the reference of the pair after: they tell of what will be gone there."""
    clause = instruction.clauses[0]
    details = _details(clause) if clause.operation is Operation.REMOVE else []
    return _rows(reference, study, [*details, ("difference", GENERAL_QUESTION, "nothing has changed.")])


def _details(clause) -> list[tuple[str, str, str]]:
    place = " ".join(word for word in (clause.side, clause.zone) if word)
    rows = [("location", f"where in the image is the {clause.finding} located?", f"{place} area")] if place else []
    return rows + ([("level", f"what level is the {clause.finding}?", clause.level)] if clause.level else [])


def _rows(past: dict, current: dict, rows: list[tuple[str, str, str]]) -> list[dict]:
    known = {"study_id": current["study_id"], "subject_id": current["subject_id"], "ref_id": past["study_id"]}
    return [
        {**known, "question_type": kind, "question": asked, "answer": answer, "split": current["split"]}
        for kind, asked, answer in rows
    ]


def _write_tables(case: MimicCase) -> None:
    meanings = {"PA": "postero-anterior", "AP": "antero-posterior", "LATERAL": "lateral"}
    metadata, splits, chexpert, every = [], [], [], []
    for study in case.studies:
        # The lateral image comes first, as it may in MIMIC: the frontal one has to be chosen.
        for kind, view in (("lateral", "LATERAL"), ("frontal", study["view"])):
            row = {
                **study,
                "dicom_id": _dicom_id(study["study_id"], kind),
                "ViewPosition": view,
                "StudyTime": "213014.531",
            }
            metadata.append({**row, "ViewCodeSequence_CodeMeaning": meanings[view]})
            splits.append({**row, "split": _SPLITS[study["split"]]})
        labels = {"subject_id": study["subject_id"], "study_id": study["study_id"], "No Finding": "1.0"}
        chexpert.append(labels)
        every.append({**labels, "dicom_id": study["dicom_id"], "view": meanings[study["view"]],
                      "split": _SPLITS[study["split"]], "study_date": study["StudyDate"],
                      "study_order": float(study["study_order"])})  # fmt: skip
    write_table(case.mimic / "mimic-cxr-2.0.0-metadata.csv.gz", METADATA, metadata)
    write_table(case.mimic / "mimic-cxr-2.0.0-split.csv.gz", ("dicom_id", "study_id", "subject_id", "split"), splits)
    write_table(case.mimic / "mimic-cxr-2.0.0-chexpert.csv.gz", ("subject_id", "study_id", *CHEXPERT), chexpert)
    columns = ("subject_id", "study_id", *CHEXPERT, "dicom_id", "view", "split", "study_date", "study_order")
    write_table(case.vqa.parent / "mimic_all.csv", columns, every)


def write_table(path: Path, columns: tuple[str, ...], rows: list[dict]) -> None:
    """Write a `.csv` or `.csv.gz`; what a row lacks is empty."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
