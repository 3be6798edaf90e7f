"""Everything that the stages need of `InstructX2XPipeline` or `X2XEdit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from x2x_core.pseudomasks.atlas import PseudomaskAtlas

from .backbones.protocol import EditBackbone


@dataclass(frozen=True, eq=False)
class Editor:
    """A model, with its atlas and configuration."""

    backbone: EditBackbone
    pseudomasks: PseudomaskAtlas
    config: Mapping[str, Any]  # "recommended", "canonical_prompts", "trained_findings" and "trained_levels"
