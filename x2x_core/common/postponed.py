"""Packages of other libraries that are filled at the first use of a name, instead of when they are imported.

Importing one model of diffusers runs the `__init__` of its package, which imports all of diffusers' models (some 150
files), and with its hooks PEFT where it is installed; the schedulers import `scipy.stats` and `scipy.integrate` for
sigmas and solvers that few use. transformers reads the names of all its models from their files, and its losses import
all of `scipy.optimize` for one function. An edit needs none of it. A postponed package is in place at once, so that its
submodules can be imported one by one; its `__init__` runs when a name is used that the package lacks, and from then on
it is an ordinary package.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

#: Packages whose `__init__` only collects the names of their submodules.
POSTPONED = (
    "diffusers.guiders",
    "diffusers.hooks",
    "diffusers.models.autoencoders",
    "diffusers.models.transformers",
    "diffusers.models.unets",
    "scipy.integrate",
    "scipy.optimize",
    "scipy.stats",
    "transformers.models",
)
#: Names that are taken from a submodule while their package is postponed.
_NAMES = {"diffusers.guiders": {"BaseGuidance": "guider_utils"}, "scipy.optimize": {"linear_sum_assignment": "_lsap"}}
#: Names with two underscores that an `__init__` defines; Python asks packages for others, which most lack.
_DEFINED = ("__all__", "__version__")


class _PostponedPackage(ModuleType):
    """Package whose `__init__` has not run."""

    def __getattr__(self, name: str) -> Any:
        part = _part_with(self.__name__, name)
        if part is not None:
            return getattr(part, name)
        if not name.startswith("__") or name in _DEFINED:
            filled = _fill(self)
            if name in filled.__dict__ or filled is not self:
                return getattr(filled, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        filled = _fill(self)
        return dir(filled) if filled is not self else sorted(self.__dict__)


class _PostponingLoader(Loader):
    """Loader that makes a postponed package, and runs its `__init__` when it is asked to.

    Args:
        loader: the package's own.
    """

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self.lock = threading.RLock()
        self.filling = False
        self.filled: ModuleType | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return an empty package."""
        return _PostponedPackage(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Keep the package's `__init__` for later."""
        assert module.__spec__ is not None  # set by the import system
        module.__spec__.loader = module.__loader__ = self.loader
        _loaders[module.__name__] = self

    def fill(self, module: ModuleType) -> ModuleType:
        """Run the package's `__init__`, once; names that it lacks while it runs are missing, as in any package.

        Returns:
            The package, or what its `__init__` put in its place.
        """
        with self.lock:
            if not self.filling and self.filled is None:
                self.filling = True
                try:
                    self.loader.exec_module(module)
                    self.filled = sys.modules.get(module.__name__, module)
                    if self.filled is module:
                        module.__class__ = ModuleType
                finally:
                    self.filling = False
            return self.filled or module


_loaders: dict[str, _PostponingLoader] = {}


def _part_with(package: str, name: str) -> ModuleType | None:
    """Return the submodule that a name can be taken from alone; ``None`` if the whole package is needed."""
    part = f"{package}.{_NAMES.get(package, {}).get(name)}"
    if name not in _NAMES.get(package, {}) or importlib.util.find_spec(part) is None:
        return None
    module = importlib.import_module(part)
    return module if hasattr(module, name) else None


def _fill(module: ModuleType) -> ModuleType:
    return _loaders[module.__name__].fill(module)


class _PostponingFinder(MetaPathFinder):
    """Finder of the packages in `POSTPONED`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a package to postpone; ``None`` for other modules."""
        if fullname not in POSTPONED:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _PostponingLoader(spec.loader)
        return spec


def install() -> None:
    """Postpone the packages in `POSTPONED`, unless they are imported already."""
    if not any(isinstance(finder, _PostponingFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _PostponingFinder())
