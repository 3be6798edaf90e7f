"""Batches for tests: small films, manifests, and an edit that needs no network."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from pathlib import Path

import cv2
import numpy as np
import torch

from x2x_core.archive.edit_record import FinishedEdit
from x2x_core.batch.manifest import read_manifest
from x2x_core.batch.opening import open_output
from x2x_core.batch.output import WORK
from x2x_core.batch.plan import Defaults
from x2x_core.batch.run import BatchSettings, run_batch
from x2x_core.common.errors import InputError
from x2x_core.edit.settings import resolve_settings
from x2x_core.language.instruction import Instruction

PROMPTS = ("Add the finding of moderate left pleural effusion.", "Add the finding of cardiomegaly.")
#: File to which `StubEdit` appends the seed of each edit, named by an environment variable.
LOG = "X2X_TEST_EDITS"


class StubEdit:
    """Darkens a box, by an amount that depends on prompt and seed."""

    def __call__(self, radiograph, call, is_shared):
        if path := os.environ.get(LOG):
            with open(path, "a") as log:
                log.write(f"{call.seed}\n")
        if call.prompt == "fail":
            raise InputError("`prompt` must not fail.")
        if call.prompt == "break":
            raise RuntimeError("broken")
        mask = torch.zeros(1, 1, *radiograph.size, dtype=torch.bool)
        mask[..., 2:9, 3:8] = True
        share = hashlib.sha256(f"{call.prompt} {call.seed}".encode()).digest()[0] / 255
        edited = torch.where(mask, radiograph.pixels * share, radiograph.pixels)
        settings = resolve_settings(call.arguments, {})
        return FinishedEdit(edited, mask.float(), mask, Instruction.parse(PROMPTS[0]), None, None, settings, "cpu", "")


def load_stub(model):
    """Return the stub for any model."""
    return StubEdit()


def write_films(folder: Path, count: int = 3, side: int = 16) -> list[str]:
    """Write random films and return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"film-{number}.png" for number in range(count)]
    for number, name in enumerate(names):
        values = np.random.default_rng(number).integers(0, 256, (side, side)).astype(np.uint8)
        cv2.imwrite(str(folder / name), values)
    return names


def write_manifest(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write a CSV manifest; its columns are the keys of all rows."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def plan_rows(folder: Path, count: int, films: int = 3) -> Path:
    """Write films and a manifest of `count` rows whose seeds are 1, 2, ..."""
    names = write_films(folder, films)
    rows = [
        {"image": names[number % films], "prompt": PROMPTS[number % 2], "seed": number + 1} for number in range(count)
    ]
    return write_manifest(folder / "edits.csv", rows)


def stub_batch(manifest: Path, out: Path, defaults: Defaults | None = None, **settings):
    """Run a batch with the stub."""
    own = BatchSettings(**{"load": load_stub, **settings})
    return run_batch(read_manifest(str(manifest), str(out)), open_output(str(out)), defaults or Defaults(), own)


def digests(folder: Path) -> dict[str, str]:
    """Return the hash of each file of an output folder, without its state."""
    files = (path for path in folder.rglob("*") if path.is_file() and WORK not in path.parts)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def table(out: Path) -> list[dict[str, str]]:
    """Read results.csv."""
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def record(out: Path, number: int) -> dict:
    """Read the record of a row's edit."""
    return json.loads((out / f"edits/000/{number:06d}/result.json").read_text())
