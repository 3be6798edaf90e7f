"""The run of a grounding audit: edits once, then the answers of any number of models to them.

The folder of a run::

    audit_run.json                  the cases and the settings
    cases/000000.json               a case and its edits, written when its pictures are
    pictures/000000-00.png          the image as the models see it, 01, 02, ...: the edits
    answers/MODEL/000000.json       the answers of a model to a case

A run that is stopped anywhere continues with what is missing. Models see the pictures as they are written, in 8 bits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.run_folder import claim_folder, locked
from x2x_core.common.storage import write_text
from x2x_core.evaluation.progress import Progress
from x2x_core.imaging.files import read_image, write_png
from x2x_core.imaging.provenance import synthetic_metadata
from x2x_core.scorers.answerers.answerer import Answer, Answerer, Question, ask, check_questions

from .edits import CaseEdit, CaseEditor
from .elsewhere import amount
from .plan import AuditCase, GroundingSettings, check_plan

RUN, CASES, PICTURES, ANSWERS, LOCK = "audit_run.json", "cases", "pictures", "answers", "run.lock"
ABOUT = "answerer.json"
AT_ONCE = 16  # pictures that a model is asked about in one call
Record = dict[str, Any]


def claim_run(
    cases: Sequence[AuditCase], settings: GroundingSettings, out: Path, call: Mapping[str, Any] | None = None
) -> None:
    """Make the folder of a run, or check that it holds this very run.

    Raises:
        InputError: it holds another one, or cases that do not fit the settings.
    """
    check_plan(cases, settings)
    record = {**asdict(settings), "cases": [case.as_dict() for case in cases], "call": dict(call or {})}
    claim_folder(out, RUN, record, run="audit")
    for name in (CASES, PICTURES, ANSWERS):
        (out / name).mkdir(exist_ok=True)


def make_edits(
    pipeline: Any,
    cases: Sequence[AuditCase],
    settings: GroundingSettings,
    out: Path,
    progress: Progress | None = None,
    **call: Any,
) -> list[Record]:
    """Make the edits of all cases that have none yet.

    Args:
        pipeline: an `InstructX2XPipeline`.
        cases: what is asked about.
        settings: of the edits.
        out: folder of the run; it is made.
        progress: called with the cases done and in all.
        call: arguments of the pipeline's call.

    Returns:
        A record for each case, see `read_cases`.

    Raises:
        InputError: `out` holds another audit, or an image or keep mask that cannot be used.
        OutputExistsError: another process works in the folder.
    """
    claim_run(cases, settings, out, call)
    editor = CaseEditor(pipeline, settings, call)
    with locked(out / LOCK, f"Another process works in `{out}`. Wait for it, or choose another folder."):
        for number, case in enumerate(cases):
            if not _case_path(out, number).is_file():
                _write_case(editor, case, number, out)
            if progress:
                progress(number + 1, len(cases))
    return read_cases(out, len(cases))


def _write_case(editor: CaseEditor, case: AuditCase, number: int, out: Path) -> None:
    """Write the pictures of a case, then its record."""
    before = read_image(case.image).pixels.mean(1, keepdim=True).float()
    name = f"{PICTURES}/{number:06d}-00.png"
    write_png(out / name, before, 8)
    shown = read_image(out / name).pixels
    edits = []
    for index, edit in enumerate(editor.edits(before, case, number), start=1):
        file = f"{PICTURES}/{number:06d}-{index:02d}.png"
        notice = synthetic_metadata({"instruction": edit.instruction, "seed": edit.seed, "kind": edit.kind})
        write_png(out / file, edit.image, 8, notice)
        mask = f"{PICTURES}/{number:06d}-{index:02d}-mask.png"
        write_png(out / mask, edit.region.float(), 8, notice)
        edits.append({**_edit_record(edit, shown, read_image(out / file).pixels), "file": file, "mask": mask})
    record = {"case": number, **case.as_dict(), "file": name, "edits": edits}
    write_text(_case_path(out, number), json.dumps(record))


def _edit_record(edit: CaseEdit, before: torch.Tensor, after: torch.Tensor) -> Record:
    return {
        "kind": edit.kind,
        "expects": edit.expects,
        "level": edit.level,
        "seed": edit.seed,
        "instruction": edit.instruction,
        "amount": amount(before, after),
        "gain": edit.gain,
        "matches": edit.matches,
        "editable_share": float(edit.region.double().mean()),
        "changed_share": float((after != before).double().mean()),
    }


def _case_path(out: Path, number: int) -> Path:
    return out / CASES / f"{number:06d}.json"


def read_cases(out: Path, count: int) -> list[Record]:
    """Read the cases of a run with their edits: {"case", "image", "finding", ..., "file", "edits": [...]}.

    Raises:
        InputError: the edits of a case are missing.
    """
    paths = [_case_path(out, number) for number in range(count)]
    missing = sum(not path.is_file() for path in paths)
    if missing:
        raise InputError(f"`out` must hold the edits of all {count} cases, but {missing} are missing. Make them first.")
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def answer_cases(
    answerer: Answerer, records: Sequence[Record], out: Path, progress: Progress | None = None
) -> list[Record]:
    """Ask a model about all cases that it has not answered yet.

    Args:
        answerer: the model.
        records: output of `make_edits`.
        out: folder of the run.
        progress: called with the cases done and in all.

    Returns:
        For each case {"case", "before": ANSWER, "edits": [ANSWER, ...]}, where an answer is {"text", "says", "score"}.

    Raises:
        InputError: the model cannot be asked, or does not answer.
    """
    check_questions(answerer, (record["finding"] for record in records))
    folder = answers_folder(out, answerer.name)
    answers = []
    for record in records:
        path = folder / f"{record['case']:06d}.json"
        if not path.is_file():
            write_text(path, json.dumps(_ask(answerer, record, out)))
        answers.append(json.loads(path.read_text(encoding="utf-8")))
        if progress:
            progress(len(answers), len(records))
    return answers


def answers_folder(out: Path, name: str) -> Path:
    """Return the folder of a model's answers; it is made, and belongs to this model alone.

    Raises:
        InputError: it holds the answers of another model.
    """
    folder = out / ANSWERS / re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80]
    folder.mkdir(exist_ok=True, parents=True)
    about = folder / ABOUT
    if not about.is_file():
        write_text(about, json.dumps({"name": name}))
    if (known := json.loads(about.read_text(encoding="utf-8"))["name"]) != name:
        raise InputError(f"`{folder}` must hold the answers of {name!r}, but holds those of {known!r}.")
    return folder


def _ask(answerer: Answerer, record: Record, out: Path) -> Record:
    """Ask about the pictures of a case in a drawn order, so that their order and file names tell a model nothing."""
    files = [record["file"], *(edit["file"] for edit in record["edits"])]
    question = Question(record["finding"], record["question"])
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(record["case"])).tolist()
    answers: dict[int, Answer] = {}
    for images in _in_parts([files[index] for index in order], out):
        answers |= zip(order[len(answers) :], ask(answerer, images, question))
    first, *others = (asdict(answers[index]) for index in range(len(files)))
    return {"case": record["case"], "before": first, "edits": others}


def _in_parts(files: Sequence[str], out: Path) -> Iterator[torch.Tensor]:
    for start in range(0, len(files), AT_ONCE):
        yield torch.cat([read_image(out / file).pixels for file in files[start : start + AT_ONCE]])
