"""The rows of an ablation: ways to restrict an edit, each as arguments of the pipeline's call.

The first four are the peers, each as published: the edit is restricted by nothing (stock InstructPix2Pix), and in the
published arithmetic (`reference=True`) by the relevance map alone (Mirzaei et al., *Watch Your Steps*, 2023), by the
pseudomask alone, or by both (Min et al., *InstructX2X*, 2025). The fifth is the pipeline's default. `parts_of_ours`
takes the default apart, which tells its restriction from its composition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.common.errors import InputError
from x2x_core.edit.settings import PUBLISHED, EditSettings, resolve_settings, scale_in_words
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS
from x2x_core.pseudomasks.atlas import PseudomaskAtlas

OURS = "ours"
SHARED = ("num_inference_steps", "guidance_scale", "image_guidance_scale")  # alike for all rows, to be fair
Regions = Callable[[Instruction, tuple[int, int]], torch.Tensor]  # to (1, 1, H, W)


@dataclass(frozen=True)
class Row:
    """One way to edit.

    `regions` makes the mask of each instruction, handed over as the argument that `region_argument` names.
    """

    name: str
    note: str  # what it is, in words
    arguments: Mapping[str, Any] = field(default_factory=dict)  # of the pipeline's call
    region_argument: str | None = None  # "pseudomask" or "guidance_mask"
    regions: Regions | None = None

    def call(self, instructions: Sequence[Instruction], size: tuple[int, int]) -> dict[str, Any]:
        """The arguments of the pipeline's call for a batch of pictures of `(height, width)`."""
        if self.regions is None:
            return dict(self.arguments)
        masks = torch.cat([self.regions(one, size) for one in instructions])
        return {**self.arguments, self.region_argument: masks}


class PublishedMasks:
    """Masks of 0 and 1 in the published style: the finding alone, without side and zone.

    A finding whose mask the folder lacks gets a hard mask of ours: where the atlas's map reaches `EDGE_LEVEL`.

    Args:
        ours: the atlas for those.
        folder: published masks, or ``None`` for ours alone.

    Raises:
        InputError: `folder` is an atlas of soft masks.
    """

    def __init__(self, ours: PseudomaskAtlas, folder: PseudomaskAtlas | None = None) -> None:
        if folder is not None and not folder.published:
            raise InputError(
                f"`published_masks` must be a folder of `pseudo_mask_<Category>.npy`, got soft masks of "
                f"`{folder.source}`."
            )
        self.ours, self.folder = ours, folder

    def __call__(self, instruction: Instruction, size: tuple[int, int]) -> torch.Tensor:
        """`(1, 1, H, W)`: the union over the instruction's findings."""
        if not instruction.clauses:
            return (self.ours.for_instruction(instruction, size) >= EDGE_LEVEL).float()
        return torch.stack([self._of(clause.finding, size) for clause in instruction.clauses]).amax(dim=0)

    def _of(self, finding: str, size: tuple[int, int]) -> torch.Tensor:
        if self.folder is not None and FINDINGS[finding].category in self.folder.names:
            return self.folder.for_finding(finding, size)
        return (self.ours.for_finding(finding, size) >= EDGE_LEVEL).float()

    @property
    def note(self) -> str:
        """Where the masks come from, in words."""
        hard = f"this atlas's maps cut at {EDGE_LEVEL:g}, without side and zone"
        if self.folder is None:
            return f"masks: {hard}"
        return f"masks: {', '.join(self.folder.names)} from the given folder, other findings {hard}"


def standard_rows(
    pipeline,
    call: Mapping[str, Any] | None = None,
    *,
    published_masks: PseudomaskAtlas | None = None,
    published_settings: bool = False,
) -> tuple[Row, ...]:
    """No restriction, relevance only, pseudomask only, published RSE, ours.

    Steps and scales are alike in all: what `call` gives, else what the checkpoint recommends. The rows in the published
    arithmetic have the published threshold; ours has its own.

    Args:
        pipeline: an `InstructX2XPipeline`.
        call: names of `EditSettings` to values.
        published_masks: a folder of masks in the published format; ``None``: see `PublishedMasks`.
        published_settings: add a row of published RSE at the published steps and scales.

    Raises:
        InputError: a setting out of range, or masks that are not published ones.
    """
    call = dict(call or {})
    shared = shared_settings(pipeline, call)
    masks = PublishedMasks(pipeline.pseudomasks, published_masks)
    published = {"reference": True, "mask_threshold": PUBLISHED.mask_threshold}
    level = f"threshold {PUBLISHED.mask_threshold:g}"
    both = f"published arithmetic; relevance x pseudomask, {level}; {masks.note}"
    rows = [
        Row("no restriction", "stock InstructPix2Pix: every pixel may change", {**shared, "restricted": False}),
        Row(
            "relevance only",
            f"Watch Your Steps: published arithmetic, pseudomask of ones, {level}",
            {**shared, **published},
            "pseudomask",
            _everywhere,
        ),
        Row(
            "pseudomask only",
            f"published arithmetic, all of the pseudomask may change; {masks.note}",
            {**shared, "reference": True},
            "guidance_mask",
            lambda instruction, size: masks(instruction, size) >= 0.5,
        ),
        Row("published RSE", both, {**shared, **published}, "pseudomask", masks),
        Row(OURS, "the pipeline's default", {**call, **shared}),
    ]
    if published_settings:
        steps = {name: getattr(PUBLISHED, name) for name in SHARED}
        note = f"{both}; {_settings_in_words(steps)}"
        rows.insert(4, Row("published RSE, published settings", note, {**steps, **published}, "pseudomask", masks))
    return tuple(rows)


def parts_of_ours(pipeline, call: Mapping[str, Any] | None = None) -> tuple[Row, ...]:
    """Ours with one part taken away: relevance map, pseudomask, its alignment, the twin, composition by difference.

    Args:
        pipeline, call: as for `standard_rows`.
    """
    call = dict(call or {})
    arguments = {**call, **shared_settings(pipeline, call)}
    whole = {"mask_threshold": 0.0, "limit_area": False, "remove_islands": False}
    return (
        Row(
            "ours, no relevance",
            "the pipeline's default, but all of its pseudomask may change",
            {**arguments, **whole, "mask_rule": "threshold"},
        ),
        Row(
            "ours, no pseudomask",
            "the pipeline's default, but with a pseudomask of ones",
            arguments,
            "pseudomask",
            _everywhere,
        ),
        Row(
            "ours, not aligned",
            "the pipeline's default, but with the pseudomask of the typical radiograph",
            {**arguments, "align": False},
        ),
        Row(
            "ours, no twin",
            "the pipeline's default, but with the difference to the original's decoding",
            {**arguments, "twin": False},
        ),
        Row(
            "ours, decoding laid over",
            "the pipeline's default, but with the decoding laid over the image",
            {**arguments, "composition": "decoded"},
        ),
    )


def shared_settings(pipeline, call: Mapping[str, Any]) -> dict[str, Any]:
    """Steps and scales that all rows have: what the call gives, else what the checkpoint recommends."""
    settings: EditSettings = resolve_settings(call, pipeline.config)
    return {name: value for name, value in asdict(settings).items() if name in SHARED}


def settings_note(pipeline, call: Mapping[str, Any]) -> str:
    """Which steps and scales all rows were run with, in words."""
    given = [name for name in SHARED if call.get(name) is not None]
    source = f"as given: {', '.join(given)}" if given else "as the checkpoint recommends"
    return f"All rows: {_settings_in_words(shared_settings(pipeline, call))} ({source}), unless the row says otherwise."


def _settings_in_words(settings: Mapping[str, Any]) -> str:
    steps, text, image = (settings[name] for name in SHARED)
    return f"{steps} steps, guidance scale {scale_in_words(text)}, image guidance scale {image:g}"


def _everywhere(instruction: Instruction, size: tuple[int, int]) -> torch.Tensor:
    return torch.ones(1, 1, *size)
