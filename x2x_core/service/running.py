"""Run a service until it is interrupted."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

import uvicorn

from x2x_core.common.errors import InputError

from .app import create_app
from .editor import Editor
from .reader import ReaderProcess
from .settings import ServiceSettings

_CONNECTIONS = 512  # at one time


def server(settings: ServiceSettings, editors: Sequence[Editor]) -> uvicorn.Server:
    """Return the server of a service: `run` it.

    Nothing of a request is logged: addresses hold the names of held images.

    Args:
        settings: its limits.
        editors: the workers.
    """
    app = create_app(settings, editors, ReaderProcess(settings.max_pixels, settings.timeout))
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        http="h11",
        backlog=_CONNECTIONS,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=10,
    )
    return uvicorn.Server(config)


def check_port(host: str, port: int) -> None:
    """Check that an address can be listened at, before a model is loaded.

    Raises:
        InputError: it is in use, not this machine's, or not permitted.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise InputError(
            f"`host` and `port` must be an address of this machine that is free, but {host}:{port} is not: "
            f"{error.strerror or error}. Choose another one."
        ) from error
