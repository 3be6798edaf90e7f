"""Measure `x2x serve` with the demo checkpoint: edits one after the other, many at once, and its memory.

    python benchmarks/service_load.py [--requests N] [--edits N] [--out FILE]

The service runs in a process of its own on loopback with its own limits: one worker, eight waiting. Memory is that of
the service and of the process that decodes uploads, as the system counts it (Linux).
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from x2x_core.imaging.provenance import versions

SAMPLE = Path(__file__).resolve().parent.parent / "models" / "sample" / "radiograph.png"
PROMPT = "Add the finding of moderate left pleural effusion."
_BOUNDARY = "x2x-benchmark"
_PATIENCE = 600.0  # seconds for the start, and for an answer


@contextmanager
def running_service() -> Iterator[tuple[str, int]]:
    """Yield the address and process number of a service, which ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "x2x_core.cli", "serve", "--port", str(port), "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + _PATIENCE
        while not _answers(f"{address}/api/health"):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("The service did not start.")
            time.sleep(0.5)
        yield address, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


def form(image: bytes) -> bytes:
    """Return the body of a request for an edit."""
    fields = {"prompt": PROMPT, "answer": "png"}
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode() for name, text in fields.items()]
    parts.append(b'Content-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + image)
    edge = f"--{_BOUNDARY}".encode()
    return b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + b"--\r\n"


def edit(address: str, body: bytes) -> tuple[int, float]:
    """Ask for an edit; return the status of the answer and seconds."""
    header = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    began = time.monotonic()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"{address}/api/edit", body, header), timeout=_PATIENCE
        ) as answer:
            answer.read()
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    return status, time.monotonic() - began


def memory_mib(process: int, name: str) -> int:
    """Return the memory of a process and its children in MiB: now ("VmRSS"), or the sum of their peaks ("VmHWM")."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    children = {int(child) for task in tasks for child in (task / "children").read_text().split()}
    lines = [line for one in (process, *children) for line in Path(f"/proc/{one}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) // 1024


def measure(requests: int, edits: int) -> dict[str, Any]:
    """Return seconds of single edits, the answers to `requests` edits at once, and memory before, after and at most."""
    body = form(SAMPLE.read_bytes())
    with running_service() as (address, process):
        edit(address, body)  # loads what is loaded at first use
        single = [edit(address, body) for _ in range(edits)]
        before = memory_mib(process, "VmRSS")
        began = time.monotonic()
        with ThreadPoolExecutor(requests) as pool:
            answers = list(pool.map(lambda _: edit(address, body), range(requests)))
        seconds = time.monotonic() - began
        after, most = memory_mib(process, "VmRSS"), memory_mib(process, "VmHWM")
    codes = Counter(status for status, _ in [*single, *answers])
    if set(codes) - {200, 503}:
        raise RuntimeError(f"The service answered {dict(codes)}.")
    refused = [time for status, time in answers if status == 503]
    return {
        "single_seconds": [round(time, 3) for _, time in single],
        "at_once": requests,
        "answered": requests - len(refused),
        "refused": len(refused),
        "seconds": round(seconds, 2),
        "longest_refusal_seconds": round(max(refused, default=0.0), 2),
        "memory_mib": {"before": before, "after": after, "largest": most},
    }


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=100, help="edits at once")
    parser.add_argument("--edits", type=int, default=5, help="edits one after the other")
    parser.add_argument("--out", type=Path, help="JSON file for the record")
    chosen = parser.parse_args()
    if min(chosen.requests, chosen.edits) < 1:
        parser.error("`--requests` and `--edits` must be at least 1.")
    found = measure(chosen.requests, chosen.edits)
    print(f"an edit, from request to answer: {statistics.median(found['single_seconds'])} s (median)")
    print(f"{found['at_once']} at once: {found['answered']} answered, {found['refused']} refused, {found['seconds']} s")
    print("memory: {before} MiB before them, {after} after, {largest} at most".format(**found["memory_mib"]))
    if chosen.out:
        record = {"versions": versions(), **found}
        chosen.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
