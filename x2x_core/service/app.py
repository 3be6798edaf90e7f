"""The application of a service: API, page, and one sentence for every error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

import x2x_core
from x2x_core.common.errors import InputError

from .desk import Desk
from .editor import Editor
from .gate import Gate
from .images import NotHeldError
from .page.serving import page_router
from .reader import Reader
from .routes import HEAVY, router
from .settings import ServiceSettings

_SWEEPS = 30  # seconds between two
_ARGUMENTS = {"generator": "seed"}  # arguments of the library whose field has another name


def create_app(settings: ServiceSettings, editors: Sequence[Editor], reader: Reader) -> FastAPI:
    """Return the application of a service.

    Args:
        settings: its limits.
        editors: the workers; each runs one edit at a time.
        reader: of uploads.
    """
    desk = Desk(settings, editors, reader)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(reader.start()), asyncio.create_task(_sweep(desk))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            desk.close()

    app = FastAPI(
        title="InstructX2X",
        version=x2x_core.__version__,
        summary="Edits of chest radiographs from text instructions: synthetic, for research, not for diagnosis.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    app.state.desk = desk
    app.include_router(router)
    app.include_router(page_router())
    app.add_middleware(Gate, settings=settings, line=desk.line, heavy=HEAVY)
    app.add_exception_handler(InputError, _input_error)
    app.add_exception_handler(NotHeldError, _not_held)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _fault)
    return app


async def _sweep(desk: Desk) -> None:
    """Drop uploads that are held for too long."""
    while True:
        await asyncio.sleep(_SWEEPS)
        desk.images.sweep()


def _sentence(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": " ".join(text.split())}, status)


def _input_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InputError)
    error.rename_arguments(lambda name, value: _ARGUMENTS.get(name) if value is None else None)
    return _sentence(422, str(error))


def _not_held(request: Request, error: Exception) -> JSONResponse:
    return _sentence(404, "This image is not held, or no longer. Upload it again.")


def _not_valid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = error.errors()[0]
    place = [str(part) for part in first["loc"][1:]]  # the first says where in the request it stands
    if first["type"] == "extra_forbidden":
        return _sentence(422, f"`{place[-1][:40]}` is not known here. Leave it out.")
    if first["type"] == "json_invalid":
        return _sentence(422, "The request must be JSON, but cannot be read.")
    reason = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    if "UploadFile" in reason:
        reason = "must be an uploaded file, not a text"
    return _sentence(422, f"`{'.'.join(place) or 'body'}`: {reason}.")


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    response = _sentence(error.status_code, error.detail)
    response.headers.update(error.headers or {})
    return response


def _fault(request: Request, error: Exception) -> JSONResponse:
    """Answer without a word of what happened, which is in the server's log."""
    return _sentence(500, "The service met a fault of its own. Whoever runs it finds it in its log.")
