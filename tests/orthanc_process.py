"""Orthanc on loopback, with a user and a password, DICOMweb and DIMSE, and proxies."""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import requests

PROGRAM = shutil.which("Orthanc")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "lab", "a password of the tests"
PATIENCE = 120  # seconds to start, on a busy machine
TITLE = "ORTHANC"


def why_not() -> str | None:
    """Return why Orthanc cannot be started here, ``None`` if it can."""
    if PROGRAM is None:
        return "Orthanc is not installed (Debian: apt-get install orthanc orthanc-dicomweb)"
    return None if PLUGIN.exists() else f"there is no DICOMweb plugin at {PLUGIN}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Certificates:
    """A self-made authority, and a certificate of this machine's loopback address that it signed."""

    def __init__(self, folder: Path) -> None:
        self.authority, self.certificate, self.key = (folder / name for name in ("ca.pem", "own.pem", "own.key"))
        authority_key, request, extension = (folder / name for name in ("ca.key", "own.csr", "own.ext"))
        extension.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        new = ["openssl", "req", "-nodes", "-newkey", "rsa:2048", "-batch"]
        for command in (
            [*new, "-x509", "-days", "2", "-subj", "/CN=tests", "-keyout", authority_key, "-out", self.authority],
            [*new, "-subj", "/CN=localhost", "-keyout", self.key, "-out", request],
            ["openssl", "x509", "-req", "-in", request, "-CA", self.authority, "-CAkey", authority_key,
             "-CAcreateserial", "-days", "2", "-extfile", extension, "-out", self.certificate],
        ):  # fmt: skip
            subprocess.run(list(map(str, command)), check=True, capture_output=True)

    def server(self) -> ssl.SSLContext:
        """Return the TLS settings of a server."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.certificate, self.key)
        return made


class Orthanc:
    """An Orthanc; use it as a context.

    Args:
        folder: for its files.
        certificates: with them, DIMSE is encrypted, and a proxy with TLS stands before HTTP: Orthanc 1.10.1, as Debian
            has it, ends with a segmentation fault at its first request over HTTPS.
        largest: bytes of its largest file: a disk that is full for all that is larger.
        options: of its configuration.
    """

    def __init__(
        self, folder: Path, certificates: Certificates | None = None, largest: int | None = None, **options
    ) -> None:
        self.http, self.dicom, self.listen = free_port(), free_port(), free_port()
        self.folder, self._certificates, self._largest = folder, certificates, largest
        folder.mkdir(parents=True, exist_ok=True)
        self.root = f"http://127.0.0.1:{self.http}"
        self._front = Proxy(self.http, tls=certificates.server()) if certificates else None
        self.web = f"https://127.0.0.1:{self._front.port}/dicom-web" if self._front else f"{self.root}/dicom-web"
        self.dimse = f"dicom{'s' if certificates else ''}://{TITLE}@127.0.0.1:{self.dicom}"
        configuration = {
            "Name": "tests", "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"),
            "HttpPort": self.http, "DicomPort": self.dicom, "DicomAet": TITLE, "DicomCheckCalledAet": True,
            "RemoteAccessAllowed": False, "AuthenticationEnabled": True, "RegisteredUsers": {USER: PASSWORD},
            "Plugins": [str(PLUGIN)], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"}, "DicomAlwaysAllowEcho": True,
            "DicomModalities": {
                "x2x": {"AET": "X2X", "Host": "127.0.0.1", "Port": self.listen, "UseDicomTls": bool(certificates)}
            },
            "HttpThreadsCount": 8, "ConcurrentJobs": 1, "OverwriteInstances": False, "DicomAlwaysAllowStore": False,
            **options,
        }  # fmt: skip
        if certificates:
            configuration |= {
                "DicomTlsEnabled": True,
                "DicomTlsCertificate": str(certificates.certificate), "DicomTlsPrivateKey": str(certificates.key),
                "DicomTlsTrustedCertificates": str(certificates.authority),
            }  # fmt: skip
        self._configuration = folder / "orthanc.json"
        self._configuration.write_text(json.dumps(configuration))

    def __enter__(self) -> Orthanc:
        self.start()
        if self._front:
            self._front.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._front:
            self._front.__exit__()
        self.end()

    def start(self) -> None:
        """Start it, and wait until it answers."""

        def limit() -> None:
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as systemd starts it: a client that leaves must not end it
            if self._largest is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (self._largest, self._largest))

        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), str(self._configuration)], stdout=log, stderr=log, preexec_fn=limit
            )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.ask("/system")
                return
            except requests.exceptions.ConnectionError:
                time.sleep(0.1)
        raise AssertionError(f"Orthanc did not start: {(self.folder / 'log').read_text()[-2000:]}")

    def end(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(20)

    def ask(self, path: str, method: str = "GET", **options) -> requests.Response:
        """Ask its own API."""
        answer = requests.request(method, self.root + path, auth=(USER, PASSWORD), timeout=60, **options)
        answer.raise_for_status()
        return answer

    def put(self, content: bytes) -> None:
        """Add an instance."""
        self.ask("/instances", "POST", data=content)

    def files(self) -> dict[str, bytes]:
        """Return the files of all instances by their SOP instance UIDs."""
        found = {}
        for each in self.ask("/instances?expand").json():
            found[each["MainDicomTags"]["SOPInstanceUID"]] = self.ask(f"/instances/{each['ID']}/file").content
        return found

    def environment(self, **more: str) -> dict[str, str]:
        """Return variables with valid credentials."""
        own = {"X2X_ARCHIVE_USER": USER, "X2X_ARCHIVE_PASSWORD": PASSWORD}
        if self._certificates:
            own |= {
                "X2X_ARCHIVE_CA": str(self._certificates.authority),
                "X2X_ARCHIVE_CERTIFICATE": str(self._certificates.certificate),
                "X2X_ARCHIVE_KEY": str(self._certificates.key),
            }
        return {**own, **more}


class Proxy:
    """A proxy to a port of this machine, with TLS in front of it or cutting connections; use it as a context.

    Args:
        port: of the server.
        sent: bytes to the server, of one connection, after which it cuts that one and no other; ``None``: never.
        received: the same for bytes from the server.
        at_cut: is called before.
        tls: settings of the side of the client.
    """

    def __init__(self, port: int, sent=None, received=None, at_cut=lambda: None, tls=None) -> None:
        self._target, self._limits, self._at_cut, self._tls = port, (sent, received), at_cut, tls
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.cuts = 0

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            with client, socket.create_connection(("127.0.0.1", self._target)) as server:
                self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        passed = {client: 0, server: 0}
        limits = dict(zip((client, server), self._limits))
        while True:
            for source in select.select([client, server], [], [])[0]:
                data = source.recv(2**16)  # more than a TLS record: none waits inside
                passed[source] += len(data)
                limit = limits[source]
                if not data:
                    return
                if limit is not None and passed[source] > limit and not self.cuts:
                    self.cuts += 1
                    self._at_cut()
                    return
                (server if source is client else client).sendall(data)


assert os.name == "posix", "Orthanc's tests are for systems with POSIX limits"
