"""Everything that the stages need of `InstructX2XPipeline` or `X2XEdit`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from x2x_core.pseudomasks.atlas import PseudomaskAtlas

from .backbones.protocol import EditBackbone

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Editor:
    """A model, with its atlas and configuration."""

    backbone: EditBackbone
    pseudomasks: PseudomaskAtlas
    config: Mapping[str, Any]  # "recommended", "canonical_prompts", "trained_findings" and "trained_levels"


def warn_if_slow(pipe: Any) -> None:
    """Warn of a pipeline in float16 that computes on a CPU, which takes tens of times as long as float32 there."""
    if getattr(pipe, "dtype", None) != torch.float16:
        return  # the device, which is found by a walk over all modules, does not matter
    if getattr(getattr(pipe, "_execution_device", None), "type", None) == "cpu":
        logger.warning(
            "The model is in float16 on a CPU, where an edit takes tens of times as long as in float32. Load it in "
            "float32 or bfloat16."
        )
