"""Readers of the bundled workflow files, for tests."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows"
FILES = sorted(FOLDER.glob("*.json"))
NOTE = "MarkdownNote"


def read(file: Path) -> dict:
    return json.loads(file.read_text(encoding="utf-8"))


def nodes_of(workflow: dict) -> dict[int, dict]:
    return {node["id"]: node for node in workflow["nodes"]}


def box(node: dict) -> tuple[float, float, float, float]:
    """Return left, top (of the title bar), right and bottom."""
    (left, top), (wide, high) = node["pos"], node["size"]
    return left, top - 30, left + wide, top + high


def meet(one: tuple, other: tuple) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
