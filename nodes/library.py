"""Makes the library importable as `x2x_core` where the pack is a clone in `custom_nodes`.

The package alone is registered, by its place: the pack's folder never lands on `sys.path`, where its `nodes` and
`tests` would stand beside (or before) ComfyUI's own.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from pathlib import Path
from types import ModuleType

logger = logging.getLogger(__name__)

NAME = "x2x_core"
ROOT = Path(__file__).resolve().parent.parent


def provide(root: Path = ROOT) -> ModuleType:
    """Import the pack's own `x2x_core`, and say so where another one is there.

    Args:
        root: the pack's folder.

    Returns:
        The package that is in use: the pack's own, or one that something else imported before.
    """
    own = root / NAME
    if NAME in sys.modules:
        used = _place(sys.modules[NAME])
        if used != own:
            logger.warning(
                "InstructX2X: %s was already imported from %s; the nodes use that one, not %s. "
                "Uninstall it, or keep one clone of the pack, if they don't fit together.",
                NAME, used, own,
            )  # fmt: skip
        return sys.modules[NAME]
    installed = importlib.util.find_spec(NAME)
    if installed is not None and Path(installed.origin).resolve().parent != own:
        logger.warning(
            "InstructX2X: %s is installed at %s too; the nodes use the pack's own, %s.",
            NAME, Path(installed.origin).parent, own,
        )  # fmt: skip
    return _load(own)


def _place(module: ModuleType) -> Path:
    return Path(module.__file__).resolve().parent


def _load(folder: Path) -> ModuleType:
    place = folder / "__init__.py"
    spec = importlib.util.spec_from_file_location(NAME, place, submodule_search_locations=[str(folder)])
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    return module
