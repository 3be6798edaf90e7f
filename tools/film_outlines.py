"""Outline the lungs of films by eye, as training data of the lung finder.

    python tools/film_outlines.py sheets FILMS --list train.csv -o runs/sheets
    python tools/film_outlines.py write FILMS --list train.csv --decisions decisions.json -o runs/outlined

`sheets` draws outlines on contact sheets, fifteen films each, with numbers: the present finder's, averaged over the
film and its mirror image, without tails and down to the visible dome (`x2x_core.training.lungs.visible_border`).
A reader writes what is wrong into the decisions, by film::

    {"a.jpg": "drop", "b.jpg": "no lungs", "c.jpg": {"left": [[0.6, 0.5], [0.75, 0.62], [1, 0.7]]}}

A list of points is the lower border of that lung, from left to right, as shares of the film's width and height: what
the outline has below it is taken off. A film that is not among the decisions is taken as drawn. `write` makes a folder for
`x2x train --config lungs --data`; its whole lungs are the present finder's, so that training keeps them.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import cv2
import numpy as np
import torch

from x2x_core.anatomy.lungs import INSIDE, LungFinder
from x2x_core.training.lungs.geometry import mirrored
from x2x_core.training.lungs.images import FILMS, OUTLINE_COLUMNS, OUTLINES
from x2x_core.training.lungs.visible_border import TAILS, to_visible_border, without_long_tails

SIDES = ("right", "left")
COLOURS = ((255, 196, 64), (87, 217, 126))  # BGR
SIDE, ACROSS, DOWN = 300, 5, 3  # of a sheet
STORED = 256  # longer side of a stored film in pixels: twice the network's view


def read_list(path: Path) -> list[str]:
    """Return the file names of a table with a column "file"."""
    with path.open(newline="", encoding="utf-8") as file:
        return [row["file"] for row in csv.DictReader(file)]


def read_film(path: Path) -> np.ndarray:
    """Return a film `(h, w)` uint8, `STORED` on its longer side."""
    film = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if film is None:
        raise SystemExit(f"`{path}` is not a picture that can be read.")
    scale = STORED / max(film.shape)
    return np.asarray(cv2.resize(film, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def outlined(finder: LungFinder, film: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the outlines `(h, w, 4)` uint8 of 0 and 255, lung fields and whole lungs, and the finder's confidence."""
    image = torch.from_numpy(film.astype(np.float32) / 255)[None, None]
    (found, confidence), (flipped, _) = _probabilities(finder, image), _probabilities(finder, image.flip(-1))
    inside = (found + mirrored(flipped)) / 2 >= INSIDE
    for number, cut in enumerate(TAILS):
        inside[..., number] = to_visible_border(film, without_long_tails(inside[..., number], *cut))
        inside[..., number + 2] |= inside[..., number]
    return inside.astype(np.uint8) * 255, confidence


def _probabilities(finder: LungFinder, image: torch.Tensor) -> tuple[np.ndarray, float]:
    lungs = finder.find(image)
    masks = torch.cat([lungs.right, lungs.left, lungs.right_whole, lungs.left_whole])[:, 0]
    return masks.permute(1, 2, 0).numpy(), float(lungs.confidence[0])


def corrected(outlines: np.ndarray, decision: str | dict[str, list[list[float]]]) -> np.ndarray:
    """Return the outlines `(h, w, 4)` with what a decision says of them."""
    outlines = outlines.copy()
    if decision == "no lungs":
        outlines[:] = 0
        return outlines
    height, width = outlines.shape[:2]
    rows, columns = np.arange(height)[:, None] + 0.5, np.arange(width) + 0.5
    for number, side in enumerate(SIDES):
        if side in decision:
            points = np.array(decision[side], np.float64) * (width, height)
            outlines[..., number][rows > np.interp(columns, points[:, 0], points[:, 1])] = 0
    return outlines


def panel(film: np.ndarray, outlines: np.ndarray, text: str) -> np.ndarray:
    """Return a film with the outlines of both fields and a line of text, `(SIDE, SIDE, 3)` uint8 BGR."""
    picture = cv2.cvtColor(cv2.resize(film, (SIDE, SIDE)), cv2.COLOR_GRAY2BGR)
    for field, colour in zip(np.moveaxis(outlines[..., :2], 2, 0).copy(), COLOURS):
        found, _ = cv2.findContours(cv2.resize(field, (SIDE, SIDE)), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, found, -1, colour, 1)
    cv2.putText(picture, text, (4, SIDE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 255, 255), 1, cv2.LINE_AA)
    return np.asarray(picture)


def draw_sheets(options: argparse.Namespace, finder: LungFinder) -> None:
    """Write contact sheets of all films."""
    options.out.mkdir(parents=True, exist_ok=True)
    names, each = read_list(options.list), ACROSS * DOWN
    for first in range(0, len(names), each):
        sheet = np.zeros((DOWN * SIDE, ACROSS * SIDE, 3), np.uint8)
        for place, name in enumerate(names[first : first + each]):
            film = read_film(options.films / name)
            outlines, confidence = outlined(finder, film)
            top, left = (SIDE * step for step in divmod(place, ACROSS))
            text = f"{first + place} {confidence:.2f} {name}"
            sheet[top : top + SIDE, left : left + SIDE] = panel(film, outlines, text)
        cv2.imwrite(str(options.out / f"{first // each:03d}.png"), sheet)


def write_outlines(options: argparse.Namespace, finder: LungFinder) -> None:
    """Write films, outlines and the table of a folder of outlined films."""
    decisions = json.loads(options.decisions.read_text(encoding="utf-8"))
    for kind in (FILMS, "fields", "masks"):
        (options.out / kind).mkdir(parents=True, exist_ok=True)
    rows = []
    for name in read_list(options.list):
        decision = decisions.get(name, {})
        if decision == "drop":
            continue
        film, stored = read_film(options.films / name), f"{Path(name).stem}.png"
        outlines = corrected(outlined(finder, film)[0], decision)
        cv2.imwrite(str(options.out / FILMS / stored), film)
        for kind, right in (("fields", 0), ("masks", 2)):
            coloured = np.stack([np.zeros_like(film), outlines[..., right + 1], outlines[..., right]], 2)  # BGR
            cv2.imwrite(str(options.out / kind / stored), coloured)
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
