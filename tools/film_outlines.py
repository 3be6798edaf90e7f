"""Outline the lungs of films by eye, as training data of the lung finder.

    python tools/film_outlines.py sheets FILMS --list train.csv -o runs/sheets
    python tools/film_outlines.py write FILMS --list train.csv --decisions decisions.json -o runs/outlined

`sheets` draws the present finder's outlines on contact sheets, fifteen films each, with their numbers.
A reader writes what is wrong into the decisions, by film::

    {"a.jpg": "drop", "b.jpg": "no lungs", "c.jpg": {"left": [[0.6, 0.5], [0.75, 0.62], [1, 0.7]]}}

A list of points is the lower border of that lung, from left to right, as shares of the film's width and height: what
the outline has below it is taken off. A film that is not among the decisions is taken as drawn. `write` makes a
folder for `x2x train --config lungs --data`; its whole lungs are the present finder's, so that training keeps them.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import cv2
import numpy as np
import torch

from x2x_core.anatomy.lung_overlay import lung_overlay
from x2x_core.anatomy.lungs import INSIDE, LungFinder, LungMasks
from x2x_core.common.errors import InputError
from x2x_core.imaging.contact_sheet import PER_SHEET, contact_sheet
from x2x_core.imaging.files import read_image
from x2x_core.imaging.geometry import resize
from x2x_core.training.lungs.images import FILMS, OUTLINE_COLUMNS, OUTLINES

SIDES = ("right", "left")
STORED = 256  # longer side of a stored film in pixels: twice the network's view

Decision = str | dict[str, list[list[float]]]


def read_list(path: Path) -> list[str]:
    """Return the file names of a table with a column "file"."""
    with path.open(newline="", encoding="utf-8") as file:
        return [row["file"] for row in csv.DictReader(file)]


def read_film(path: Path) -> torch.Tensor:
    """Return a film `(1, 1, h, w)` in [0, 1], `STORED` on its longer side."""
    grey = read_image(path).pixels.mean(1, keepdim=True)
    scale = STORED / max(grey.shape[-2:])
    return resize(grey, (round(scale * grey.shape[-2]), round(scale * grey.shape[-1]))).clamp(0, 1)


def outlines_of(lungs: LungMasks, decision: Decision) -> np.ndarray:
    """Return the outlines of one film with what a decision says of them.

    Args:
        lungs: what the finder found, B = 1.
        decision: "no lungs", or by side the lower border as points, shares of width and height from left to right.

    Returns:
        `(4, h, w)` bool: right and left lung field, right and left whole lung.

    Raises:
        InputError: another word.
    """
    found = torch.cat([lungs.right, lungs.left, lungs.right_whole, lungs.left_whole])[:, 0] >= INSIDE
    outlines = found.numpy()
    outlines[2:] |= outlines[:2]
    if decision == "no lungs":
        return np.zeros_like(outlines)
    if isinstance(decision, str):
        raise InputError(f'A decision must be "drop", "no lungs" or lower borders by side, got {decision!r}.')
    height, width = outlines.shape[1:]
    rows, columns = np.arange(height)[:, None] + 0.5, np.arange(width) + 0.5
    for number, side in enumerate(SIDES):
        if side in decision:
            points = np.array(decision[side], np.float64) * (width, height)
            outlines[number] &= rows <= np.interp(columns, points[:, 0], points[:, 1])
    return outlines


def draw_sheets(options: argparse.Namespace, finder: LungFinder) -> None:
    """Write contact sheets of all films."""
    options.out.mkdir(parents=True, exist_ok=True)
    names = read_list(options.list)
    for first in range(0, len(names), PER_SHEET):
        pictures, labels = [], []
        for number, name in enumerate(names[first : first + PER_SHEET], first):
            film = read_film(options.films / name)
            lungs = finder.find(film)
            pictures.append(lung_overlay(film, lungs))
            labels.append(f"{number} {float(lungs.confidence[0]):.2f} {name}")
        contact_sheet(pictures, labels).save(options.out / f"sheet-{first // PER_SHEET:03d}.png")


def write_outlines(options: argparse.Namespace, finder: LungFinder) -> None:
    """Write films, outlines and the table of a folder of outlined films."""
    decisions: dict[str, Decision] = json.loads(options.decisions.read_text(encoding="utf-8"))
    for kind in (FILMS, "fields", "masks"):
        (options.out / kind).mkdir(parents=True, exist_ok=True)
    rows = []
    for name in read_list(options.list):
        decision = decisions.get(name, {})
        if decision == "drop":
            continue
        film, stored = read_film(options.films / name), f"{Path(name).stem}.png"
        outlines = 255 * outlines_of(finder.find(film), decision).astype(np.uint8)
        cv2.imwrite(str(options.out / FILMS / stored), (255 * film[0, 0]).round().byte().numpy())
        for kind, (right, left) in (("fields", outlines[:2]), ("masks", outlines[2:])):
            cv2.imwrite(str(options.out / kind / stored), np.stack([np.zeros_like(right), left, right], 2))  # BGR
        rows.append(("train", stored, "by hand" if decision else "finder, looked at"))
    with (options.out / OUTLINES).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([OUTLINE_COLUMNS, *rows])
    print(f"{len(rows)} films outlined, {sum(row[2] == 'by hand' for row in rows)} of them by hand")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("sheets", "write"):
        command = commands.add_parser(name)
        command.add_argument("films", type=Path)
        command.add_argument("--list", type=Path, required=True, help='table with a column "file"')
        command.add_argument("-o", "--out", type=Path, required=True)
        command.add_argument("--weights", help="weights of the lung finder [default: the bundled ones]")
        if name == "write":
            command.add_argument("--decisions", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    finder = LungFinder.load(options.weights) if options.weights else LungFinder.bundled()
    {"sheets": draw_sheets, "write": write_outlines}[options.command](options, finder)


if __name__ == "__main__":
    main()
