"""The package's door: quick to import, free of ComfyUI, silent about the machine it was written on."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import x2x_core

ROOT = Path(x2x_core.__file__).resolve().parent.parent
HEAVY = ("torch", "diffusers", "transformers", "cv2", "comfy")
# What an edit does without; diffusers itself imports peft and SciPy where they are installed.
NOT_FOR_EDITS = (
    "matplotlib", "pydicom", "highdicom", "SimpleITK", "torchmetrics", "onnxruntime", "tensorboardX", "typer", "rich",
    "pydantic", "fastapi", "uvicorn",
    "x2x_core.simulation.ct", "x2x_core.simulation.disease", "x2x_core.simulation.thorax",
    "x2x_core.simulation.dataset", "x2x_core.simulation.projection",
    "x2x_core.training", "x2x_core.evaluation", "x2x_core.conversion", "x2x_core.scorers",
    "x2x_core.dataset", "x2x_core.archive", "x2x_core.service", "x2x_core.study", "x2x_core.commands",
)  # fmt: skip
PATTERNS = (
    "*.md",
    "*.toml",
    "*.yml",
    "*.cff",
    ".*.yaml",
    "Makefile",
    ".github/**/*.yml",
    "docs/**/*.md",
    "examples/**/*",
    "models/**/*.md",
    "tests/**/*.py",
    "x2x_core/**/*.py",
)
TEXTS = sorted(
    file
    for pattern in PATTERNS
    for file in ROOT.glob(pattern)
    if file.is_file() and not {".venv", "__pycache__"} & set(file.parts)
)


def loaded_by(*statements):
    """Return those of the modules asked about that one fresh Python has loaded after each statement."""
    asked = (*HEAVY, *NOT_FOR_EDITS)
    code = "import json, sys\nloaded = []\n"
    for statement in statements:
        code += f"{statement}\nloaded.append([name for name in {asked!r} if name in sys.modules])\n"
    code += "print(json.dumps(loaded))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return [set(names) for names in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def loaded():
    """Return what is loaded after the package is imported, the pipeline is, and further heavy parts are."""
    others = "import x2x_core.imaging.panel, x2x_core.simulation.dataset, x2x_core.training.trainer"
    return loaded_by("import x2x_core", "import x2x_core.pipeline", others)


def test_importing_the_package_loads_nothing_heavy(loaded):
    assert not loaded[0] & set(HEAVY)


def test_the_command_line_s_help_loads_nothing_heavy():
    assert not loaded_by("from x2x_core import cli")[0] & set(HEAVY)


def test_the_pipeline_loads_only_what_an_edit_needs(loaded):
    assert loaded[1] & {"torch", "comfy", *NOT_FOR_EDITS} == {"torch"}


def test_the_library_never_loads_comfyui(loaded):
    assert "comfy" not in loaded[2]
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
    own = r"(?<!\w)(/ho" + r"me/|/wo" + r"rk/|/ro" + r"ot/)"
    assert not re.search(own, file.read_text(encoding="utf-8"))


def read_pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==")[0] for line in lines if line and not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in pins}


def test_the_package_is_typed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert (ROOT / "x2x_core" / "py.typed").read_bytes() == b""
    assert "py.typed" in project["tool"]["setuptools"]["package-data"]["x2x_core"]
    assert "Typing :: Typed" in project["project"]["classifiers"]


def test_all_texts_name_the_same_lowest_python():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lowest = project["project"]["requires-python"].removeprefix(">=")
    assert project["tool"]["mypy"]["python_version"] == lowest
    assert project["tool"]["ruff"]["target-version"] == "py" + lowest.replace(".", "")
    named = [line for line in project["project"]["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert min(named, key=lambda line: int(line.rsplit(".", 1)[1])).endswith(lowest)
    for name in ("README.md", "Makefile", "CONTRIBUTING.md"):
        mentioned = re.findall(r"Python (3\.\d+) or newer", (ROOT / name).read_text(encoding="utf-8"))
        assert mentioned and set(mentioned) == {lowest}, name


def test_every_direct_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    not_pinned = {
        "torchxrayvision",
        "torch-fidelity",
        "torchvision",
        "xformers",
    }  # each needs what `make` does not install
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    names = {re.split(r"[<>=\[]", line)[0].lower() for line in [*project["dependencies"], *extras]}
    assert {re.sub(r"[-_.]+", "-", name) for name in names} - not_pinned <= read_pins()


@pytest.mark.parametrize("name", ["InstructX2X", "my-clone"])
def test_a_clone_of_any_name_passes_the_linter(tmp_path, name):
    if not shutil.which("ruff", path=str(Path(sys.executable).parent)):
        pytest.skip("ruff is not installed")
    clone = tmp_path / name
    for file in (
        "pyproject.toml",
        "__init__.py",
        "nodes/__init__.py",
        "x2x_core/__init__.py",
        "x2x_core/imaging/blur.py",
    ):
        (clone / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, clone / file)
    ruff = [Path(sys.executable).parent / "ruff", "check", "--no-cache"]
    checked = subprocess.run(ruff, cwd=clone, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
