"""A small archive over DICOMweb in this process, which fails as it is told to."""

from __future__ import annotations

import base64
import io
import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydicom import dcmread

from x2x_core.archive.remote.multipart import parts_of

LEVELS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
SHOWN = (*LEVELS, "SOPClassUID", "Modality", "StudyDate", "PatientID", "StudyDescription")
MARK = "a-mark-between-parts"


class ArchiveServer:
    """An archive at loopback; use it as a context.

    Attributes:
        objects: content of files by SOP instance UID.
        login: user and password, or ``None``.
        status: answered to everything, if set.
        page: the most entries of one answer of a search.
        refused: SOP classes that are not stored, with the reason.
        cut_after: objects of a request after which it ends the connection without an answer.
        is_silent_after: it cannot be searched any more after that.
        cut_answer: it ends the connection in the middle of an object.
        can_remove: it accepts DELETE.
        says_nothing: it stores, and answers with an empty text.
    """

    def __init__(self, login: tuple[str, str] | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self.login, self.status, self.page, self.cut_after = login, 0, 1000, None
        self.refused: dict[str, int] = {}
        self.is_silent_after = self.cut_answer = self.can_remove = self.says_nothing = self.is_silent = False
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/dicom-web"

    def __enter__(self) -> ArchiveServer:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def put(self, content: bytes) -> str:
        """Add an object; return its UID."""
        uid = str(dcmread(io.BytesIO(content), stop_before_pixels=True).SOPInstanceUID)
        self.objects[uid] = content
        return uid

    def accepts(self, authorization: str | None) -> bool:
        """Return True if a header holds the login."""
        if self.login is None:
            return True
        return authorization == "Basic " + base64.b64encode(":".join(self.login).encode()).decode()

    def heads(self) -> list:
        """Return the data sets of all objects, without pixels."""
        return [dcmread(io.BytesIO(content), stop_before_pixels=True) for content in self.objects.values()]


class _Handler(BaseHTTPRequestHandler):
    """Answers requests for an archive."""

    protocol_version = "HTTP/1.1"

    def __init__(self, archive: ArchiveServer, *arguments: Any) -> None:
        self.archive = archive
        super().__init__(*arguments)  # answers the request

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self._is_refused():
            return
        parts = self._parts()
        if len(parts) == 6:
            self._send_object(parts[5])
        else:
            self._search(parts)

    def do_DELETE(self) -> None:
        if self._is_refused():
            return
        if self.archive.can_remove:
            self.archive.objects.pop(self._parts()[5], None)
        self._answer(200 if self.archive.can_remove else 405, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._is_refused():
            return
        stored, failed = [], []
        for number, content in enumerate(parts_of(body, self.headers["Content-Type"])):
            if self.archive.cut_after == number:
                self.archive.is_silent = self.archive.is_silent_after
                self.close_connection = True
                return
            head = dcmread(io.BytesIO(content), stop_before_pixels=True)
            item = {"00081150": _value("UI", head.SOPClassUID), "00081155": _value("UI", head.SOPInstanceUID)}
            if head.SOPClassUID in self.archive.refused:
                failed.append({**item, "00081197": _value("US", self.archive.refused[head.SOPClassUID])})
            else:
                self.archive.put(content)
                stored.append(item)
        if self.archive.says_nothing:
            self._answer(200, b"", "text/plain")
            return
        answer = {"00081199": {"vr": "SQ", "Value": stored}, "00081198": {"vr": "SQ", "Value": failed}}
        self._answer(202 if stored and failed else 409 if failed else 200, json.dumps(answer).encode())

    def _parts(self) -> list[str]:
        return urlsplit(self.path).path.removeprefix("/dicom-web/").split("/")

    def _is_refused(self) -> bool:
        self.archive.requests.append((self.command, self.path))
        self.archive.headers.append(dict(self.headers))
        if self.archive.is_silent:
            self.close_connection = True
            return True
        status = self.archive.status or (0 if self.archive.accepts(self.headers.get("Authorization")) else 401)
        if status:
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        return bool(status)

    def _answer(self, status: int, body: bytes, kind: str = "application/dicom+json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _search(self, parts: list[str]) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        level = len(parts) // 2
        wanted = dict(zip(LEVELS, parts[1::2])) | {name: query[name] for name in SHOWN if name in query}
        found = {}
        for head in self.archive.heads():
            if all(str(head.get(name, "")) == value for name, value in wanted.items()):
                found[str(head[LEVELS[level]].value)] = head
        start, count = int(query.get("offset", 0)), min(int(query.get("limit", 1000)), self.archive.page)
        entries = list(found.values())[start : start + count]
        self._answer(200, json.dumps([_shown(head) for head in entries]).encode())

    def _send_object(self, uid: str) -> None:
        if uid not in self.archive.objects:
            self._answer(404, b"")
            return
        head = f"--{MARK}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = head + self.archive.objects[uid] + f"\r\n--{MARK}--".encode()
        self.send_response(200)
        self.send_header("Content-Type", f'multipart/related; type="application/dicom"; boundary="{MARK}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.archive.cut_answer else body)
        self.close_connection = self.archive.cut_answer


def _value(kind: str, value: object) -> dict[str, object]:
    return {"vr": kind, "Value": [value]}


def _shown(head) -> dict[str, object]:
    return {f"{head[name].tag:08X}": _value(head[name].VR, str(head[name].value)) for name in SHOWN if name in head}
