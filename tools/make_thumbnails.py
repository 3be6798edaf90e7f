"""Make the thumbnails of the template list, `example_workflows/*.jpg`, from the outputs of the workflows.

    python tools/make_thumbnails.py http://127.0.0.1:8188

The address is that of a running ComfyUI on which every workflow was run unchanged.
"""

from __future__ import annotations

import json
import sys
import urllib.parse
import urllib.request
from io import BytesIO
from pathlib import Path

from PIL import Image

WORKFLOWS = Path(__file__).resolve().parent.parent / "example_workflows"
SIDE, GAP, QUALITY = 512, 6, 80
BACKGROUND = (24, 24, 28)
SYNTHETIC = b"Synthetic, for research."
SAMPLE = {"filename": "instructx2x-sample.png", "subfolder": "", "type": "input"}
# Pictures of each thumbnail: a file, or (node type, index among the nodes of that type, key of its outputs, index).
SHOWN = {
    "1-plain-edit": [("X2XCompare", 0, "x2x_before", 0), ("X2XCompare", 0, "x2x_after", 0)],
    "2-look-before-you-edit": [
        ("X2XGuidancePreview", 0, "images", 0),
        ("X2XGuidancePreview", 1, "images", 0),
        ("X2XGuidancePreview", 2, "images", 0),
        ("MaskPreview", 0, "images", 0),
    ],
    "3-paint-your-own-mask": [("X2XGuidancePreview", 0, "images", 0)],
    "4-severity-series": [SAMPLE, *[("X2XEdit", number, "images", 0) for number in range(3)]],
    "5-several-findings": [("X2XGuidancePreview", 0, "images", 0), ("X2XCompare", 0, "x2x_after", 0)],
    "6-batch-over-a-folder": [("X2XSave", 0, "images", number) for number in (0, 3, 6, 7)],
    "7-native-graph": [("X2XGuidancePreview", 0, "images", 0), ("X2XCompare", 0, "x2x_after", 0)],
    "8-counterfactual-pairs": [
        ("SaveImage", 0, "images", 2),
        ("X2XSave", 0, "images", 4),
        ("X2XSave", 1, "images", 4),
        ("X2XSave", 1, "images", 5),
    ],
    "9-any-picture": [("X2XCompare", 0, "x2x_before", 0), ("X2XCompare", 0, "x2x_after", 0)],
}


def download(url: str) -> bytes:
    """Return what the server answers."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def outputs_of(history: dict, workflow: dict) -> dict[str, list[dict]]:
    """Return the outputs of the newest run of a workflow, by node type, in the order of the workflow."""
    kinds = {str(node["id"]): node["type"] for node in workflow["nodes"]}
    for entry in reversed(history.values()):
        graph = entry["prompt"][2]
        if entry["status"]["status_str"] == "success" and _is_of(graph, kinds):
            outputs: dict[str, list[dict]] = {}
            for number in sorted(entry["outputs"], key=int):
                outputs.setdefault(kinds[number], []).append(entry["outputs"][number])
            return outputs
    raise ValueError("A workflow has not been run unchanged on this server: run it and try again.")


def _is_of(graph: dict, kinds: dict[str, str]) -> bool:
    silent = ("MarkdownNote",)
    return {number: node["class_type"] for number, node in graph.items()} == {
        number: kind for number, kind in kinds.items() if kind not in silent
    }


def read_picture(url: str, file: dict) -> Image.Image:
    """Return a picture that the server keeps."""
    query = urllib.parse.urlencode({key: file[key] for key in ("filename", "subfolder", "type")})
    return Image.open(BytesIO(download(f"{url}/view?{query}"))).convert("RGB")


def _find_file(outputs: dict[str, list[dict]], source: dict | tuple[str, int, str, int]) -> dict:
    if isinstance(source, dict):
        return source
    node_type, node, key, index = source
    return outputs[node_type][node][key][index]


def tile(pictures: list[Image.Image]) -> Image.Image:
    """Arrange one, two or four pictures in a square, two that are wider than high one above the other."""
    square = Image.new("RGB", (SIDE, SIDE), BACKGROUND)
    wide = len(pictures) == 2 and pictures[0].width > pictures[0].height
    columns = 1 if len(pictures) == 1 or wide else 2
    rows = -(-len(pictures) // columns)
    width, height = ((SIDE - GAP * (count - 1)) // count for count in (columns, rows))
    for number, picture in enumerate(pictures):
        scale = min(width / picture.width, height / picture.height)
        size = round(picture.width * scale), round(picture.height * scale)
        left, down = (number % columns) * (width + GAP), (number // columns) * (height + GAP)
        place = left + (width - size[0]) // 2, down + (height - size[1]) // 2
        square.paste(picture.resize(size, Image.Resampling.LANCZOS), place)
    return square


def main(url: str) -> None:
    """Write all thumbnails."""
    history = json.loads(download(f"{url}/history"))
    for name, shown in SHOWN.items():
        outputs = outputs_of(history, json.loads((WORKFLOWS / f"{name}.json").read_text(encoding="utf-8")))
        files = [_find_file(outputs, source) for source in shown]
        picture = tile([read_picture(url, file) for file in files])
        picture.save(WORKFLOWS / f"{name}.jpg", quality=QUALITY, comment=SYNTHETIC)


if __name__ == "__main__":
    main(*sys.argv[1:])
