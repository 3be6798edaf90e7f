"""MIMIC-EDIT-INSTRUCTION: instructions from the answers of Medical-Diff-VQA, and datasets built from MIMIC-CXR-JPG.

The public names are imported on first use, so importing the package remains fast and the rules need no PyTorch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from x2x_core.pairs.mimic_edit import MimicEditInstruction

    from .difference import UnreadableAnswer, instruction_from_difference
    from .enrichment import enrich, without_details

__all__ = [
    "MimicEditInstruction",
    "UnreadableAnswer",
    "enrich",
    "instruction_from_difference",
    "without_details",
]

_MODULES = {
    "MimicEditInstruction": "x2x_core.pairs.mimic_edit",
    "UnreadableAnswer": "x2x_core.dataset.difference",
    "enrich": "x2x_core.dataset.enrichment",
    "instruction_from_difference": "x2x_core.dataset.difference",
    "without_details": "x2x_core.dataset.enrichment",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
