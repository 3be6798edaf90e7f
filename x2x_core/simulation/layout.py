"""Files of a simulated dataset: the pair layout, with the ground truth beside it.

Layout::

    instructions.csv   past/ current/   the pair layout (`x2x_core.pairs.layout`), images 8 or 16-bit grey PNG
    change/            current - past as 16-bit PNG, see `x2x_core.simulation.change_maps`
    masks/             right lung, left lung and heart without disease, in red, green and blue (0 or 255)
    fields/            optional lung fields, see `x2x_core.simulation.fields`
    attributes.jsonl   one line per pair: pose, body shape, exposure, lesions before and after
    simulation.json    the settings; equal settings give equal bytes
    parts/             one file per finished body, from which an interrupted run continues
"""

from __future__ import annotations

from pathlib import Path

from x2x_core.pairs.layout import CURRENT, PAST

CHANGE, MASKS, FIELDS, PARTS = "change", "masks", "fields", "parts"
#: One line per pair, see `x2x_core.simulation.attributes`.
ATTRIBUTES_FILE = "attributes.jsonl"
#: Record of the settings, see `x2x_core.simulation.settings`.
SETTINGS_FILE = "simulation.json"
IMAGE_FOLDERS = (PAST, CURRENT, CHANGE, MASKS)


def pair_file(body: int, number: int) -> str:
    """Return the file name of a pair's images."""
    return f"{body:06d}-{number}.png"


def fields_file(out: Path, body: int) -> Path:
    """Return the path of a body's lung fields."""
    return out / FIELDS / f"{body:06d}.png"


def part_file(out: Path, body: int) -> Path:
    """Return the path of the file that marks a body as finished."""
    return out / PARTS / f"{body:06d}.json"
