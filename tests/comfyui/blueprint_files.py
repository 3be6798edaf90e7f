"""Workflows that hold a subgraph blueprint as the page places it, for tests."""

from __future__ import annotations

import json
from pathlib import Path

from workflow_graph import Graph, Output, Placed

FILES = sorted((Path(__file__).resolve().parents[2] / "subgraphs").glob("*.json"))


class BlueprintWorkflow(Graph):
    """A workflow under construction, with one blueprint in it."""

    def blueprint(self, file: Path, at: tuple[int, int], **values: Output) -> Placed:
        """Place a blueprint.

        Args:
            file: of the blueprint.
            at: left and top.
            values: what its inputs are connected to; those left out keep their widgets.
        """
        self.file = json.loads(file.read_text(encoding="ascii"))
        [entry] = self.file["nodes"]
        entry.update(id=len(self.nodes) + 1, pos=list(at))
        for slot, socket in enumerate(entry["inputs"]):
            if (value := values.get(socket["name"])) is not None:
                socket["link"] = len(self.links) + 1
                self.links.append([socket["link"], value.node, value.slot, entry["id"], slot, value.kind])
                self._outputs[value.node][value.slot]["links"].append(socket["link"])
        self.nodes.append(entry)
        self._outputs[entry["id"]] = entry["outputs"]
        outputs = enumerate(entry["outputs"])
        return Placed(entry, {one["name"]: Output(entry["id"], slot, one["type"]) for slot, one in outputs})

    def write(self, file: Path) -> None:
        super().write(file)
        workflow = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**workflow, "definitions": self.file["definitions"]}), encoding="utf-8")


def workflow_of(file: Path, definitions: dict) -> BlueprintWorkflow:
    """Return a workflow that feeds a blueprint with the demo and the bundled pictures, and shows what it returns."""
    graph = BlueprintWorkflow(definitions)
    if file.stem.startswith("Edit Radiograph"):
        image = graph.node("X2XLoadRadiograph", (0, 0), (300, 400))["image"]
        one = graph.blueprint(file, (400, 0), image=image)
    else:
        model = graph.node("X2XLoadNative", (0, 0), (300, 130))
        image = graph.node("LoadImage", (0, 250), (300, 340), image="instructx2x-landscape.jpg")["IMAGE"]
        texts = [
            graph.node("CLIPTextEncode", (0, 700 + 200 * number), (300, 120), text=text, clip=model["clip"])
            for number, text in enumerate(("Make it snow.", ""))
        ]
        # One side of the latent's cells is masked, and the other is not.
        mask = graph.node("SolidMask", (0, 1100), (300, 110), value=1.0, width=16, height=16)["MASK"]
        black = graph.node("SolidMask", (0, 1300), (300, 110), value=0.0, width=48, height=32)["MASK"]
        box = graph.node(
            "MaskComposite", (0, 1500), (300, 150), destination=black, source=mask, x=8, y=8, operation="add"
        )["MASK"]
        asked = {"positive": texts[0]["CONDITIONING"], "negative": texts[1]["CONDITIONING"]}
        steps = graph.node("PrimitiveInt", (0, 1700), (300, 90), value=2)["INT"]
        given = {
            **asked,
            **{name: model[name] for name in ("model", "clip", "vae")},
            "guidance_mask": box,
            "steps": steps,
        }
        one = graph.blueprint(file, (400, 0), image=image, **given)
    for number, (name, output) in enumerate(one.outputs.items()):
        kind, socket = ("PreviewImage", "images") if output.kind == "IMAGE" else ("MaskPreview", "mask")
        graph.node(kind, (800, 300 * number), (250, 260), name, **{socket: output})
    return graph
