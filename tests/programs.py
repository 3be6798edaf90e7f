"""Programs of this repository that are no modules of a package, as modules."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def load_program(file):
    """Return a program as a module; `file` is its path from the repository's root, such as "tools/check_weight.py"."""
    path = ROOT / file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, path.stem, module)  # its dataclasses look there for their types
        spec.loader.exec_module(module)
    return module
