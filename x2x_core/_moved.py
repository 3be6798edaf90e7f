"""Old import paths, kept for one release.

`MOVED` lists the modules that README and documentation once named, with the names to import from them and the modules
that define those names now. Importing one of these modules works and warns; version 0.3 removes this file.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

REMOVED_IN = "0.3"

MOVED: dict[str, dict[str, str]] = {
    "x2x_core.lungs": {"LungFinder": "x2x_core.anatomy.lungs"},
    "x2x_core.instructions": {
        "Instruction": "x2x_core.language.instruction",
        "Clause": "x2x_core.language.clauses",
        "Operation": "x2x_core.language.clauses",
    },
    "x2x_core.findings": {
        "FINDINGS": "x2x_core.language.vocabulary",
        "LEVELS": "x2x_core.language.vocabulary",
        "SIDES": "x2x_core.language.vocabulary",
        "ZONES": "x2x_core.language.vocabulary",
    },
    "x2x_core.edit_settings": {"EditSettings": "x2x_core.edit.settings"},
    "x2x_core.evaluation.audit_edits": {
        "AuditSettings": "x2x_core.evaluation.audit.plan",
        "audit_images": "x2x_core.evaluation.audit.edits",
        "check_findings": "x2x_core.evaluation.audit.plan",
    },
    "x2x_core.evaluation.bundled_scorers": {"finding_scorer": "x2x_core.scorers.bundled"},
    "x2x_core.evaluation.scorers": {
        "ImageScorer": "x2x_core.scorers.scorer",
        "ModuleScorer": "x2x_core.scorers.adapters",
    },
    "x2x_core.evaluation.segmenters": {"load_segmenter": "x2x_core.scorers.segmenters"},
}
# The same for modules that are packages now: each calls `moved_names` in its `__init__`.
MOVED_FROM_PACKAGES: dict[str, dict[str, str]] = {
    "x2x_core.evaluation.audit": {"summarise_audit": "x2x_core.evaluation.audit.summary"},
    "x2x_core.evaluation.report": {"write_report": "x2x_core.evaluation.report.write"},
}


def moved_names(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module-level `__getattr__` that finds moved names in their new modules, with a warning.

    Args:
        module: the old module.
        names: each name and the module that defines it now.
    """

    def find_moved(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(
            f"`{module}.{name}` has moved: import `{name}` from `{names[name]}`. The old path ends with version "
            f"{REMOVED_IN}.",
            FutureWarning,
            stacklevel=2,
        )
        return getattr(importlib.import_module(names[name]), name)

    return find_moved


class _MovedModules(MetaPathFinder, Loader):
    """Import the modules of `MOVED` as empty modules that look names up in their new places."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for a module of `MOVED`, else None."""
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Let the import system create the module."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its `__getattr__`."""
        name = module.__name__
        module.__getattr__ = moved_names(name, MOVED[name])  # type: ignore[method-assign]


def install() -> None:
    """Make the old paths importable; called once by the package."""
    if not any(isinstance(finder, _MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(_MovedModules())
