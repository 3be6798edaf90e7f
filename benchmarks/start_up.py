"""Measure start-up: importing the library, importing the pipeline, and a whole edit of the bundled sample.

    python benchmarks/start_up.py [REPEATS]

Each measurement is a fresh process; the first of each kind fills caches of disk and Python and is not counted. Printed
are medians of wall and CPU seconds. CPU time varies less on a busy machine; with several threads it exceeds wall time.
Set OMP_NUM_THREADS=1 to compare versions.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "Add the finding of moderate left pleural effusion."


def commands(out: Path) -> dict[str, list[str]]:
    """Return the arguments of Python for each measurement."""
    sample = str(ROOT / "models" / "sample" / "radiograph.png")
    return {
        "import torch": ["-c", "import torch"],
        "the stock pipeline": ["-c", "from diffusers import StableDiffusionInstructPix2PixPipeline"],
        "import x2x_core": ["-c", "import x2x_core"],
        "InstructX2XPipeline": ["-c", "from x2x_core import InstructX2XPipeline"],
        "x2x --version": ["-m", "x2x_core.cli", "--version"],
        "x2x edit": ["-m", "x2x_core.cli", "edit", sample, PROMPT, "-o", str(out), "--overwrite"],
    }


def run(arguments: list[str]) -> tuple[float, float]:
    """Run Python in a process of its own; return wall and CPU seconds.

    Raises:
        RuntimeError: it failed.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"`python {' '.join(arguments)}` failed with code {process.returncode}.")
    return wall, usage.ru_utime + usage.ru_stime


def main(repeats: str = "5") -> None:
    """Measure and print the medians."""
    with tempfile.TemporaryDirectory(prefix="start-up-") as folder:
        for name, arguments in commands(Path(folder) / "out").items():
            timings = [run(arguments) for _ in range(int(repeats) + 1)][1:]
            wall, cpu = (statistics.median(seconds) for seconds in zip(*timings, strict=True))
            print(f"{name:20} {wall:6.2f} s, CPU {cpu:6.2f} s", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
