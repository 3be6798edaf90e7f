"""Write the nodes' English texts from their schemas: `locales/en/nodeDefs.json`, and the tables of `web/docs/*.md`.

Needs a ComfyUI checkout (COMFYUI_PATH) and its Python.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locales" / "en" / "nodeDefs.json"
HELP = ROOT / "web" / "docs"
sys.path.insert(0, str(ROOT / "tests" / "nodes"))


def words_of(schema: Any) -> dict[str, Any]:
    """Return a node's texts in the form that ComfyUI's page reads."""
    words = {
        "display_name": schema.display_name,
        "description": schema.description,
        "inputs": {
            socket.id: {"name": socket.display_name or socket.id, "tooltip": socket.tooltip} for socket in schema.inputs
        },
    }
    outputs = {
        str(index): {"name": socket.display_name or socket.id, "tooltip": socket.tooltip}
        for index, socket in enumerate(schema.outputs)
    }
    return {**words, "outputs": outputs} if outputs else words


def help_tables(schema: Any) -> str:
    """Return the sections "Inputs" and "Outputs" of a node's help page."""
    sections = []
    for title, sockets in (("Inputs", schema.inputs), ("Outputs", schema.outputs)):
        if sockets:
            rows = [f"| {_label(socket, title)} | {socket.tooltip} |" for socket in sockets]
            sections.append("\n".join([f"## {title}", "", f"| {title[:-1]} | Description |", "|---|---|", *rows]))
    return "\n\n".join(sections)


def _label(socket: Any, title: str) -> str:
    """Return a socket as the page shows it; an input's id too, which workflows and messages use."""
    shown = socket.display_name or socket.id
    return f"`{socket.id}` ({shown})" if title == "Inputs" and shown != socket.id else f"`{shown}`"


def with_tables(page: str, schema: Any) -> str:
    """Return a help page with its tables replaced."""
    tables = help_tables(schema)
    return re.sub(r"## Inputs\n.*?(?=\n## (?!Outputs)|\Z)", lambda _: tables + "\n", page, count=1, flags=re.DOTALL)


def main() -> None:
    """Write the files."""
    from comfy_pack import load_pack

    schemas = {node_id: node.GET_SCHEMA() for node_id, node in load_pack().items()}
    words = {node_id: words_of(schema) for node_id, schema in schemas.items()}
    LOCALE.write_text(json.dumps(words, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(LOCALE)
    for node_id, schema in schemas.items():
        page = HELP / f"{node_id}.md"
        page.write_text(with_tables(page.read_text(encoding="utf-8"), schema), encoding="utf-8")
        print(page)


if __name__ == "__main__":
    main()
