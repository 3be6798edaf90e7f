"""A reading sheet: pictures under neutral names in shuffled order, and lists to fill in; the answer key apart.

Layout of the sheet::

    README.txt           what to do
    part1/NNN.png        one picture at a time: edited, drawn or as it was
    part1.csv            to fill in: picture, finding, side, visibility, remark
    part2/NNN.png        the picture before an edit, and beside it the edit
    part2.csv            to fill in: picture, artefact, normal, remark
    part3/NNN.png        two levels of one request side by side
    part3.csv            to fill in: picture, more, remark

The key is one JSON file that the reader must not see::

    {"format": "x2x-reading-1", "synthetic": true, "notice", "settings", "weights_sha256", "versions",
     "part1": [{"picture", "kind", "film", "film_sha256", "known_findings", "finding", "side", "zone", "level",
                "instruction", "seed", "series", "lesion", "seconds"}],
     "part2": [{"picture", "of": a picture of part 1}],
     "part3": [{"picture", "left", "right": pictures of part 1, "stronger": "left" or "right"}]}

Every picture has the same metadata, so that nothing but its pixels tells it from another.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from x2x_core.common.errors import InputError
from x2x_core.common.storage import write_text
from x2x_core.imaging.files import read_image, write_png
from x2x_core.imaging.provenance import synthetic_metadata, versions
from x2x_core.simulation.findings import SIDED, SIMULATED_FINDINGS

from .pictures import picture_of, read_facts
from .plan import DRAWN, EDIT, UNEDITED, Entry, ReadingSettings, sheet_generator, shuffle

FORMAT = "x2x-reading-1"
PARTS = ("part1", "part2", "part3")
COLUMNS = {
    "part1": ("picture", "finding", "side", "visibility", "remark"),
    "part2": ("picture", "artefact", "normal", "remark"),
    "part3": ("picture", "more", "remark"),
}
VISIBILITIES = ("plain", "subtle", "nothing")
ARTEFACTS = ("none", "seam", "halo", "blob", "double contour", "burnt white", "lost ribs", "other")
NORMAL = ("nearer", "same", "worse")
MORE = ("left", "right", "same")
NOTICE = (
    "Radiographs of a blinded reading: most are edited or drawn by a program, some are as they were. For research, not "
    "for diagnosis."
)
GAP = 12  # pixels between two pictures side by side
_SIDES = 4  # number of the generator of the sides in part 3
_README = f"""{NOTICE}

Fill in the lists in a spreadsheet or an editor and save them as CSV under the same names. Leave the pictures and their
order as they are. Do part 1 before you open part 2, and part 2 before part 3.

part1.csv: one picture at a time, before you look at the next.
  visibility   plain (seen at once), subtle (seen after a search) or nothing (no finding of the list)
  finding      one of: {", ".join(SIMULATED_FINDINGS)}; empty with nothing
  side         right or left of the patient, or bilateral; needed for {", ".join(sorted(SIDED))}
  remark       anything, or empty
For a second finding on a picture, add a line with the same picture below it.

part2.csv: on the left the picture before an edit, on the right the edited one.
  artefact     none, or several separated by a vertical bar: {", ".join(ARTEFACTS[1:])}
  normal       the right picture is nearer to normal than the left one, the same or worse: {", ".join(NORMAL)}

part3.csv: two pictures of one patient.
  more         the one that shows more of a disease: {", ".join(MORE)}
"""


@dataclass(frozen=True)
class Sheet:
    """A sheet and what it is made from.

    Args:
        folder: of the sheet, for the reader.
        key: the answer key, a file outside of it.
        made: folder of the pictures, see `x2x_core.evaluation.reading.pictures`.
        settings: of the reading set.
        weights: hash of the model's weights.
    """

    folder: Path
    key: Path
    made: Path
    settings: ReadingSettings
    weights: str | None


def check_sheet(folder: Path, key: Path) -> None:
    """Check that a sheet can be written, before a long run.

    Raises:
        InputError: the folder holds something already, or the key would lie in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"`reading_sheet` must be an empty folder, but `{folder}` is not. Choose another one.")
    if folder.resolve() in key.resolve().parents:
        raise InputError(f"`reading_sheet` must not hold the answer key, but `{key}` lies in `{folder}`.")


def write_sheet(sheet: Sheet, entries: Sequence[Entry]) -> None:
    """Write the sheet of a plan whose pictures are made, and its key.

    Args:
        sheet: what to write, and where.
        entries: of the plan, in its order.

    Raises:
        InputError: see `check_sheet`.
    """
    check_sheet(sheet.folder, sheet.key)
    sheet.folder.mkdir(parents=True, exist_ok=True)
    order = _order(sheet, entries, 1)
    names = {number: f"{place:03d}.png" for place, number in enumerate(order, start=1)}
    parts = {
        "part1": [_first(sheet, entries[number], number, names[number]) for number in order],
        "part2": _second(sheet, entries, names),
        "part3": _third(sheet, entries, names),
    }
    for part, records in parts.items():
        _write_list(sheet.folder / f"{part}.csv", COLUMNS[part], [record["picture"] for record in records])
    write_text(sheet.folder / "README.txt", _README)
    key = {
        "format": FORMAT,
        "synthetic": True,
        "notice": NOTICE,
        "settings": asdict(sheet.settings),
        "weights_sha256": sheet.weights,
        "versions": versions(),
        **parts,
    }
    sheet.key.parent.mkdir(parents=True, exist_ok=True)
    write_text(sheet.key, json.dumps(key, indent=1, ensure_ascii=False) + "\n")


def _first(sheet: Sheet, entry: Entry, number: int, name: str) -> dict[str, Any]:
    _save(sheet.folder / "part1" / name, _pixels(picture_of(sheet.made, number)))
    film = entry.film.path.relative_to(sheet.settings.films).as_posix()
    return {"picture": name, "film": film, **read_facts(sheet.made, number), **entry.as_dict()}


def _second(sheet: Sheet, entries: Sequence[Entry], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Write the edits beside what they were made from."""
    edits = [number for number, entry in enumerate(entries) if entry.kind not in (UNEDITED, DRAWN)]
    records = []
    for place, index in enumerate(_order(sheet, [entries[number] for number in edits], 2), start=1):
        number, name = edits[index], f"{place:03d}.png"
        pair = [picture_of(sheet.made, number, before=True), picture_of(sheet.made, number)]
        _save(sheet.folder / "part2" / name, _beside(*map(_pixels, pair)))
        records.append({"picture": name, "of": names[number]})
    return records


def _third(sheet: Sheet, entries: Sequence[Entry], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Write neighbouring levels of one request side by side, the stronger one on a side that is drawn."""
    twos = [
        (number - 1, number)
        for number in range(1, len(entries))
        if entries[number].kind == EDIT and entries[number - 1].series == entries[number].series
    ]
    generator = sheet_generator(sheet.settings, sheet.weights, _SIDES)
    records = []
    for place, index in enumerate(_order(sheet, [entries[number] for number, _ in twos], 3), start=1):
        name, turned = f"{place:03d}.png", bool(torch.randint(2, (), generator=generator))
        left, right = reversed(twos[index]) if turned else twos[index]
        pair = [_pixels(picture_of(sheet.made, number)) for number in (left, right)]
        _save(sheet.folder / "part3" / name, _beside(*pair))
        stronger = "left" if turned else "right"
        records.append({"picture": name, "left": names[left], "right": names[right], "stronger": stronger})
    return records


def _order(sheet: Sheet, entries: Sequence[Entry], part: int) -> list[int]:
    return shuffle([entry.film.path for entry in entries], sheet_generator(sheet.settings, sheet.weights, part))


def _pixels(path: Path) -> torch.Tensor:
    return read_image(path).pixels[0].mean(0, keepdim=True)


def _beside(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    return torch.cat([left, torch.ones(1, left.shape[1], GAP), right], dim=2)


def read_beside(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Read a picture of part 2 or 3, and return its left and its right half, `(1, H, W)` each in [0, 1]."""
    pixels = _pixels(path)
    width = (pixels.shape[2] - GAP) // 2
    return pixels[..., :width], pixels[..., width + GAP :]


def _save(path: Path, pixels: torch.Tensor) -> None:
    path.parent.mkdir(exist_ok=True)
    write_png(path, pixels, 8, {**synthetic_metadata({}), "Comment": NOTICE})


def _write_list(path: Path, columns: Sequence[str], pictures: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows((picture, *[""] * (len(columns) - 1)) for picture in pictures)
