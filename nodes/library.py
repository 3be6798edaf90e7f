"""Makes the library importable as `x2x_core` where the pack is a clone in `custom_nodes`.

Only the package is registered, by its path. The pack's folder is not added to `sys.path`, where its `nodes` and `tests`
would clash with ComfyUI's own.
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
    """Import the pack's own `x2x_core`; log a warning if there is another one.

    Args:
        root: the pack's folder.

    Returns:
        The package in use: the pack's own, or one that was imported before.
    """
    own = root / NAME
    if NAME in sys.modules:
        used = _folder(sys.modules[NAME].__file__)
        if used != own:
            logger.warning(
                "InstructX2X: %s was already imported from %s; the nodes use that one instead of %s. If they do not "
                "match, uninstall it or keep a single clone of the pack.",
                NAME, used, own,
            )  # fmt: skip
        return sys.modules[NAME]
    installed = importlib.util.find_spec(NAME)
    if installed is not None and _folder(installed.origin) != own:
        logger.warning(
            "InstructX2X: %s is also installed at %s; the nodes use the pack's own, %s.",
            NAME, _folder(installed.origin), own,
        )  # fmt: skip
    return _load(own)


def _folder(file: str | None) -> Path:
    return Path(file or "").resolve().parent


def _load(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a Python package.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    return module
