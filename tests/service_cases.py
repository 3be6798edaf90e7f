"""A service for tests: its application with a stub or a tiny model behind it, and files to send."""

from __future__ import annotations

import io
import struct
import threading
import time
import zlib
from pathlib import Path
from types import SimpleNamespace

from PIL import Image
from starlette.testclient import TestClient
from tiny_models import make_radiograph

from x2x_core.service.app import create_app
from x2x_core.service.editor import OVERLAY, Answer, Editor, StoppedError
from x2x_core.service.settings import ServiceSettings
from x2x_core.service.uploads import read_upload

PROMPT = "Add the finding of moderate left pleural effusion."
ADDRESS = "http://127.0.0.1:8600"


class DirectReader:
    """Reader in this process."""

    def __init__(self, max_pixels: int) -> None:
        self.max_pixels = max_pixels

    async def start(self) -> None:
        pass

    async def read(self, path: Path):
        return read_upload(path, self.max_pixels)

    def close(self) -> None:
        pass


class StubEditor:
    """Editor without a model: it waits, and answers with a picture."""

    model = "demo"
    pipeline = SimpleNamespace(config={"trained_findings": "pleural effusion, edema"})

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.stopped = seconds, threading.Event()

    def guidance(self, radiograph, call):
        return Answer({"prompt": call.prompt}, {OVERLAY: png(radiograph.size)})

    def edit(self, radiograph, call, stop, archive=None):
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            if stop.wait(0.01):
                self.stopped.set()
                raise StoppedError
        return Answer({"prompt": call.prompt}, {"edited.png": png(radiograph.size), "result.json": b"{}\n"})


def png(size=(8, 8)) -> bytes:
    """A grey picture of height and width."""
    return encoded(Image.new("L", (size[1], size[0]), 90), "PNG")


def film() -> bytes:
    """The radiograph of the tiny model as PNG."""
    return encoded(Image.fromarray(make_radiograph()), "PNG")


def encoded(picture: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def huge_png(side: int = 30_000) -> bytes:
    """A valid grey PNG of `side` x `side` black pixels, whose bytes are few."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    rows = [packer.compress(bytes(side + 1)) for _ in range(side)]
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", b"".join(rows) + packer.flush()) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def client_of(*editors, reader=None, **settings) -> TestClient:
    """Return a client of a service; use it as a context."""
    choices = ServiceSettings(**settings)
    app = create_app(choices, editors or (StubEditor(),), reader or DirectReader(choices.max_pixels))
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)


def tiny_client(pipe, **settings) -> TestClient:
    """Return a client of a service with the tiny model."""
    return client_of(Editor(pipe, "demo", None), **settings)


def left_behind(client: TestClient) -> list[Path]:
    """Return the files that the service has on its disk."""
    return [path for path in client.app.state.desk._place.rglob("*") if path.is_file()]


def refusal(response, status):
    """Return the sentence of a refusal, after checking that it is one and names nothing of the server."""
    assert response.status_code == status, response.text
    answer = response.json()
    assert set(answer) == {"error"}
    sentence = answer["error"]
    assert sentence and "\n" not in sentence and "Traceback" not in sentence and "x2x-serve-" not in sentence
    return sentence
