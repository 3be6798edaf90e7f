"""Write `locales/en/nodeDefs.json` from the nodes' schemas. Needs a ComfyUI checkout (COMFYUI_PATH) and its Python."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "nodes"))


def words_of(schema) -> dict:
    """Return a node's texts in the form in which ComfyUI's page looks them up."""
    words = {
        "display_name": schema.display_name,
        "description": schema.description,
        "inputs": {entry.id: _texts(entry) for entry in schema.inputs},
    }
    outputs = {str(number): _texts(entry) for number, entry in enumerate(schema.outputs)}
    return {**words, "outputs": outputs} if outputs else words


def _texts(entry) -> dict:
    return {"name": entry.display_name or entry.id, "tooltip": entry.tooltip}


def main() -> None:
    """Write the file."""
    from comfy_pack import load_pack

    words = {node_id: words_of(node.GET_SCHEMA()) for node_id, node in load_pack().items()}
    place = ROOT / "locales" / "en" / "nodeDefs.json"
    place.write_text(json.dumps(words, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(place)


if __name__ == "__main__":
    main()
