"""InstructX2X: instruction-driven, region-restricted editing of medical images.

Importing this package is fast: the public names are resolved on first use. All output is synthetic and for research.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from x2x_core import _moved
from x2x_core.common.collector import paused_collector

if TYPE_CHECKING:
    from x2x_core.anatomy.lungs import LungFinder
    from x2x_core.edit.outputs import InstructX2XPipelineOutput
    from x2x_core.edit.settings import EditSettings
    from x2x_core.language.instruction import Instruction
    from x2x_core.pipeline import InstructX2XPipeline
    from x2x_core.pseudomasks.atlas import PseudomaskAtlas
    from x2x_core.region_guidance import RegionGuidance
    from x2x_core.x2x_edit import X2XEdit

__version__ = "0.2.10"

__all__ = [
    "EditSettings",
    "InstructX2XPipeline",
    "InstructX2XPipelineOutput",
    "Instruction",
    "LungFinder",
    "PseudomaskAtlas",
    "RegionGuidance",
    "X2XEdit",
    "__version__",
]

# The module of each public name; the imports above say the same to editors and type checkers.
_MODULES = {
    "EditSettings": "x2x_core.edit.settings",
    "InstructX2XPipeline": "x2x_core.pipeline",
    "InstructX2XPipelineOutput": "x2x_core.edit.outputs",
    "Instruction": "x2x_core.language.instruction",
    "LungFinder": "x2x_core.anatomy.lungs",
    "PseudomaskAtlas": "x2x_core.pseudomasks.atlas",
    "RegionGuidance": "x2x_core.region_guidance",
    "X2XEdit": "x2x_core.x2x_edit",
}

_moved.install()


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with paused_collector():
        value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
