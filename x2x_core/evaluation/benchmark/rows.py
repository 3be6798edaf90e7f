"""The rows of the benchmark: the ablation's peers, DiffEdit's mask, ours, and two that no model makes.

*Do nothing* hands the image back, *real target* the true image: what they score is where a measure begins and ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from x2x_core.evaluation.results import TARGET, UNEDITED
from x2x_core.language.instruction import Instruction
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

from . import diffedit
from .ablation_rows import OURS, Row, parts_of_ours, shared_settings, standard_rows
from .simulated import EditedPair, TruePair, edit_pairs

DIFFEDIT = "DiffEdit mask"
OURS_DECODED = "ours, decoding laid over"
UNRESTRICTED = "no restriction"
PUBLISHED_RSE = "published RSE"
REFERENCES = {
    UNEDITED: "the image as it was",
    TARGET: "the true image: what a perfect edit gives",
}


@dataclass(frozen=True)
class BenchmarkRow:
    """A way to edit, with `mask` "diffedit" where DiffEdit finds the mask first."""

    row: Row
    mask: str | None = None

    @property
    def name(self) -> str:
        """What the report calls it."""
        return self.row.name

    @property
    def is_ours(self) -> bool:
        """Whether it is no peer."""
        return self.name in (OURS, OURS_DECODED)


def benchmark_rows(
    pipeline, call: Mapping[str, Any] | None = None, *, published_masks: PseudomaskAtlas | None = None
) -> tuple[BenchmarkRow, ...]:
    """Peers and ours, with the same steps and scales; see `x2x_core.evaluation.benchmark.ablation_rows.standard_rows`.

    The peers lay a decoding over the image, ours the difference of two; the last row, ours with the decoding laid over,
    tells what that does from what restricts the edit.
    """
    rows = {row.name: BenchmarkRow(row) for row in standard_rows(pipeline, call, published_masks=published_masks)}
    note = (
        f"edited where DiffEdit's rule on the relevance map says (noise level {diffedit.NOISE_LEVEL:g}, {diffedit.DRAWS} "
        "draws), in the published arithmetic; the image stands in place of DiffEdit's inversion"
    )
    arguments = {**shared_settings(pipeline, call or {}), "reference": True}
    ours = rows.pop(OURS)
    rows[DIFFEDIT] = BenchmarkRow(Row(DIFFEDIT, note, arguments), "diffedit")
    decoded = next(row for row in parts_of_ours(pipeline, call) if row.name == OURS_DECODED)
    order = (UNRESTRICTED, DIFFEDIT, "relevance only", "pseudomask only", PUBLISHED_RSE)
    return (*(rows[name] for name in order), ours, BenchmarkRow(decoded))


def edit_row(pipeline, one: BenchmarkRow, pairs: Sequence[TruePair], seeds: Sequence[int]) -> list[EditedPair]:
    """The edits of a batch of pairs, each with its seed."""
    size = tuple(pairs[0].before.shape[-2:])
    call = one.row.call([Instruction.parse(pair.instruction) for pair in pairs], size)
    if one.mask is None:
        return edit_pairs(pipeline, pairs, seeds, **call)
    images = torch.stack([pair.before for pair in pairs])
    found, mask = diffedit.find_mask(pipeline, images, [pair.instruction for pair in pairs], seeds)
    edits = edit_pairs(pipeline, pairs, seeds, **call, guidance_mask=mask)
    return [replace(edit, guidance_map=one_map) for edit, one_map in zip(edits, found)]


def reference_edit(name: str, pair: TruePair) -> EditedPair:
    """What the rows of `REFERENCES` give; their mask and map are empty."""
    nowhere = torch.zeros_like(pair.before)
    image = pair.before if name == UNEDITED else pair.after
    return EditedPair(image, nowhere.bool(), nowhere)


def slug(name: str) -> str:
    """A row's name as that of a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
