"""Addresses of the page: a fixed list of files, read when the service starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from x2x_core.common.templates import template_environment

_ASSETS = Path(__file__).parent / "assets"
_KINDS = {".css": "text/css", ".js": "text/javascript"}


def page_router() -> APIRouter:
    """Return the routes of the page, its files, and the page of the API."""
    files = {path.name: path.read_bytes() for path in sorted(_ASSETS.iterdir()) if path.suffix in _KINDS}
    index = (_ASSETS / "index.html").read_text(encoding="utf-8")
    template = template_environment(_ASSETS).get_template("api.html.jinja")
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(index)

    @router.get("/page/{name}")
    async def asset(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "There is no such page.")
        return Response(files[name], media_type=_KINDS[Path(name).suffix])

    @router.get("/docs")
    def description(request: Request) -> HTMLResponse:
        schema = request.app.openapi()
        return HTMLResponse(template.render(info=schema["info"], operations=_operations(schema)))

    return router


def _operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return method, path, text, fields and answers of each operation of an OpenAPI description."""
    parts = schema.get("components", {}).get("schemas", {})
    return [
        {
            "method": method.upper(),
            "path": path,
            "text": operation.get("description", operation.get("summary", "")),
            "kind": next(iter(operation.get("requestBody", {}).get("content", {})), ""),
            "fields": _fields(operation, parts),
            "answers": [(code, answer["description"]) for code, answer in operation["responses"].items()],
        }
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def _fields(operation: dict[str, Any], parts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return name, text and default of the fields of an operation's body."""
    content = operation.get("requestBody", {}).get("content", {})
    for body in content.values():
        form = parts.get(body["schema"].get("$ref", "").rsplit("/", 1)[-1], {})
        required = form.get("required", ())
        return [
            {
                "name": name,
                "text": field.get("description", ""),
                "default": "required" if name in required else field.get("default"),
            }
            for name, field in form.get("properties", {}).items()
        ]
    return []
