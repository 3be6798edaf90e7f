"""Makes the thumbnails of the template list, `workflows/*.jpg`, from what the workflows made.

    python tools/make_thumbnails.py http://127.0.0.1:8188

The address is that of a running ComfyUI where every workflow was run, as it ships.
"""

from __future__ import annotations

import json
import sys
import urllib.parse
import urllib.request
from io import BytesIO
from pathlib import Path

from PIL import Image

WORKFLOWS = Path(__file__).resolve().parent.parent / "workflows"
SIDE, GAP, QUALITY = 512, 6, 80
BACKGROUND = (24, 24, 28)
SAMPLE = {"filename": "instructx2x-sample.png", "subfolder": "", "type": "input"}
# What each thumbnail shows: a file, or a node's type, which of that type, the kind of its pictures, and which.
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
}


def ask(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def outputs_of(history: dict, workflow: dict) -> dict[str, list[dict]]:
    """What the newest run of a workflow gave, by type of node in the workflow's order."""
    kinds = {str(node["id"]): node["type"] for node in workflow["nodes"]}
    for entry in reversed(history.values()):
        graph = entry["prompt"][2]
        if entry["status"]["status_str"] == "success" and _is_of(graph, kinds):
            found: dict[str, list[dict]] = {}
            for number in sorted(entry["outputs"], key=int):
                found.setdefault(kinds[number], []).append(entry["outputs"][number])
            return found
    raise ValueError("Every workflow must have been run on this server, as it ships; run it and try again.")


def _is_of(graph: dict, kinds: dict[str, str]) -> bool:
    silent = ("MarkdownNote",)
    return {number: node["class_type"] for number, node in graph.items()} == {
        number: kind for number, kind in kinds.items() if kind not in silent
    }


def picture(url: str, file: dict) -> Image.Image:
    query = urllib.parse.urlencode({key: file[key] for key in ("filename", "subfolder", "type")})
    return Image.open(BytesIO(ask(f"{url}/view?{query}"))).convert("RGB")


def tile(pictures: list[Image.Image]) -> Image.Image:
    """One, two or four pictures in a square."""
    square = Image.new("RGB", (SIDE, SIDE), BACKGROUND)
    columns = 1 if len(pictures) == 1 else 2
    cell = (SIDE - GAP * (columns - 1)) // columns
    rows = -(-len(pictures) // columns)
    top = (SIDE - rows * cell - GAP * (rows - 1)) // 2
    for number, one in enumerate(pictures):
        scale = min(cell / one.width, cell / one.height)
        one = one.resize((round(one.width * scale), round(one.height * scale)), Image.Resampling.LANCZOS)
        left, down = (number % columns) * (cell + GAP), top + (number // columns) * (cell + GAP)
        square.paste(one, (left + (cell - one.width) // 2, down + (cell - one.height) // 2))
    return square


def main(url: str) -> None:
    history = json.loads(ask(f"{url}/history"))
    for name, shown in SHOWN.items():
        outputs = outputs_of(history, json.loads((WORKFLOWS / f"{name}.json").read_text(encoding="utf-8")))
        files = [one if isinstance(one, dict) else outputs[one[0]][one[1]][one[2]][one[3]] for one in shown]
        tile([picture(url, file) for file in files]).save(WORKFLOWS / f"{name}.jpg", quality=QUALITY)


if __name__ == "__main__":
    main(*sys.argv[1:])
