"""A local server for a study: the page for each reader under a secret address, answers stored on disk.

Addresses are looked up in a table that is made once; no part of an address becomes a path. Every reader has a secret,
which is the first part of all of the reader's addresses::

    GET /SECRET/                    the page
    GET /SECRET/pictures/NAME       a picture of the study
    GET /SECRET/answers             stored answers, or 204
    PUT /SECRET/answers             store answers; 409 if newer ones are stored

Secrets are kept in the folder of the answers, so that a restart keeps the addresses.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from x2x_core.common.errors import InputError
from x2x_core.common.storage import write_bytes

from .answers import check_answers
from .definition import PICTURES, Study, read_study
from .page.rendering import render

SECRETS = "addresses.txt"
LARGEST_BODY = 8 * 2**20  # bytes of answers
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass
class Desk:
    """Answers on disk.

    Args:
        folder: of the answers, one `READER.json` each.
        study: that they answer.
    """

    folder: Path
    study: Study
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, reader: str) -> bytes | None:
        """Return the stored answers of a reader."""
        path = self._path(reader)
        return path.read_bytes() if path.is_file() else None

    def store(self, reader: str, body: bytes) -> bool:
        """Store answers; return False if newer ones are stored.

        Raises:
            InputError: not answers of this reader to this study.
        """
        try:
            record = json.loads(body)
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"Answers must be JSON: {error}.") from error
        answers = check_answers(record, self.study)
        if answers.reader != reader:
            raise InputError(f"Answers must be of {reader}, got {answers.reader}.")
        with self.lock:
            stored = self.read(reader)
            if stored is not None and json.loads(stored)["revision"] >= answers.revision:
                return False
            write_bytes(self._path(reader), json.dumps(record, indent=1, ensure_ascii=False).encode())
        return True

    def _path(self, reader: str) -> Path:
        assert reader in self.study.readers
        return self.folder / f"{reader}.json"


def read_secrets(folder: Path, study: Study) -> dict[str, str]:
    """Return the secret of each reader, drawn at the first call.

    Raises:
        InputError: the folder holds the answers of another study.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SECRETS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    if lines and lines[0] != study.study:
        raise InputError(f"`answers` must be of this study, but `{folder}` is of {lines[0]}. Choose another.")
    known = dict(line.split() for line in lines[1:])
    drawn = {reader: known.get(reader) or secrets.token_urlsafe(12) for reader in study.readers}
    text = "\n".join([study.study, *(f"{reader} {secret}" for reader, secret in drawn.items())]) + "\n"
    with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    return drawn


class StudyServer(ThreadingHTTPServer):
    """A server for one study.

    Args:
        study: folder of the study.
        answers: folder for the answers.
        host: address to listen at.
        port: port; 0 for a free one.

    Raises:
        InputNotFoundError: no study.
        InputError: answers of another study, or an address that cannot be used.
    """

    daemon_threads = True

    def __init__(self, study: Path, answers: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        definition = read_study(study)
        if study.resolve() == answers.resolve() or study.resolve() in answers.resolve().parents:
            raise InputError(f"`answers` must not lie in the study, got `{answers}`. Choose another folder.")
        self.secrets = read_secrets(answers, definition)
        self.desk = Desk(answers, definition)
        self.files = {name: study / PICTURES / name for name in definition.picture_names}
        self.readers = {secret: reader for reader, secret in self.secrets.items()}
        self.pages = {reader: render(definition, {"reader": reader}).encode() for reader in definition.readers}
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise InputError(f"`host` and `port` must be free, but {host}:{port} is not: {error.strerror}.") from error
        self.host = host

    @property
    def addresses(self) -> dict[str, str]:
        """Address of the page of each reader."""
        base = f"http://{self.host}:{self.server_address[1]}"
        return {reader: f"{base}/{secret}/" for reader, secret in self.secrets.items()}

    def knows_host(self, header: str) -> bool:
        """Return True if a request names this machine, so that no other site's name was pointed at it."""
        name = urlsplit(f"//{header}").hostname or ""
        return self.host not in _LOOPBACK or name in _LOOPBACK


class _Handler(BaseHTTPRequestHandler):
    server: StudyServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "x2x", ""
    timeout = 60

    def do_GET(self) -> None:
        reader, rest = self._address()
        picture = self.server.files.get(rest.removeprefix(f"{PICTURES}/")) if rest.startswith(f"{PICTURES}/") else None
        if reader is None:
            self._answer(HTTPStatus.NOT_FOUND)
        elif rest == "":
            self._answer(HTTPStatus.OK, self.server.pages[reader], "text/html; charset=utf-8")
        elif rest == "answers":
            stored = self.server.desk.read(reader)
            self._answer(HTTPStatus.OK if stored else HTTPStatus.NO_CONTENT, stored or b"", "application/json")
        elif picture is not None and picture.is_file():
            self._answer(HTTPStatus.OK, picture.read_bytes(), "image/png", {"Cache-Control": "private, max-age=3600"})
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def do_PUT(self) -> None:
        reader, rest = self._address()
        length = self.headers.get("Content-Length", "")
        numeric = length.isascii() and length.isdigit()
        if not numeric or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if numeric else HTTPStatus.LENGTH_REQUIRED)
            return
        body = self.rfile.read(int(length))
        origin = self.headers.get("Origin")
        if reader is None or rest != "answers":
            self._answer(HTTPStatus.NOT_FOUND)
        elif origin is not None and urlsplit(origin).netloc != self.headers.get("Host"):
            self._answer(HTTPStatus.FORBIDDEN)
        else:
            try:
                stored = self.server.desk.store(reader, body)
            except InputError as error:
                self._answer(HTTPStatus.BAD_REQUEST, f"{error}\n".encode(), "text/plain; charset=utf-8")
            else:
                self._answer(HTTPStatus.NO_CONTENT if stored else HTTPStatus.CONFLICT)

    def _address(self) -> tuple[str | None, str]:
        """Return the reader whose secret the address begins with, and the rest of the address."""
        if not self.server.knows_host(self.headers.get("Host", "")):
            return None, ""
        secret, slash, rest = urlsplit(self.path).path.removeprefix("/").partition("/")
        return (self.server.readers.get(secret) if slash else None), rest

    def _answer(
        self, status: HTTPStatus, body: bytes = b"", kind: str = "text/plain", headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        if status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status is not HTTPStatus.NO_CONTENT:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: addresses hold secrets."""
