"""Write subgraph blueprints: several nodes that ComfyUI's page offers as one."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from workflow_graph import MARGIN, TITLE, Graph, Output

INPUT_NODE, OUTPUT_NODE = -10, -20  # ids that ComfyUI's page gives to the ends of a subgraph
CATEGORY = "InstructX2X"
ROW = 20  # height of a socket on the ends of a subgraph
END_WIDTH = 140


class Blueprint(Graph):
    """A subgraph under construction.

    Args:
        definitions: ComfyUI's `/object_info`.
        name: as shown by the page; the file's name as well.
    """

    def __init__(self, definitions: dict, name: str):
        super().__init__(definitions)
        self.name = name
        self.description, self.aliases = "", ()
        self._inputs: list[dict] = []
        self._ends: list[dict] = []
        self._outputs[INPUT_NODE] = self._inputs

    def input(self, name: str, kind: str, widget: bool = False) -> Output:
        """Add an input of the subgraph, to be connected to inputs of its nodes.

        Args:
            name: shown on the node.
            kind: socket type.
            widget: the input it is connected to has a widget, which the node then shows.
        """
        self._inputs.append({"name": name, "type": kind, "links": [], "widget": widget})
        return Output(INPUT_NODE, len(self._inputs) - 1, kind)

    def output(self, name: str, value: Output) -> None:
        """Add an output of the subgraph."""
        link = len(self.links) + 1
        self.links.append([link, value.node, value.slot, OUTPUT_NODE, len(self._ends), value.kind])
        self._outputs[value.node][value.slot]["links"].append(link)
        self._ends.append({"name": name, "type": value.kind, "links": [link]})

    def describe(self, text: str, *aliases: str) -> None:
        """Set what the page's search shows, and the words beside the name that it finds the blueprint by."""
        self.description, self.aliases = text, aliases

    def write(self, file: Path) -> None:
        """Write a workflow of one node, which is the subgraph."""
        kind = self._id("subgraph")
        sockets = [{"name": one["name"], "type": one["type"], "link": None} for one in self._inputs]
        inputs = [
            {**socket, "widget": {"name": socket["name"]}} if one["widget"] else socket
            for socket, one in zip(sockets, self._inputs)
        ]
        outputs = [{"name": one["name"], "type": one["type"], "links": []} for one in self._ends]
        node = {
            "id": 1,
            "type": kind,
            "pos": [0, 0],
            "size": [300, TITLE + 30 * max(len(inputs), len(outputs))],
            "flags": {},
            "order": 0,
            "mode": 0,
            "inputs": inputs,
            "outputs": outputs,
            "title": self.name,
            "properties": {"proxyWidgets": []},
            "widgets_values": [],
        }
        workflow = {
            "id": self._id("workflow"),
            "revision": 0,
            "last_node_id": 1,
            "last_link_id": 0,
            "nodes": [node],
            "links": [],
            "groups": [],
            "definitions": {"subgraphs": [self._definition(kind)]},
            "config": {},
            "extra": {"BlueprintDescription": self.description, "BlueprintSearchAliases": list(self.aliases)},
            "version": 0.4,
        }
        # ASCII alone: some versions of ComfyUI read the file in the encoding of the machine's language.
        file.write_text(json.dumps(workflow, indent=1) + "\n", encoding="utf-8")

    def _definition(self, kind: str) -> dict:
        names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        left = min(node["pos"][0] for node in self.nodes) - END_WIDTH - 2 * MARGIN
        right = max(node["pos"][0] + node["size"][0] for node in self.nodes) + 2 * MARGIN
        return {
            "id": kind,
            "version": 1,
            "state": {
                "lastGroupId": len(self.groups),
                "lastNodeId": len(self.nodes),
                "lastLinkId": len(self.links),
                "lastRerouteId": 0,
            },
            "revision": 0,
            "config": {},
            "name": self.name,
            "category": CATEGORY,
            "description": self.description,
            "inputNode": {"id": INPUT_NODE, "bounding": [left, 0, END_WIDTH, ROW * (len(self._inputs) + 2)]},
            "outputNode": {"id": OUTPUT_NODE, "bounding": [right, 0, END_WIDTH, ROW * (len(self._ends) + 2)]},
            "inputs": self._slots("input", self._inputs, left + END_WIDTH - ROW),
            "outputs": self._slots("output", self._ends, right + ROW),
            "widgets": [],
            "nodes": self.nodes,
            "groups": self.groups,
            "links": [dict(zip(names, link)) for link in self.links],
            "extra": {},
        }

    def _slots(self, side: str, slots: list[dict], left: int) -> list[dict]:
        return [
            {
                "id": self._id(f"{side}/{one['name']}"),
                "name": one["name"],
                "type": one["type"],
                "linkIds": one["links"],
                "pos": [left, ROW * (number + 1)],
            }
            for number, one in enumerate(slots)
        ]

    def _id(self, part: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"instructx2x/{self.name}/{part}"))
