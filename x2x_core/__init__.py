"""InstructX2X: instruction-driven, region-restricted editing of medical images.

Importing this package is fast: the public names are resolved on first use.
Everything that it writes is synthetic and for research.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_PUBLIC = {
    "InstructX2XPipeline": "x2x_core.pipeline",
    "InstructX2XPipelineOutput": "x2x_core.pipeline",
    "Instruction": "x2x_core.language.instruction",
    "PseudomaskAtlas": "x2x_core.pseudomasks.atlas",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
