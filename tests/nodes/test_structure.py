"""Imports between the modules of `nodes`: one way, and without circles."""

import ast
from pathlib import Path

import pytest

NODES = Path(__file__).resolve().parents[2] / "nodes"
# From the top to the foundations: a module imports only from layers below its own (and, within a layer that is listed
# as open, from its siblings).
LAYERS = (
    ("extension", {"__init__"}),
    ("node classes and routes", None),  # every other module of the package itself
    ("checks", {"checks"}),
    ("work and comfy_native", {"work", "comfy_native"}),
    ("sockets", {"sockets"}),
    ("choices and library", {"choices", "library"}),
)
OPEN = "work and comfy_native"
NAMED = {name: level for level, (_, names) in enumerate(LAYERS) for name in names or ()}


def module_name(path):
    """The module of a file, relative to `nodes`: "work.files", "edit", "__init__"."""
    parts = path.relative_to(NODES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_name(path): path for path in sorted(NODES.rglob("*.py"))}


def imports_of(name):
    """The modules of `nodes` that a module imports, at its top or inside a function."""
    path = MODULES[name]
    package = path.relative_to(NODES).parts[:-1]
    targets = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
        base = ".".join(part for part in base if part)
        for alias in node.names:
            below = f"{base}.{alias.name}".strip(".")
            targets.add(below if below in MODULES else base)
    return targets - {name}


def layer_of(name):
    return NAMED.get(name.split(".")[0], 1)


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name):
    own = layer_of(name)
    for target in imports_of(name):
        assert target in MODULES, f"{name} imports {target}, which does not exist"
        same_room = LAYERS[own][0] == OPEN and name.split(".")[0] == target.split(".")[0]
        assert layer_of(target) > own or same_room, f"{name} must not import {target}"


def test_there_are_no_circles():
    done, path = set(), []

    def visit(name):
        assert name not in path, f"circle: {' -> '.join([*path[path.index(name) :], name])}"
        if name in done:
            return
        path.append(name)
        for target in sorted(imports_of(name)):
            visit(target)
        done.add(path.pop())

    for name in MODULES:
        visit(name)


def test_the_library_is_imported_by_name_and_the_nodes_by_relation():
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert (node.module or "").split(".")[0] != "nodes", f"{name} imports ComfyUI's own module `nodes`"
