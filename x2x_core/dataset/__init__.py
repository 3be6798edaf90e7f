"""MIMIC-EDIT-INSTRUCTION: instructions from Medical-Diff-VQA's answers, and the published layout read for training.

The public names are resolved on first use, so that importing the package stays fast.
"""

from __future__ import annotations

import importlib

_PUBLIC = {
    "instruction_from_difference": "x2x_core.dataset.difference",
    "UnreadableAnswer": "x2x_core.dataset.difference",
    "MimicEditInstruction": "x2x_core.pairs.mimic_edit",
    "enrich": "x2x_core.dataset.enrichment",
    "without_details": "x2x_core.dataset.enrichment",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
