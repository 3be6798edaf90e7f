"""MieDB-100k: medical images with instruction and target in three perspectives.

Layout (Lai et al., *MieDB-100k: A Comprehensive Dataset for Medical Image Editing*, 2026; github.com/Raiiyf/MieDB-100k,
huggingface.co/datasets/Laiyf/MieDB-100k)::

    dataBenchmark/metadata.json     [{idx, input_image, output_image, prompt, category, note}]
    dataBenchmark/input/, output/   pictures; paths are relative to dataBenchmark

Categories: "Perception" (the target is the input with a region painted red, green or blue: the last word of its file
name, or all three where `note` is "Multiclasses"), "Modification", "Transformation".
"""

from __future__ import annotations

from pathlib import Path

import torch

from x2x_core.common.errors import InputError

from .cases import BenchCase, field_of, read_json

METADATA = "metadata.json"
PERCEPTION = "Perception"
_COLOURS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
PAINTED_FROM = 0.5  # opacity of the paint from which a pixel belongs to the region, as in the benchmark's own code


def read_miedb(folder: str | Path) -> list[BenchCase]:
    """Read the cases, grouped by category; their files are not checked.

    Args:
        folder: "dataBenchmark" or "dataTrain".

    Raises:
        InputNotFoundError: there is no copy of MieDB.
        InputError: another layout.
    """
    folder = Path(folder)
    record = read_json(folder / METADATA, "MieDB-100k")
    if not isinstance(record, list):
        raise InputError(f"`{folder / METADATA}` must be a list of samples.")
    cases = []
    for number, sample in enumerate(record, 1):
        place = f"{METADATA}, sample {number}"
        category = field_of(sample, "category", place).capitalize()
        cases.append(
            BenchCase(
                id=str(sample.get("idx", number)),
                instruction=field_of(sample, "prompt", place),
                before=folder / field_of(sample, "input_image", place),
                target=folder / field_of(sample, "output_image", place),
                group=category,
                painted=category == PERCEPTION,
            )
        )
    return cases


def painted_region(picture: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """Return the region that is painted red, green or blue over a picture, by the rule of the benchmark's own code.

    The opacity of a colour is the projection of the change on the way to the colour.

    Args:
        picture: `(3, H, W)` in [0, 1].
        before: like `picture`, without the paint.

    Returns:
        `(1, H, W)` bool.
    """
    change, painted = picture - before, torch.zeros(1, *picture.shape[-2:], dtype=torch.bool)
    for colour in _COLOURS:
        way = torch.tensor(colour)[:, None, None] - before
        opacity = (change * way).sum(0, keepdim=True) / (way * way).sum(0, keepdim=True).clamp_min(1e-12)
        painted |= opacity > PAINTED_FROM
    return painted
