"""Routes of the page: the values of a preset, and the sentence of X2XInstruction's menus."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from x2x_core.common.checkpoint_layout import MODEL_INDEX

from .choices import PRESETS
from .work.folders import checkpoint_places
from .work.sentences import make_clause, unused

PREFIX = "/instructx2x"


def add_routes() -> None:
    """Add the routes to ComfyUI's server, if one is running."""
    prompt_server = getattr(sys.modules.get("server"), "PromptServer", None)
    server = getattr(prompt_server, "instance", None)
    if server is None:  # the nodes are used without a page
        return
    from aiohttp import web

    @server.routes.get(f"{PREFIX}/preset")
    async def preset(request: Any) -> Any:
        values = await asyncio.to_thread(
            preset_of, request.query.get("checkpoint", ""), request.query.get("preset", "")
        )
        return web.json_response(values) if values is not None else web.json_response({}, status=404)

    @server.routes.get(f"{PREFIX}/sentence")
    async def sentence(request: Any) -> Any:
        return web.json_response(await asyncio.to_thread(sentence_of, dict(request.query)))


def preset_of(checkpoint: str, preset: str) -> dict[str, Any] | None:
    """Return the values of X2XEdit's widgets for a checkpoint and a preset, or ``None`` for unknown ones."""
    from .work.settings import preset_values

    places = checkpoint_places()
    if checkpoint not in places or preset not in PRESETS or preset == "custom":
        return None
    return preset_values(preset, recommendations(places[checkpoint]))


def recommendations(path: Path | None) -> dict[str, Any]:
    """Return a checkpoint's index, which holds its own settings; empty for a single file without an index."""
    from x2x_core.common.bundled import bundled_path
    from x2x_core.conversion.embedded_files import carried_files

    place = bundled_path("demo") if path is None else path
    if place.is_file():
        return json.loads(carried_files(place).get(MODEL_INDEX, "{}"))
    index = place / MODEL_INDEX
    return json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}


def sentence_of(choices: dict[str, str]) -> dict[str, str]:
    """Return the sentence for the menus of X2XInstruction.

    Returns:
        `sentence`, empty if the choices are invalid, and `text`: the sentence with notes, or the error message.
    """
    names = ("operation", "finding", "level", "level_to", "side", "zone")
    if missing := [name for name in names if name not in choices]:
        return {"sentence": "", "text": f"`{missing[0]}` is required."}
    try:
        sentence = make_clause(*(choices[name] for name in names))
    except ValueError as error:
        return {"sentence": "", "text": str(error)}
    notes = unused(choices["operation"], choices["finding"], choices["level_to"], choices["side"])
    return {"sentence": sentence, "text": "\n".join([sentence, *notes])}
