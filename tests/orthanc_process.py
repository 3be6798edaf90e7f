"""Orthanc on loopback, with a user and a password, DICOMweb and DIMSE, and a proxy that cuts connections."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
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
        both = folder / "both.pem"
        both.write_bytes(self.key.read_bytes() + self.certificate.read_bytes())
        self.both = both


class Orthanc:
    """An Orthanc; use it as a context.

    Args:
        folder: for its files.
        certificates: with them, HTTP and DIMSE are encrypted.
        largest: bytes of its largest file: a disk that is full for all that is larger.
        options: of its configuration.
    """

    def __init__(
        self, folder: Path, certificates: Certificates | None = None, largest: int | None = None, **options
    ) -> None:
        self.http, self.dicom, self.listen = free_port(), free_port(), free_port()
        self.folder, self._certificates, self._largest = folder, certificates, largest
        folder.mkdir(parents=True, exist_ok=True)
        self.root = f"http{'s' if certificates else ''}://127.0.0.1:{self.http}"
        self.web = f"{self.root}/dicom-web"
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
                "SslEnabled": True, "SslCertificate": str(certificates.both), "DicomTlsEnabled": True,
                "DicomTlsCertificate": str(certificates.certificate), "DicomTlsPrivateKey": str(certificates.key),
                "DicomTlsTrustedCertificates": str(certificates.authority),
            }  # fmt: skip
        self._configuration = folder / "orthanc.json"
        self._configuration.write_text(json.dumps(configuration))

    def __enter__(self) -> Orthanc:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        """Start it, and wait until it answers."""

        def limit() -> None:
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
        trusted = str(self._certificates.authority) if self._certificates else True
        answer = requests.request(
            method, self.root + path, auth=(USER, PASSWORD), verify=trusted, timeout=60, **options
        )
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


class CuttingProxy:
    """A proxy to a port that cuts a connection after some bytes in one direction; use it as a context.

    Args:
        port: of the server.
        sent: bytes to the server after which it cuts, counted for each connection; ``None``: never.
        received: the same for bytes from the server.
        at_cut: is called before.
    """

    def __init__(self, port: int, sent: int | None = None, received: int | None = None, at_cut=lambda: None) -> None:
        self._target, self._limits, self._at_cut = port, (sent, received), at_cut
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.cuts = 0

    def __enter__(self) -> CuttingProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            for source, target, limit in ((client, server, self._limits[0]), (server, client, self._limits[1])):
                threading.Thread(target=self._carry, args=(source, target, limit), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, limit: int | None) -> None:
        passed = 0
        try:
            while data := source.recv(4096):
                passed += len(data)
                if limit is not None and passed > limit:
                    self.cuts += 1
                    self._at_cut()
                    break
                target.sendall(data)
        except OSError:
            pass
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


assert os.name == "posix", "Orthanc's tests are for systems with POSIX limits"
