"""`x2x serve` in a process of its own, on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

PATIENCE = 600  # seconds to start, on a busy machine


class ServiceProcess:
    """A service; use it as a context.

    Args:
        folder: the current one of the process, with the checkpoint "tiny".
        options: of `x2x serve`.
        environment: variables beside this process's own.
    """

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.scratch = folder / f"tmp-{self.port}"
        self.scratch.mkdir()
        self._log = folder / f"log-{self.port}"
        self._folder = folder
        self._command = [
            sys.executable, "-m", "x2x_core.cli", "serve", "--model", "tiny", "--port", str(self.port),
            "--device", "cpu", *options,
        ]  # fmt: skip
        self._environment = {**os.environ, "TMPDIR": str(self.scratch), **(environment or {})}

    def __enter__(self) -> ServiceProcess:
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                httpx2.get(f"{self.address}/api/health", timeout=5)
                return self
            except httpx2.TransportError:
                time.sleep(0.5)
        self.__exit__()
        raise AssertionError(f"The service did not start: {self.log()}")

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        """Return what the process printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def files(self) -> list[Path]:
        """Return the uploads that it has on its disk."""
        return [path for path in self.scratch.glob("x2x-serve-*/**/*") if path.is_file()]

    def memory(self, name: str = "VmRSS") -> int:
        """Return the memory of the service and its children in MiB: now, or the most so far ("VmHWM")."""
        return sum(_memory(process, name) for process in [self.process.pid, *self.children()])

    def children(self) -> list[int]:
        """Return the processes that the service started."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sorted({int(child) for thread in threads for child in (thread / "children").read_text().split()})

    def reader(self) -> int:
        """Return the process that decodes uploads, which holds the libraries."""
        return max(self.children(), key=lambda child: _memory(child, "VmRSS"))


def _memory(process: int, name: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith(name)), 0)
