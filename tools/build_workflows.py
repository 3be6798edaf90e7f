"""Write the workflow files in `example_workflows/` and the blueprints in `subgraphs/` from their plans.

    python tools/build_workflows.py http://127.0.0.1:8188

The address is that of a running ComfyUI with this pack, which defines the nodes; a file of `/object_info` works too.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path

from blueprint_graph import Blueprint
from blueprint_plans import BLUEPRINTS
from workflow_graph import Graph
from workflow_plans import PLANS

ROOT = Path(__file__).resolve().parent.parent


def read_definitions(place: str) -> dict:
    """Return ComfyUI's `/object_info`, from the address of a server or from a file."""
    if not place.startswith("http"):
        return json.loads(Path(place).read_text(encoding="utf-8"))
    with urllib.request.urlopen(place.rstrip("/") + "/object_info", timeout=60) as answer:
        return json.load(answer)


def main(place: str) -> None:
    """Write all files."""
    definitions = read_definitions(place)
    for name, plan in PLANS.items():
        graph = Graph(definitions)
        plan(graph)
        graph.write(ROOT / "example_workflows" / f"{name}.json")
        print(f"{name}: {len(graph.nodes)} nodes, {len(graph.links)} links")
    for name, plan in BLUEPRINTS.items():
        blueprint = Blueprint(definitions, name)
        plan(blueprint)
        blueprint.write(ROOT / "subgraphs" / f"{name}.json")
        print(f"{name}: {len(blueprint.nodes)} nodes")


if __name__ == "__main__":
    main(*sys.argv[1:])
