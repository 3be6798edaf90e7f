"""Folders of results for tests of reader studies: the shipped radiographs, and rectangles that stand for edits."""

import json

import cv2
import numpy as np
from film_cases import write_films

from x2x_core.imaging.provenance import sha256_file

EFFUSION = "Add the finding of moderate left pleural effusion."
PNEUMOTHORAX = "Add the finding of severe right pneumothorax."


def write_results(folder, films=6, methods=("first", "second"), instruction=EFFUSION, side=64):
    """Write films, and results of `x2x edit` of each method below a folder of its name; return the folder."""
    write_films(folder / "films", [f"{number}.png" for number in range(films)], side)
    for number in range(films):
        film = folder / "films" / f"{number}.png"
        pixels = cv2.imread(str(film), cv2.IMREAD_GRAYSCALE)
        pixels[:, 0] = number  # the shipped radiographs take turns: no two files are equal
        cv2.imwrite(str(film), pixels)
        for place, method in enumerate(methods):
            write_edit(folder / method / str(number), film, instruction, 60 + 30 * place)
    return folder


def write_edit(folder, film, instruction, grey):
    """Write a result whose edit is a grey rectangle at the right of the picture, the patient's left."""
    folder.mkdir(parents=True)
    pixels = cv2.imread(str(film), cv2.IMREAD_GRAYSCALE)
    height, width = pixels.shape
    rows, columns = slice(height // 2, height * 3 // 4), slice(width * 5 // 8, width * 7 // 8)
    mask = np.zeros_like(pixels)
    mask[rows, columns] = 255
    cv2.imwrite(str(folder / "edited.png"), np.where(mask > 0, grey, pixels))
    cv2.imwrite(str(folder / "guidance_mask.png"), mask)
    record = {"prompt": instruction, "input": {"file": film.name, "sha256": sha256_file(film)}}
    (folder / "result.json").write_text(json.dumps(record))


def write_small_study(folder, readers=2, tasks=("finding", "where", "level", "realism", "preference"), **settings):
    """Write a study of three films below a folder; return its folder, its definition and its key."""
    from x2x_core.study.definition import read_study
    from x2x_core.study.design.making import design_study, read_study_key, write_study
    from x2x_core.study.design.questions import Task
    from x2x_core.study.design.settings import StudySettings

    results = write_results(folder / "results", films=3)
    chosen = StudySettings(readers=readers, tasks=tuple(map(Task, tasks)), **settings)
    write_study(design_study(results, chosen), folder / "study", folder / "key.json")
    return folder / "study", read_study(folder / "study"), read_study_key(folder / "key.json")


def answer_all(study, reader, answer, revision=1):
    """Return a record of answers of a reader to all cases.

    Args:
        study: the definition.
        reader: code.
        answer: gives the row of a case by the part's name and the case's.
    """
    answers = {
        part: {case: {"rows": [answer(part, case)], "seconds": 2.5, "visits": 1, "at": "now"} for case, _ in order}
        for part, order in study.orders[reader].items()
    }
    return {
        "format": "x2x-answers-1", "study": study.study, "reader": reader, "revision": revision, "complete": True,
        "consent": {"at": "now", "text": study.consent}, "answers": answers, "training": {},
    }  # fmt: skip
