"""An isolated ComfyUI server with this repository as its only node pack, and its HTTP interface."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

# Suppress the dialogs of a first visit, and use the classic canvas.
SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.InstalledVersion": "99.0.0",
    "Comfy.Release.Status": "skipped",
    "Comfy.Workflow.Persist": False,
    "Comfy.VueNodes.Enabled": False,
    "Comfy.Userguide.Enabled": False,
    "Comfy.Minimap.Visible": False,
}
PATIENCE = 120  # timeout of a request in seconds, for a busy machine
# Messages in the log if a pack did not load.
IMPORT_FAULTS = ("IMPORT FAILED", "Cannot import", "Error while calling comfy_entrypoint", "Skip ")


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class ComfyServer:
    """A server process whose models, inputs, outputs and users are in `folder`.

    Args:
        checkout: a ComfyUI checkout.
        python: the Python that has ComfyUI's requirements and this project's.
        pack: the node pack, linked into `custom_nodes` as `InstructX2X`.
        folder: an empty folder for everything that the server reads and writes.
        port: to listen on; ``None``: a free one.
        more: folders of other packs to be linked beside it.
        page: the folder `static` of another version of the package comfyui-frontend-package; ``None``: the page that
            is installed.
    """

    def __init__(
        self, checkout: Path, python: str, pack: Path, folder: Path, port: int | None = None, more=(), page=None
    ):
        self.checkout, self.python, self.folder, self.page = Path(checkout), python, Path(folder), page
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.folder / "server.log"
        for name in ("custom_nodes", "input", "output", "temp", "user", "models"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "custom_nodes" / "InstructX2X").symlink_to(pack)
        for other in more:
            (self.folder / "custom_nodes" / other.name).symlink_to(other)
        self.process: subprocess.Popen | None = None

    def start(self, patience: float = 180) -> None:
        """Start the server, and wait until it responds and the pack is loaded."""
        if not (self.checkout / "main.py").is_file():
            raise ValueError(f"`COMFYUI_PATH` must be a ComfyUI checkout, got {self.checkout}.")
        if self._answers():
            raise RuntimeError(f"Port {self.port} is in use. Stop the process that uses it, or unset COMFYUI_PORT.")
        database = f"sqlite:///{self.folder / 'user' / 'comfyui.db'}"
        command = [self.python, "main.py", "--cpu", "--port", str(self.port), "--listen", "127.0.0.1"]
        command += ["--base-directory", str(self.folder), "--database-url", database, "--disable-api-nodes"]
        command += ["--front-end-root", str(self.page)] if self.page else []
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=self.checkout, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        self._wait_until_ready(patience)
        self._refuse_faulty_import()
        self.post("/api/settings", SETTINGS)

    def _wait_until_ready(self, patience: float) -> None:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"ComfyUI ended while starting:\n{self.log.read_text()[-4000:]}")
            if self._answers():
                return
            time.sleep(0.2)
        raise RuntimeError(f"ComfyUI did not answer in {patience:g} s:\n{self.log.read_text()[-4000:]}")

    def _answers(self) -> bool:
        try:
            self.get("/system_stats")
        except OSError:
            return False
        return True

    def _refuse_faulty_import(self) -> None:
        text = self.log.read_text()
        if any(fault in text for fault in IMPORT_FAULTS):
            raise RuntimeError(f"The pack did not load:\n{text[-6000:]}")

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)

    def get(self, path: str):
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or b"null")

    def post(self, path: str, body: dict) -> tuple[int, dict]:
        """Send a POST request, and return the status and the reply."""
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), kind)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            status, text = refused.code, refused.read()
        return status, json.loads(text) if text.strip().startswith((b"{", b"[")) else {}

    def queue(self, prompt: dict) -> tuple[int, dict]:
        """Queue a graph in API format, and return the status and the reply with `prompt_id` or errors."""
        return self.post("/prompt", {"prompt": prompt, "client_id": "tests"})

    def wait(self, prompt_id: str, patience: float = 300) -> dict:
        """Wait for the end of a prompt, and return its history entry."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            entry = self.get(f"/history/{prompt_id}").get(prompt_id)
            if entry and entry["status"]["status_str"] in ("success", "error"):
                return entry
            time.sleep(0.25)
        raise TimeoutError(f"Prompt {prompt_id} did not end in {patience:g} s.")

    def picture(self, output: dict) -> Image.Image:
        """Download the picture of an output in a history entry."""
        query = urllib.parse.urlencode({key: output.get(key, "") for key in ("filename", "subfolder", "type")})
        with urllib.request.urlopen(f"{self.url}/view?{query}", timeout=30) as answer:
            return Image.open(BytesIO(answer.read()))

    def pixels(self, output: dict) -> np.ndarray:
        """Download the picture of an output as an array, `(H, W, C)` uint8."""
        return np.asarray(self.picture(output).convert("RGB"))
