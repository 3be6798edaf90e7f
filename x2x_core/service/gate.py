"""Gate of a service: who may pass, how much, how many at a time, and for how long, before anything is read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import Access
from .line import BusyError, Line
from .settings import ServiceSettings

OPEN = ("/api/health",)  # paths under /api that need no token
_DRAINING = 10  # seconds that a refused client may go on sending
_SMALL = 64 * 2**10  # bytes of a request without an image
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
}


class RefusedError(Exception):
    """A request that ends at the gate.

    Args:
        status: HTTP status.
        sentence: for the client.
        headers: of the answer.
    """

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, dict(headers or {})


class Gate:
    """ASGI middleware: checks a request's headers, counts its bytes, and gives requests with work a place in line.

    Args:
        app: what lies behind.
        settings: of the service.
        line: in front of the workers.
        heavy: beginnings of the paths whose POST requests need a place.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings, line: Line[Any], heavy: tuple[str, ...]) -> None:
        self._app, self._settings, self._line, self._heavy = app, settings, line, heavy
        self._access = Access(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it in one sentence."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = _Answering(send)
        is_heavy = scope["method"] == "POST" and scope["path"].startswith(self._heavy)
        body = _Body(receive, self._settings.max_bytes + _SMALL if is_heavy else _SMALL)
        try:
            with ExitStack() as stack:
                self._check(scope, body.limit)
                if is_heavy:
                    stack.enter_context(self._line.place())
                await self._pass(scope, body, guarded)
        except BusyError as error:
            sentence = f"All places are taken. Try again in {error.retry_after} s."
            await _refuse(guarded, body, RefusedError(503, sentence, {"retry-after": str(error.retry_after)}))
        except RefusedError as error:
            await _refuse(guarded, body, error)

    def _check(self, scope: Scope, limit: int) -> None:
        """Check the headers of a request.

        Raises:
            RefusedError: they are not acceptable.
        """
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if not self._access.accepts_host(host):
            raise RefusedError(403, "This service answers only under its own address.")
        if not self._access.accepts_origin(headers.get("origin"), host):
            raise RefusedError(403, "Pages of other sites may not use this service.")
        path = scope["path"]
        if path.startswith("/api/") and path not in OPEN and not self._access.accepts_token(
            headers.get("authorization")
        ):  # fmt: skip
            sentence = "This service requires its token, as the header `Authorization: Bearer TOKEN`."
            raise RefusedError(401, sentence, {"www-authenticate": "Bearer"})
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > limit:
            raise RefusedError(413, _too_large(limit))

    async def _pass(self, scope: Scope, body: _Body, send: _Answering) -> None:
        """Run what lies behind, until it has answered, the client has left, or the time is over."""
        work = asyncio.ensure_future(self._app(scope, body.receive, send))
        leaving = asyncio.ensure_future(body.left())
        try:
            await asyncio.wait((work, leaving), timeout=self._settings.timeout, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            elif not leaving.done():
                raise RefusedError(504, f"This took longer than {self._settings.timeout:g} s, and was given up.")
        finally:
            for task in (work, leaving):
                task.cancel()
            await asyncio.gather(work, leaving, return_exceptions=True)


class _Body:
    """The body of a request, counted.

    Args:
        receive: the server's.
        limit: bytes.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self.limit = receive, limit
        self._count = 0
        self._is_read = asyncio.Event()

    async def receive(self) -> Message:
        """Receive a part of it.

        Raises:
            HTTPException: it is too large.
        """
        message = await self._receive()
        self._count += len(message.get("body", b""))
        if self._count > self.limit:
            raise HTTPException(413, _too_large(self.limit))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._is_read.set()
        return message

    async def left(self) -> None:
        """Return when the client has left after sending its request."""
        await self._is_read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def drain(self) -> None:
        """Take what is still being sent and forget it, so that the client reads the answer; up to the limit."""
        while not self._is_read.is_set() and self._count <= self.limit:
            message = await self._receive()
            self._count += len(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return


class _Answering:
    """The server's `send`, with the headers that every answer has.

    Args:
        send: the server's.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        """Send a part of an answer."""
        if message["type"] == "http.response.start":
            self.started = True
            own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        await self._send(message)


async def _refuse(send: _Answering, body: _Body, error: RefusedError) -> None:
    """Answer a request that ends here, unless its answer has begun."""
    if send.started:
        return
    if error.status != 413:
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAINING):
                await body.drain()
    content = json.dumps({"error": error.sentence}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(content)), **error.headers}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})


def _too_large(limit: int) -> str:
    return f"A request must have at most {limit} bytes. Send a smaller file."
