"""Compare lung finders on real films by a reader who does not know whose outline is shown.

    python benchmarks/lung_films.py sheets FILMS --list held.csv --weights OLD --weights NEW -o runs/lungs-read
    python benchmarks/lung_films.py grade runs/lungs-read --wrong wrong.txt

`sheets` writes contact sheets of every film's outlines by every finder in shuffled order, numbered, and a key apart.
The reader writes the numbers of the wrong outlines into a file: those that hold gas, liver or soft tissue, or miss
aerated lung, by more than about a twentieth of the lung. `grade` prints, for each finder, the share of wrong outlines
with Wilson's 95 % interval, and how many of them, and of the right ones, come with a warning (confidence below 0.75).
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from pathlib import Path

import torch

from x2x_core.anatomy.alignment import WARNED_BELOW, fit_frame
from x2x_core.anatomy.lung_overlay import lung_overlay
from x2x_core.anatomy.lungs import LungFinder
from x2x_core.evaluation.metrics.wilson import wilson
from x2x_core.imaging.contact_sheet import PER_SHEET, contact_sheet
from x2x_core.imaging.files import read_image


def write_sheets(options: argparse.Namespace) -> None:
    """Write the sheets, and the key: film, finder and confidence of each number."""
    with options.list.open(newline="", encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    finders = [LungFinder.load(path) for path in options.weights]
    shown = [(name, number) for name in names for number in range(len(finders))]
    random.Random(options.seed).shuffle(shown)
    options.out.mkdir(parents=True, exist_ok=True)
    key, panels = [], []
    for name, finder in shown:
        grey = read_image(options.films / name).pixels.mean(1, keepdim=True)
        lungs = finders[finder].find(grey)
        key.append({"film": name, "finder": str(options.weights[finder]), "confidence": fit_frame(lungs)[1]})
        panels.append(lung_overlay(grey, lungs))
        if len(panels) == PER_SHEET or len(key) == len(shown):
            first = len(key) - len(panels)
            numbers = [str(first + place) for place in range(len(panels))]
            contact_sheet(panels, numbers).save(options.out / f"sheet-{first // PER_SHEET:03d}.png")
            panels = []
    (options.out / "key.json").write_text(json.dumps(key, indent=1), encoding="utf-8")


def grade(options: argparse.Namespace) -> None:
    """Print the share of wrong outlines, and of warnings, of each finder."""
    key = json.loads((options.out / "key.json").read_text(encoding="utf-8"))
    wrong = {int(number) for number in options.wrong.read_text(encoding="utf-8").split()}
    for finder in sorted({entry["finder"] for entry in key}):
        own = [(number in wrong, entry["confidence"] < WARNED_BELOW) for number, entry in enumerate(key)
               if entry["finder"] == finder]  # fmt: skip
        bad = [warned for is_wrong, warned in own if is_wrong]
        good = [warned for is_wrong, warned in own if not is_wrong]
        share = wilson(len(bad), len(own))
        interval = f"{share.value:.1%}, {share.low:.1%} to {share.high:.1%}"
        print(f"{finder}: {len(bad)} of {len(own)} outlines wrong ({interval}), {sum(bad)} of them with a warning;")
        print(f"    {sum(good)} of {len(good)} right ones with a warning")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    sheets = commands.add_parser("sheets")
    sheets.add_argument("films", type=Path)
    sheets.add_argument("--list", type=Path, required=True, help='table with a column "file"')
    sheets.add_argument("--weights", type=Path, action="append", required=True)
    sheets.add_argument("--seed", type=int, default=0)
    sheets.add_argument("-o", "--out", type=Path, required=True)
    graded = commands.add_parser("grade")
    graded.add_argument("out", type=Path, help="folder that `sheets` wrote")
    graded.add_argument("--wrong", type=Path, required=True, help="file with the numbers of the wrong outlines")
    options = parser.parse_args()
    torch.set_num_threads(1)
    {"sheets": write_sheets, "grade": grade}[options.command](options)


if __name__ == "__main__":
    main()
