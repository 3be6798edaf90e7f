"""Process that decodes uploads: what crashes, hangs or fills the memory there leaves the service alone."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import torch

from x2x_core.common.errors import InputError
from x2x_core.imaging.radiograph import Radiograph

from .uploads import read_upload

MEMORY = 4 * 2**30  # bytes of data of the process
_FIELDS = ("bit_depth", "mode", "path", "kind", "notes", "white")
_START = 300  # seconds for the libraries to load, on a busy machine
_READY = "ready"


class Reader(Protocol):
    """Reads uploads."""

    async def start(self) -> None:
        """Get ready."""

    async def read(self, path: Path) -> Radiograph:
        """Read a radiograph from an uploaded file."""

    def close(self) -> None:
        """End what was started."""


class ReaderProcess:
    """Reader in a process of its own, which is replaced when it was lost.

    Args:
        max_pixels: of a picture.
        timeout: seconds for one picture.
    """

    def __init__(self, max_pixels: int, timeout: float) -> None:
        self._arguments = (max_pixels, MEMORY)
        self._timeout = timeout
        self._turn = asyncio.Lock()
        self._process: Any = None
        self._connection: Connection | None = None

    async def read(self, path: Path) -> Radiograph:
        """Read a radiograph from an uploaded file.

        Raises:
            InputError: it cannot be read, or reading it ended the process or took too long.
        """
        async with self._turn:
            asking = asyncio.ensure_future(asyncio.to_thread(self._ask, path))
            try:
                answer = await asyncio.shield(asking)
            except asyncio.CancelledError:
                if self._process is not None:
                    self._process.kill()
                await asyncio.wait([asking])
                raise
        if isinstance(answer, str):
            raise InputError(answer)
        pixels, values = answer
        return Radiograph(torch.from_numpy(pixels), **values)

    async def start(self) -> None:
        """Start the process, so that the first upload need not wait for its libraries."""
        async with self._turn:
            await asyncio.to_thread(self._started)

    def _started(self) -> Connection:
        """Return the connection to a process that is ready."""
        if self._process is not None and self._process.is_alive() and self._connection is not None:
            return self._connection
        self.close()
        context = multiprocessing.get_context("spawn")
        own, other = context.Pipe()
        process = context.Process(target=_serve, args=(other, *self._arguments), daemon=True)
        process.start()
        other.close()
        self._process, self._connection = process, own
        if not own.poll(_START) or own.recv() != _READY:
            self.close()
            raise RuntimeError("The process that decodes uploads did not start.")
        return own

    def _ask(self, path: Path) -> Any:
        """Return pixels and other values of a radiograph, or the message of an error."""
        connection = self._started()
        try:
            connection.send(path)
            if connection.poll(self._timeout):
                return connection.recv()
            problem = f"takes longer than {self._timeout:g} s to decode"
        except (EOFError, OSError):  # the process has ended, perhaps for lack of memory
            problem = "cannot be decoded: it is damaged, or needs too much memory"
        self.close()
        return f"`image` {problem}. Save it in another format and send that."

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _serve(connection: Connection, max_pixels: int, memory: int) -> None:
    """Answer paths until the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service handles interruptions
    torch.set_num_threads(1)
    limit_memory(memory)
    with suppress(EOFError, OSError):
        connection.send(_READY)
        while True:
            connection.send(_answer(connection.recv(), max_pixels, read_upload))


def _answer(path: Path, max_pixels: int, read: Callable[[Path, int], Radiograph]) -> Any:
    try:
        radiograph = read(path, max_pixels)
    except MemoryError:
        return "`image` needs too much memory to be decoded. Save it in another format and send that."
    except InputError as error:
        return public_message(error, path)
    except Exception as error:  # whatever a hostile file brings about must not end this process
        return f"`image` cannot be read ({type(error).__name__}). Save it in another format and send that."
    return radiograph.pixels.numpy(), {name: getattr(radiograph, name) for name in _FIELDS}


def public_message(error: Exception, path: Path) -> str:
    """Return the message of an error in one line, with `image` for the file on the server."""
    text = " ".join(str(error).split())
    for known in sorted({str(file) for file in (path, *path.parent.glob("upload*"))}, key=len, reverse=True):
        text = text.replace(known, "image")
    return text.replace(str(path.parent), "image")


def limit_memory(size: int) -> None:
    """Limit the data of this process to a number of bytes, where the system can (Linux)."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
