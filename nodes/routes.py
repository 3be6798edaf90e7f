"""What the page asks the server for: what a preset stands for and how menus read as a sentence."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from x2x_core.common.checkpoint_layout import MODEL_INDEX

from .work.folders import checkpoint_places

PREFIX = "/instructx2x"


def add_routes() -> None:
    """Add the routes to ComfyUI's server, where one runs."""
    running = getattr(sys.modules.get("server"), "PromptServer", None)
    server = getattr(running, "instance", None)
    if server is None:  # the nodes are used without a page
        return
    from aiohttp import web

    @server.routes.get(f"{PREFIX}/preset")
    async def preset(request):
        values = await asyncio.to_thread(
            preset_of, request.query.get("checkpoint", ""), request.query.get("preset", "")
        )
        return web.json_response(values) if values is not None else web.json_response({}, status=404)

    @server.routes.get(f"{PREFIX}/sentence")
    async def sentence(request):
        return web.json_response(await asyncio.to_thread(sentence_of, dict(request.query)))


def preset_of(checkpoint: str, preset: str) -> dict | None:
    """What the widgets of X2XEdit stand for with a checkpoint and a preset; ``None``: unknown ones."""
    from .edit import PRESETS
    from .work.settings import preset_values

    places = checkpoint_places()
    if checkpoint not in places or preset not in PRESETS or preset == "custom":
        return None
    return preset_values(preset, recommendations(places[checkpoint]))


def recommendations(path: Path | None) -> dict:
    """A checkpoint's own settings, as its index has them; none for a single file that carries no index."""
    from x2x_core.common.bundled import bundled_path
    from x2x_core.conversion.embedded_files import carried_files

    place = bundled_path("demo") if path is None else path
    if place.is_file():
        return json.loads(carried_files(place).get(MODEL_INDEX, "{}"))
    index = place / MODEL_INDEX
    return json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}


def sentence_of(choices: dict[str, str]) -> dict[str, str]:
    """What the menus of X2XInstruction stand for.

    Returns:
        `sentence`, empty where the menus make none, and `text`: the sentence with notes, or what is wrong.
    """
    from .work.sentences import make_clause, unused

    names = ("operation", "finding", "level", "level_to", "side", "zone")
    if missing := [name for name in names if name not in choices]:
        return {"sentence": "", "text": f"`{missing[0]}` must be given."}
    try:
        sentence = make_clause(*(choices[name] for name in names))
    except ValueError as error:
        return {"sentence": "", "text": str(error)}
    notes = unused(choices["operation"], choices["finding"], choices["level_to"], choices["side"])
    return {"sentence": sentence, "text": "\n".join([sentence, *notes])}
