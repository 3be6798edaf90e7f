"""The house: which room may import which, where imports stand, and how large its pieces are.

The order of the rooms stands once, in pyproject.toml under `[tool.importlinter]`.
"""

import ast
import statistics
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import x2x_core

ROOT = Path(x2x_core.__file__).resolve().parent.parent
LIBRARY = sorted((ROOT / "x2x_core").rglob("*.py"))
FILES = [*LIBRARY, *sorted((ROOT / "nodes").rglob("*.py"))]
ELSEWHERE = ("tests", "benchmarks", "tools", "examples")
EVERYWHERE = [*FILES, *sorted(path for folder in ELSEWHERE for path in (ROOT / folder).rglob("*.py"))]
LARGEST_FILE, MEDIAN_FILE, LONGEST_FUNCTION, MOST_METHODS, MOST_PARAMETERS = 500, 150, 60, 15, 8
# Words that open a clause, with which no docstring starts.
CLAUSES = tuple(
    f"{word} " for word in ("What", "Where", "How", "Which", "Whether", "Who", "Why", "When", "If", "See that")
)
# Modules that defer imports so that `x2x --help` and ComfyUI start fast.
DOORS = ("x2x_core/commands/", "nodes/")


def shown(path):
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Function:
    line: int
    name: str
    lines: int  # of code, without signature and docstring
    parameters: int
    first_party_imports: tuple[int, ...]  # lines


@dataclass(frozen=True)
class Contents:
    lines: int
    functions: tuple[Function, ...]
    methods: dict[str, int]  # of each class, by "line name"
    docstrings: tuple[tuple[int, str], ...]  # line and text


@cache
def contents(path):
    """Read a file once; its syntax tree is not kept."""
    text = path.read_text(encoding="utf-8")
    functions, methods, docstrings = [], {}, []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            docstrings.append((getattr(node, "lineno", 1), ast.get_docstring(node) or ""))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            imports = tuple(child.lineno for child in ast.walk(node) if is_first_party(child))
            functions.append(Function(node.lineno, node.name, body_lines(node), parameters(node), imports))
        if isinstance(node, ast.ClassDef):
            # a property with its setter, and a method with its overloads, count once
            methods[f"{node.lineno} {node.name}"] = len({n.name for n in node.body if isinstance(n, ast.FunctionDef)})
    return Contents(len(text.splitlines()), tuple(functions), methods, tuple(docstrings))


def body_lines(function):
    docstring = ast.get_docstring(function, clean=False)
    inside = docstring.count("\n") + 1 if docstring else 0
    return function.end_lineno - function.body[0].lineno + 1 - inside


def parameters(function):
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


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
        f"{shown(path)}:{line}"
        for path in LIBRARY
        if not shown(path).startswith(DOORS)
        for function in contents(path).functions
        for line in function.first_party_imports
    ]
    assert inside == []


def test_files_are_short():
    assert [shown(path) for path in EVERYWHERE if contents(path).lines > LARGEST_FILE] == []
    assert statistics.median(contents(path).lines for path in FILES) < MEDIAN_FILE


def test_functions_are_short():
    long = [
        f"{shown(path)}:{function.line} {function.name} ({function.lines} lines)"
        for path in EVERYWHERE
        for function in contents(path).functions
        if function.lines > LONGEST_FUNCTION and function.name != "__call__"
    ]
    assert long == []


def test_functions_take_few_parameters():
    """Bundle what belongs together into a record. Options of commands and sockets of nodes are parameters by nature."""
    many = [
        f"{shown(path)}:{function.line} {function.name} ({function.parameters} parameters)"
        for path in LIBRARY
        if not shown(path).startswith(DOORS) and shown(path) != "x2x_core/pipeline.py"
        for function in contents(path).functions
        if function.parameters > MOST_PARAMETERS
    ]
    assert many == []


def test_classes_are_small():
    large = [
        f"{shown(path)}:{name} ({count} methods)"
        for path in FILES
        for name, count in contents(path).methods.items()
        if count > MOST_METHODS
    ]
    assert large == []


def test_docstrings_start_with_a_verb_or_a_noun_phrase():
    clauses = [
        f"{shown(path)}:{line}"
        for path in EVERYWHERE
        for line, text in contents(path).docstrings
        if text.startswith(CLAUSES)
    ]
    assert clauses == []
