"""The package's door: quick to import, free of ComfyUI, silent about the machine it was written on."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import x2x_core

ROOT = Path(x2x_core.__file__).resolve().parent.parent
HEAVY = ("torch", "diffusers", "transformers", "cv2", "comfy")
TEXTS = sorted(
    file
    for pattern in ("*.md", "*.toml", "Makefile", "x2x_core/**/*.py", "tests/**/*.py", "models/**/*.md")
    for file in ROOT.glob(pattern)
    if ".venv" not in file.parts
)


def loaded_by(statement):
    """Which of the heavy modules a fresh Python has loaded after a statement."""
    code = f"{statement}\nimport sys, json; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return json.loads(done.stdout)


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import x2x_core") == []


def test_the_command_line_s_help_loads_nothing_heavy():
    assert loaded_by("from x2x_core import cli") == []


def test_the_library_never_loads_comfyui():
    modules = "x2x_core.pipeline, x2x_core.imaging.panel, x2x_core.simulation.dataset, x2x_core.training.trainer"
    assert "comfy" not in loaded_by(f"import {modules}")
    for file in (ROOT / "x2x_core").rglob("*.py"):
        assert not re.search(r"^\s*(import|from)\s+(comfy|nodes)\b", file.read_text(), re.MULTILINE), file


def test_the_public_names_are_there():
    names = {"InstructX2XPipeline", "InstructX2XPipelineOutput", "Instruction", "PseudomaskAtlas"}
    for name in names | {"EditSettings", "LungFinder"}:
        assert name in dir(x2x_core) and isinstance(getattr(x2x_core, name), type)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = x2x_core.Nothing


def test_the_root_is_importable_without_comfyui():
    code = f"import importlib, sys; sys.path.insert(0, {str(ROOT.parent)!r}); importlib.import_module({ROOT.name!r})"
    subprocess.run([sys.executable, "-c", code], check=True, cwd="/")


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_texts_name_no_place_of_one_machine(file):
    own = "/ho" + "me/|/wo" + "rk/|/ro" + "ot/"
    assert not re.search(own, file.read_text(encoding="utf-8"))
