"""Common parts of the plans of workflows: seed, sizes of nodes, and the note at the start."""

from __future__ import annotations

from workflow_graph import Graph

SEED = 1
LOADER, PICTURE, MENUS, EDITOR = (340, 90), (340, 430), (340, 280), (380, 840)
SHORT_MENUS, PSEUDOMASK = (340, 260), (340, 365)  # the smallest heights that the page allows
SYNTHETIC = "All results are **synthetic, for research**. This is not a medical device."


def read_me(graph: Graph, text: str, height: int, at: tuple[int, int] = (0, 0), width: int = 340) -> None:
    """Add the note at the start of a workflow."""
    graph.note(f"{text.strip()}\n\n{SYNTHETIC}", at, (width, height), "Read me")
