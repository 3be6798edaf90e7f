"""How much slower ComfyUI starts with this pack: a real server, started in turns without and with it.

    python benchmarks/comfyui_start.py COMFYUI_CHECKOUT COMFYUI_PYTHON [STARTS]

Each start is timed from the command until the server says where its page is. The CPU time until then is given too: on a
machine that has other work to do it varies less. The last column is what ComfyUI itself counts for the pack's import.
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
    """One start: seconds on the clock and of the processor, and ComfyUI's own count of the pack's import."""

    wall: float
    cpu: float
    imported: float | None


def start(checkout: Path, python: str, folder: Path, port: int) -> Start:
    """Start the server that has everything in `folder`, and end it as soon as it is ready.

    Raises:
        RuntimeError: it ended before; the message has its last words.
    """
    command = [python, "main.py", "--cpu", "--port", str(port), "--disable-api-nodes", "--base-directory", str(folder)]
    command += ["--database-url", f"sqlite:///{folder / 'comfyui.db'}"]
    told, began = [], time.perf_counter()
    process = subprocess.Popen(
        command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    ready = None
    for line in process.stdout:
        told.append(line)
        if READY in line:
            ready = time.perf_counter() - began
            os.killpg(process.pid, signal.SIGKILL)
            break
    _, _, usage = os.wait4(process.pid, 0)
    if ready is None:
        raise RuntimeError(f"ComfyUI ended while starting:\n{''.join(told[-20:])}")
    counted = IMPORT.search("".join(told))
    return Start(ready, usage.ru_utime + usage.ru_stime, float(counted[1]) if counted else None)


def make_folder(parent: Path, with_pack: bool) -> Path:
    """A server's folder, with or without the pack among its custom nodes."""
    folder = parent / ("with" if with_pack else "without")
    for name in ("custom_nodes", "input", "output", "temp", "user", "models"):
        (folder / name).mkdir(parents=True)
    if with_pack:
        (folder / "custom_nodes" / NAME).symlink_to(PACK)
    return folder


def main(checkout: str, python: str, starts: str = "5") -> None:
    with tempfile.TemporaryDirectory(prefix="comfyui-start-") as parent:
        folders = {kind: make_folder(Path(parent), kind) for kind in (False, True)}
        python = os.path.abspath(os.path.expanduser(python)) if os.sep in python else python
        place = Path(checkout).expanduser().resolve()
        found: dict[bool, list[Start]] = {False: [], True: []}
        for number in range(int(starts) + 1):  # the first of each fills the disk's and Python's caches
            for kind in (False, True) if number % 2 else (True, False):
                one = start(place, python, folders[kind], 8700 + number)
                if number:
                    found[kind].append(one)
                    print(f"{'with' if kind else 'without':8} {one.wall:6.2f} s, CPU {one.cpu:6.2f} s", flush=True)
    for label, field in (("clock", "wall"), ("CPU", "cpu")):
        without, with_it = ([getattr(one, field) for one in found[kind]] for kind in (False, True))
        print(
            f"{label}: median {statistics.median(without):.2f} s without, {statistics.median(with_it):.2f} s with, "
            f"{statistics.median(with_it) - statistics.median(without):+.2f} s; fastest {min(without):.2f} s, "
            f"{min(with_it):.2f} s, {min(with_it) - min(without):+.2f} s"
        )
    counted = [one.imported for one in found[True] if one.imported is not None]
    print(f"ComfyUI's own count of the import: median {statistics.median(counted):.1f} s")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
