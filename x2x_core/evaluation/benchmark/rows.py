"""The rows of a comparison: ways to edit, and references that no model makes.

A row that edits is described by arguments of the pipeline's call. The references are the image as it was ("do nothing")
and the true image ("real target"): their scores show where a measure begins and ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from x2x_core.evaluation.results import TARGET, UNEDITED
from x2x_core.language.instruction import Instruction

OURS = "ours"
OURS_GIVEN = "ours, true region given"
OURS_DECODED = "ours, decoding laid over"
UNRESTRICTED = "no restriction"
RELEVANCE_ONLY = "relevance only"
PSEUDOMASK_ONLY = "pseudomask only"
PUBLISHED_RSE = "published RSE"
DIFFEDIT = "DiffEdit mask"
RADEDIT = "RadEdit"
Regions = Callable[[Instruction, tuple[int, int]], torch.Tensor]  # instruction and (height, width) to (1, 1, H, W)


@dataclass(frozen=True)
class Row:
    """One way to edit, or a reference.

    Args:
        name: name in tables and records.
        note: description for readers.
        arguments: of the pipeline's call.
        region_argument: argument that takes the masks of `regions`: "pseudomask", "guidance_mask" or "edit_mask".
        regions: makes the mask of an instruction.
        diffedit: edit inside the mask that DiffEdit's rule finds.
        radedit: edit in RadEdit's way, with the masks of `regions` as edit masks.
        reference: "before" or "after": image of the pair that stands in for an edit; no model runs.
        given_truth: edit inside the true region of each pair, given as `guidance_mask`.
        undo: take each addition back by a second edit, and measure what is left.
        is_peer: False for our own method, its variants and the references, which `peers_count` does not limit.
    """

    name: str
    note: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    region_argument: str | None = None
    regions: Regions | None = None
    diffedit: bool = False
    radedit: bool = False
    reference: str | None = None
    given_truth: bool = False
    undo: bool = False
    is_peer: bool = True

    def call(self, instructions: Sequence[Instruction], size: tuple[int, int]) -> dict[str, Any]:
        """Return the arguments of the pipeline's call for a batch.

        Args:
            instructions: one for each image.
            size: height and width of the images.
        """
        if self.regions is None or self.region_argument is None:
            return dict(self.arguments)
        masks = torch.cat([self.regions(instruction, size) for instruction in instructions])
        return {**self.arguments, self.region_argument: masks}


UNEDITED_ROW = Row(UNEDITED, "the image as it was", reference="before", is_peer=False)
TARGET_ROW = Row(TARGET, "the true image: what a perfect edit gives", reference="after", is_peer=False)
REFERENCES = {row.name: row for row in (UNEDITED_ROW, TARGET_ROW)}


def slug(name: str) -> str:
    """Return a row's name as the name of a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
