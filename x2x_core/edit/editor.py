"""What the stages need of whoever edits: `InstructX2XPipeline` and `X2XEdit` have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from x2x_core.pseudomasks.atlas import PseudomaskAtlas

from .backbones.protocol import EditBackbone


class Editor(Protocol):
    """A model, with its atlas and configuration."""

    @property
    def backbone(self) -> EditBackbone:
        """The model."""

    @property
    def pseudomasks(self) -> PseudomaskAtlas:
        """The atlas of where findings can be."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The entries "recommended", "canonical_prompts", "trained_findings" and "trained_levels"."""
