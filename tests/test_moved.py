"""Old import paths, which last until version 0.3."""

import ast
import importlib
import warnings
from pathlib import Path

import pytest

import x2x_core
from x2x_core._moved import MOVED, MOVED_FROM_PACKAGES, REMOVED_IN

NAMES = [(module, name) for table in (MOVED, MOVED_FROM_PACKAGES) for module in table for name in table[module]]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_an_old_path_still_works_and_names_the_new_one(module, name):
    new = {**MOVED, **MOVED_FROM_PACKAGES}[module][name]
    with pytest.warns(FutureWarning, match=f"import `{name}` from `{new}`.*ends with version {REMOVED_IN}") as caught:
        value = getattr(importlib.import_module(module), name)
    assert value is getattr(importlib.import_module(new), name)
    assert caught[0].filename == __file__


def test_importing_a_name_from_an_old_path_warns_at_the_import():
    with pytest.warns(FutureWarning, match=r"`x2x_core\.lungs\.LungFinder` has moved") as caught:
        from x2x_core.lungs import LungFinder
    assert LungFinder is x2x_core.LungFinder and caught[0].filename == __file__


@pytest.mark.parametrize("module", ["x2x_core.lungs", "x2x_core.evaluation.audit"])
def test_an_old_path_has_nothing_else(module):
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = importlib.import_module(module).nothing


def test_modules_that_never_were_are_not_found():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("x2x_core.never")


def test_the_old_paths_are_gone_when_their_version_comes():
    major, minor = (int(part) for part in x2x_core.__version__.split(".")[:2])
    assert (major, minor) < tuple(int(part) for part in REMOVED_IN.split(".")), "remove x2x_core/_moved.py"


def test_importing_the_package_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.reload(x2x_core)


def test_editors_and_the_import_system_see_the_same_public_names():
    tree = ast.parse(Path(x2x_core.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {alias.name: node.module for node in block.body for alias in node.names}
    assert typed == x2x_core._MODULES
    assert sorted([*typed, "__version__"]) == sorted(x2x_core.__all__)
