"""A small reading sheet for tests of reader studies, with its key."""

import csv
import json

import torch

from x2x_core.evaluation.reading.sheet import COLUMNS, FORMAT, GAP, PARTS
from x2x_core.imaging.files import write_png


def truth(number, film):
    return {
        "picture": f"{number:03d}.png",
        "kind": "edit",
        "film": film,
        "finding": "edema",
        "side": None,
        "known_findings": [],
    }


KEY = {
    "format": FORMAT, "settings": {"model": "demo"}, "weights_sha256": None, "versions": {},
    "part1": [truth(1, "a"), truth(2, "b"), truth(3, "a"), truth(4, "b")],
    "part2": [{"picture": "001.png", "of": "001.png"}, {"picture": "002.png", "of": "002.png"}],
    "part3": [{"picture": "001.png", "left": "001.png", "right": "003.png", "stronger": "left"}],
}  # fmt: skip


def write_sheet(folder):
    """Write a sheet of KEY whose pictures are plain greys, the right halves darker."""
    left, right = torch.full((1, 16, 24), 0.8), torch.full((1, 16, 24), 0.2)
    for part in PARTS:
        (folder / part).mkdir(parents=True)
        for record in KEY[part]:
            pixels = left if part == "part1" else torch.cat([left, torch.ones(1, 16, GAP), right], dim=2)
            write_png(folder / part / record["picture"], pixels)
        with (folder / f"{part}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([COLUMNS[part], *([record["picture"]] for record in KEY[part])])
    (folder.parent / "key.json").write_text(json.dumps(KEY))
    return folder
