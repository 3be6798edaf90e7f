"""Measure the rows of a batch with the demo checkpoint: processor seconds, and memory from row to row.

    python benchmarks/batch_rows.py [--rows N] [--threads N] [--out FILE]

The same rows are edited twice: each with a file of its own, and all with one file, whose encoding they share. Seconds
are of processor time, which other load on the machine changes less; the first row of each run, which loads the model,
is not counted.
"""

from __future__ import annotations

import argparse
import csv
import functools
import json
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from x2x_core.batch.manifest import read_manifest
from x2x_core.batch.opening import open_output
from x2x_core.batch.plan import Defaults
from x2x_core.batch.run import BatchSettings, run_batch
from x2x_core.commands.batch import load_edit
from x2x_core.imaging.provenance import versions

SAMPLE = Path(__file__).resolve().parent.parent / "models" / "sample" / "radiograph.png"
PROMPTS = (
    "Add the finding of moderate left pleural effusion.",
    "Add the finding of cardiomegaly.",
    "Add the finding of severe right consolidation.",
)
_STATUS = Path("/proc/self/status")


@dataclass
class Watch:
    """Processor seconds and memory after each row."""

    seconds: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)  # MiB

    def __call__(self, done: int, total: int, errors: int) -> None:
        """Take the time after a row."""
        self.seconds.append(time.process_time())
        self.memory.append(resident_mib())
        if errors:
            raise RuntimeError("A row of the benchmark failed.")

    def summary(self) -> dict[str, Any]:
        """Return seconds by row and memory, without the first row."""
        rows = [after - before for before, after in zip(self.seconds[1:], self.seconds[2:])]
        known = self.memory[2:]
        return {
            "rows": len(rows),
            "median_seconds": round(statistics.median(rows), 3),
            "seconds": [round(row, 3) for row in rows],
            "memory_mib": {"first": known[0], "last": known[-1], "largest": max(known)},
        }


def resident_mib() -> int:
    """Return the memory of this process in MiB, 0 where the system does not tell."""
    if not _STATUS.exists():
        return 0
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))


def measure(folder: Path, rows: int, threads: int, is_shared: bool) -> dict[str, Any]:
    """Return the costs of a batch of `rows` rows, after one that is not counted."""
    folder.mkdir()
    names = [f"film-{0 if is_shared else number}.png" for number in range(rows + 1)]
    for name in set(names):
        shutil.copy(SAMPLE, folder / name)
    with (folder / "edits.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("image", "prompt", "seed"))
        table.writerows((name, PROMPTS[number % len(PROMPTS)], number) for number, name in enumerate(names))
    watch = Watch()
    settings = BatchSettings(functools.partial(load_edit, None, "cpu", None), threads=threads)
    run_batch(read_manifest(str(folder / "edits.csv")), open_output(str(folder / "out")), Defaults(), settings, watch)
    return watch.summary()


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=12, help="counted rows of each run, at least 2")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="JSON file for the record")
    chosen = parser.parse_args()
    if chosen.rows < 2:
        parser.error("`--rows` must be at least 2.")
    with tempfile.TemporaryDirectory(prefix="batch-rows-") as scratch:
        found = {
            name: measure(Path(scratch) / name, chosen.rows, chosen.threads, name == "shared")
            for name in ("alone", "shared")
        }
    record = {"threads": chosen.threads, "versions": versions(), **found}
    for name in ("alone", "shared"):
        memory = found[name]["memory_mib"]
        print(f"{name}: {found[name]['median_seconds']} s a row (median of {found[name]['rows']})", end=", ")
        print(f"memory {memory['first']} MiB after the first row, {memory['last']} after the last")
    if chosen.out:
        chosen.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
