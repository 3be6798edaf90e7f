"""The house: which room may import which, where imports stand, and how large its pieces are.

The order of the rooms stands once, in pyproject.toml under `[tool.importlinter]`.
"""

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import x2x_core

ROOT = Path(x2x_core.__file__).resolve().parent.parent
LIBRARY = sorted((ROOT / "x2x_core").rglob("*.py"))
FILES = [*LIBRARY, *sorted((ROOT / "nodes").rglob("*.py"))]
LARGEST_FILE, MEDIAN_FILE, LONGEST_FUNCTION, MOST_METHODS, MOST_PARAMETERS = 500, 150, 60, 15, 8
# Modules that defer imports so that `x2x --help` and ComfyUI start fast.
DOORS = ("x2x_core/commands/", "nodes/")


def shown(path):
    return path.relative_to(ROOT).as_posix()


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(parsed(path)) if isinstance(node, kinds)]


def body_lines(function):
    """Lines of a function's code, without its signature and docstring."""
    docstring = ast.get_docstring(function, clean=False)
    inside = docstring.count("\n") + 1 if docstring else 0
    return function.end_lineno - function.body[0].lineno + 1 - inside


def is_first_party(node):
    return isinstance(node, ast.ImportFrom) and (node.level > 0 or (node.module or "").startswith("x2x_core"))


def test_each_room_imports_only_from_the_rooms_beneath_it_and_no_circle_is_drawn():
    # In a process of its own: the checker sets up logging for the whole process.
    check = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    run = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


def test_every_room_has_its_place_in_the_order():
    layers = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    rooms = [path for path in (ROOT / "x2x_core").iterdir() if (path / "__init__.py").is_file()]
    missing = [room.name for room in rooms if f'"x2x_core.{room.name}"' not in layers]
    assert len(rooms) > 12 and missing == []


def test_imports_of_the_library_stand_at_the_top_of_a_file():
    inside = [
        f"{shown(path)}:{node.lineno}"
        for path in LIBRARY
        if not shown(path).startswith(DOORS)
        for function in functions(path)
        for node in ast.walk(function)
        if is_first_party(node)
    ]
    assert inside == []


def test_files_are_short():
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert [name for name, length in lengths.items() if length > LARGEST_FILE] == []
    assert statistics.median(lengths.values()) < MEDIAN_FILE


def test_functions_are_short():
    long = [
        f"{shown(path)}:{function.lineno} {function.name} ({body_lines(function)} lines)"
        for path in FILES
        for function in functions(path)
        if body_lines(function) > LONGEST_FUNCTION and function.name != "__call__"
    ]
    assert long == []


def parameters(function):
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def test_functions_take_few_parameters():
    """Bundle what belongs together into a record. Options of commands and sockets of nodes are parameters by nature."""
    many = [
        f"{shown(path)}:{function.lineno} {function.name} ({len(parameters(function))} parameters)"
        for path in LIBRARY
        if not shown(path).startswith(DOORS)
        for function in functions(path)
        if len(parameters(function)) > MOST_PARAMETERS and shown(path) != "x2x_core/pipeline.py"
    ]
    assert many == []


def test_classes_are_small():
    large = []
    for path in FILES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                # a property with its setter, and a method with its overloads, count once
                methods = {child.name for child in node.body if isinstance(child, ast.FunctionDef)}
                if len(methods) > MOST_METHODS:
                    large.append(f"{shown(path)}:{node.lineno} {node.name} ({len(methods)} methods)")
    assert large == []


@pytest.mark.parametrize("opening", ["What", "Where", "How", "Which", "Whether", "See that"])
def test_docstrings_start_with_a_verb_or_a_noun_phrase(opening):
    clauses = []
    for path in FILES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                docstring = ast.get_docstring(node) or ""
                if docstring.startswith(opening + " "):
                    clauses.append(f"{shown(path)}:{getattr(node, 'lineno', 1)}")
    assert clauses == []
