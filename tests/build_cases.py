"""Small builds of MIMIC-EDIT-INSTRUCTION for tests, and readers of their files."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

from x2x_core.dataset import building
from x2x_core.dataset.building import build_dataset
from x2x_core.dataset.settings import BuildSettings

SETTINGS = BuildSettings(size=64)
ROOT = Path(building.__file__).parents[2]


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digest(folder):
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def report_of(folder):
    return json.loads((folder / "report.json").read_text())


def build(case, out, **more):
    return build_dataset(case.mimic, case.vqa, out, more.pop("settings", SETTINGS), workers=1, **more)


def rejected(out):
    return [(row["reason"], row["row"]) for row in table(out / "rejected.csv") if row["reason"] != "nothing_changed"]


def expect(out, *pairs):
    assert sorted(rejected(out)) == sorted(pairs)
    report = report_of(out)
    assert (
        report["rows"]["kept"]
        + sum(number for reason, number in report["rows"]["rejected"].items() if reason != "malformed_row")
        == report["rows"]["difference"]
    )


def lines_of(case, *rows):
    """The line numbers of rows in the file."""
    return [str(case.questions.index(row) + 2) for row in rows]


def changes(case):
    """Return the difference rows that state a change."""
    return [row for row in case.differences if "nothing" not in row["answer"]]


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def add_all_pairs(case):
    """A difference row for every two studies of a patient that have none yet."""
    there = {(row["ref_id"], row["study_id"]) for row in case.differences}
    for one, other in combinations(case.studies, 2):
        pair = (one["study_id"], other["study_id"])
        if one["subject_id"] == other["subject_id"] and pair not in there:
            case.questions.append({
                "study_id": pair[1], "subject_id": one["subject_id"], "ref_id": pair[0], "question_type": "difference",
                "question": "what has changed compared to the reference image?", "split": one["split"],
                "answer": "the main image has an additional finding of edema than the reference image. ",
            })  # fmt: skip
    case.write_questions()


def start(case, out):
    command = [sys.executable, "-m", "x2x_core.cli", "dataset", "build", "--mimic", case.mimic, "--vqa", case.vqa,
               "--out", out, "--size", "64", "--workers", "2"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [str(word) for word in command], env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )


def wait_for(happened, seconds=120):
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.01)


def kill(process):
    """Kill the build alone; its worker processes must leave by themselves."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not group_lives(process.pid), 30)


def group_lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
