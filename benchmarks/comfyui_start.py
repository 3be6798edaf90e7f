"""Measure how much slower ComfyUI starts with this pack: a real server, started in turns without and with it.

    python benchmarks/comfyui_start.py COMFYUI_CHECKOUT COMFYUI_PYTHON [STARTS]

Each start is timed from the command until the server prints the address of its page. The CPU time until then is printed
too, since it varies less on a busy machine. The last line is ComfyUI's own measurement of the pack's import.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PACK = Path(__file__).resolve().parent.parent
NAME = "InstructX2X"
READY = "To see the GUI go to"
IMPORT = re.compile(rf"([\d.]+) seconds: \S+{NAME}\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Start:
    """One start: wall and CPU seconds, and ComfyUI's own measurement of the pack's import."""

    wall: float
    cpu: float
    imported: float | None


def start(checkout: Path, python: str, folder: Path, port: int) -> Start:
    """Start a server on a folder, and stop it as soon as it is ready.

    Raises:
        RuntimeError: the server ended before it was ready; the message holds its last lines.
    """
    command = [python, "main.py", "--cpu", "--port", str(port), "--disable-api-nodes", "--base-directory", str(folder)]
    command += ["--database-url", f"sqlite:///{folder / 'comfyui.db'}"]
    lines, started = [], time.perf_counter()
    process = subprocess.Popen(
        command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    ready = None
    for line in process.stdout:
        lines.append(line)
        if READY in line:
            ready = time.perf_counter() - started
            os.killpg(process.pid, signal.SIGKILL)
            break
    _, _, usage = os.wait4(process.pid, 0)
    if ready is None:
        raise RuntimeError(f"ComfyUI ended while starting:\n{''.join(lines[-20:])}")
    match = IMPORT.search("".join(lines))
    return Start(ready, usage.ru_utime + usage.ru_stime, float(match[1]) if match else None)


def make_folder(parent: Path, with_pack: bool) -> Path:
    """Make a server's folder, with or without the pack among its custom nodes."""
    folder = parent / ("with" if with_pack else "without")
    for name in ("custom_nodes", "input", "output", "temp", "user", "models"):
        (folder / name).mkdir(parents=True)
    if with_pack:
        (folder / "custom_nodes" / NAME).symlink_to(PACK)
    return folder


def main(checkout: str, python: str, starts: str = "5") -> None:
    """Start the servers in turns and print the medians."""
    with tempfile.TemporaryDirectory(prefix="comfyui-start-") as parent:
        folders = {kind: make_folder(Path(parent), kind) for kind in (False, True)}
        python = os.path.abspath(os.path.expanduser(python)) if os.sep in python else python
        folder = Path(checkout).expanduser().resolve()
        measured: dict[bool, list[Start]] = {False: [], True: []}
        for number in range(int(starts) + 1):  # the first of each fills caches of disk and Python
            for kind in (False, True) if number % 2 else (True, False):
                timing = start(folder, python, folders[kind], 8700 + number)
                if number:
                    measured[kind].append(timing)
                    print(
                        f"{'with' if kind else 'without':8} {timing.wall:6.2f} s, CPU {timing.cpu:6.2f} s", flush=True
                    )
    for label, field in (("clock", "wall"), ("CPU", "cpu")):
        without, with_it = ([getattr(timing, field) for timing in measured[kind]] for kind in (False, True))
        print(
            f"{label}: median {statistics.median(without):.2f} s without, {statistics.median(with_it):.2f} s with, "
            f"{statistics.median(with_it) - statistics.median(without):+.2f} s; fastest {min(without):.2f} s, "
            f"{min(with_it):.2f} s, {min(with_it) - min(without):+.2f} s"
        )
    imported = [timing.imported for timing in measured[True] if timing.imported is not None]
    print(f"ComfyUI's own measurement of the import: median {statistics.median(imported):.1f} s")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
