"""Write ComfyUI workflow files, UI format 0.4, from a plan: nodes with positions, connected by name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
CONTROL = "fixed"  # seeds do not change after a run
TITLE = 30  # height of a node's title bar, which is above its position
MARGIN = 30  # of a group around its nodes
VIEW = (1640, 820)  # pixels of the canvas on a page of 1800 x 1000, without ComfyUI's own bars
CORNER = (85, 90)  # top left of the canvas on that page
NOTE = {"color": "#432", "bgcolor": "#653"}
COLOURS = {"load": "#3f789e", "instruct": "#8A8", "guide": "#a1309b", "edit": "#b06634", "look": "#88A"}


@dataclass
class Output:
    """An output of a placed node, to be connected to an input."""

    node: int
    slot: int
    kind: str


@dataclass
class Placed:
    """A node on the canvas; `node["name"]` returns one of its outputs."""

    entry: dict
    outputs: dict[str, Output]
    links: list = field(default_factory=list)

    def __getitem__(self, name: str) -> Output:
        if name not in self.outputs:
            raise ValueError(f"{self.entry['type']} has no output {name!r}, only {', '.join(self.outputs)}.")
        return self.outputs[name]


class Graph:
    """A workflow under construction.

    Args:
        definitions: ComfyUI's `/object_info`.
    """

    def __init__(self, definitions: dict):
        self.definitions = definitions
        self.nodes: list[dict] = []
        self.links: list[list] = []
        self.groups: list[dict] = []
        self.app: dict = {}
        self._outputs: dict[int, list[dict]] = {}

    def node(
        self, kind: str, at: tuple[int, int], size: tuple[int, int], title: str | None = None, /, **values
    ) -> Placed:
        """Place a node.

        Args:
            kind: node id.
            at: left and top, below the title bar.
            size: width and height.
            title: title instead of the node's own.
            values: value of each input's widget, or an `Output` to connect it to; inputs left out have their defaults.
        """
        definition = self.definitions[kind]
        specs = {**definition["input"].get("required", {}), **definition["input"].get("optional", {})}
        unknown = set(values) - set(specs)
        if unknown:
            raise ValueError(f"{kind} lacks inputs that the plan names: {', '.join(sorted(unknown))}.")
        number = len(self.nodes) + 1
        fields = [(name, spec, values.get(name)) for name, spec in specs.items()]
        inputs = [self._input(number, slot, *item) for slot, item in enumerate(fields)]
        names = zip(definition["output_name"], definition["output"])
        outputs = [{"name": name, "type": kind_, "links": []} for name, kind_ in names]
        entry = {
            "id": number,
            "type": kind,
            "pos": list(at),
            "size": list(size),
            "flags": {},
            "order": number - 1,
            "mode": 0,
            "inputs": inputs,
            "outputs": outputs,
            **({"title": title} if title else {}),
            "properties": {"Node name for S&R": kind},
            "widgets_values": [value for item in fields for value in _widget_values(*item)],
        }
        self.nodes.append(entry)
        self._outputs[number] = outputs
        slots = {output["name"]: Output(number, slot, output["type"]) for slot, output in enumerate(outputs)}
        return Placed(entry, slots)

    def _input(self, number: int, slot: int, name: str, spec: list, value) -> dict:
        kind = "COMBO" if isinstance(spec[0], list) else spec[0]
        link = None
        if isinstance(value, Output):
            link = len(self.links) + 1
            self.links.append([link, value.node, value.slot, number, slot, value.kind])
            self._outputs[value.node][value.slot]["links"].append(link)
        entry = {"name": name, "type": kind, "link": link}
        return {**entry, "widget": {"name": name}} if _is_widget(spec) else entry

    def note(self, text: str, at: tuple[int, int], size: tuple[int, int], title: str = "Note") -> None:
        """Place a note in Markdown."""
        number = len(self.nodes) + 1
        self.nodes.append(
            {
                "id": number,
                "type": "MarkdownNote",
                "pos": list(at),
                "size": list(size),
                "flags": {},
                "order": number - 1,
                "mode": 0,
                "inputs": [],
                "outputs": [],
                "title": title,
                "properties": {},
                "widgets_values": [text.strip()],
                **NOTE,
            }
        )
        self._outputs[number] = []

    def group(self, title: str, colour: str, *members: Placed) -> None:
        """Draw a frame around nodes."""
        lefts, tops, rights, bottoms = zip(*(_box(member.entry) for member in members))
        left, top = min(lefts) - MARGIN, min(tops) - MARGIN - 30
        right, bottom = max(rights) + MARGIN, max(bottoms) + MARGIN
        self.groups.append(
            {
                "id": len(self.groups) + 1,
                "title": title,
                "bounding": [left, top, right - left, bottom - top],
                "color": COLOURS[colour],
                "font_size": 24,
                "flags": {},
            }
        )

    def open_as_app(self, inputs: list[tuple[Placed, str]], outputs: list[Placed]) -> None:
        """Let pages that know apps open the workflow as one.

        Args:
            inputs: nodes and the names of their widgets, in the order in which the app shows them.
            outputs: nodes whose results it shows.
        """
        shown = [[node.entry["id"], name] for node, name in inputs]
        self.app = {
            "linearMode": True,
            "linearData": {"inputs": shown, "outputs": [node.entry["id"] for node in outputs]},
        }

    def write(self, file: Path) -> None:
        """Write the file, with a view that shows the whole workflow."""
        workflow = {
            "last_node_id": len(self.nodes),
            "last_link_id": len(self.links),
            "nodes": self.nodes,
            "links": self.links,
            "groups": self.groups,
            "config": {},
            "extra": {"ds": self._view(), **self.app},
            "version": 0.4,
        }
        file.write_text(json.dumps(workflow, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _view(self) -> dict:
        boxes = [_box(node) for node in self.nodes]
        frames = [group["bounding"] for group in self.groups]
        boxes += [(left, top, left + wide, top + high) for left, top, wide, high in frames]
        lefts, tops, rights, bottoms = zip(*boxes)
        left, top, wide, high = min(lefts), min(tops), max(rights) - min(lefts), max(bottoms) - min(tops)
        scale = round(min(1.0, VIEW[0] / wide, VIEW[1] / high), 3)
        return {"scale": scale, "offset": [round(CORNER[0] / scale - left), round(CORNER[1] / scale - top)]}


def _is_widget(spec: list) -> bool:
    kind, options = spec[0], spec[1] if len(spec) > 1 else {}
    return (isinstance(kind, list) or kind in WIDGETS) and not options.get("forceInput")


def _widget_values(name: str, spec: list, value) -> list:
    """Return the values of an input's widgets: none for a socket, two for a seed or an upload, else one."""
    if not _is_widget(spec):
        return []
    options = spec[1] if len(spec) > 1 else {}
    choices = spec[0] if isinstance(spec[0], list) else options.get("options", [])
    if value is None or isinstance(value, Output):
        value = options.get("default", choices[0] if choices else "")
    extra = [CONTROL] if options.get("control_after_generate") or name in ("seed", "noise_seed") else []
    return [value, *extra, *(["image"] if options.get("image_upload") else [])]


def _box(node: dict) -> tuple[int, int, int, int]:
    (left, top), (wide, high) = node["pos"], node["size"]
    return left, top - TITLE, left + wide, top + high
