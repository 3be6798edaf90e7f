"""Pseudomasks in the published style: hard, and without side and zone."""

from __future__ import annotations

import torch

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.common.errors import InputError
from x2x_core.language.instruction import Instruction
from x2x_core.language.vocabulary import FINDINGS
from x2x_core.pseudomasks.atlas import PseudomaskAtlas


class PublishedMasks:
    """Masks of 0 and 1 by finding alone, without side and zone.

    A finding whose mask the folder lacks gets a hard mask of ours: where the atlas's map reaches `EDGE_LEVEL`.

    Args:
        ours: atlas for the findings that the folder lacks.
        folder: published masks; ``None``: hard masks of ours for all findings.

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
        """Return the union over the instruction's findings, `(1, 1, H, W)`; for free text that of the thorax."""
        if not instruction.clauses:
            return (self.ours.for_instruction(instruction, size) >= EDGE_LEVEL).float()
        return torch.stack([self._for_finding(clause.finding, size) for clause in instruction.clauses]).amax(dim=0)

    def _for_finding(self, finding: str, size: tuple[int, int]) -> torch.Tensor:
        if self.folder is not None and FINDINGS[finding].category in self.folder.names:
            return self.folder.for_finding(finding, size)
        return (self.ours.for_finding(finding, size) >= EDGE_LEVEL).float()

    @property
    def note(self) -> str:
        """The origin of the masks, for readers of a report."""
        hard = f"this atlas's maps cut at {EDGE_LEVEL:g}, without side and zone"
        if self.folder is None:
            return f"masks: {hard}"
        return f"masks: {', '.join(self.folder.names)} from the given folder, other findings {hard}"
