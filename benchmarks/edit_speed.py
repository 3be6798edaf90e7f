"""Measure how long an edit takes.

    python benchmarks/edit_speed.py [MODEL] [IMAGE]

Loads the model once, edits once to warm up, then three times, and prints the median seconds of loading, guidance and
edit, with the versions and the number of threads.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import torch

from x2x_core import InstructX2XPipeline
from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.files import read_image
from x2x_core.imaging.provenance import versions

PROMPT = "Add the finding of moderate right pleural effusion."
REPEATS = 3


def seconds(function: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main(model: str = "demo", image: str | None = None) -> None:
    """Measure and print."""
    started = time.perf_counter()
    pipe = InstructX2XPipeline.from_pretrained(model)
    pipe.set_progress_bar_config(disable=True)
    loading = time.perf_counter() - started
    pixels = read_image(image or bundled_path("sample")).pixels

    def find_guidance() -> None:
        pipe.guidance(pixels, PROMPT, generator=torch.Generator().manual_seed(0))

    def edit() -> None:
        pipe(pixels, PROMPT, generator=torch.Generator().manual_seed(0), output_type="pt")

    edit()
    guidance, whole = (statistics.median(seconds(call) for _ in range(REPEATS)) for call in (find_guidance, edit))
    print(f"load {loading:.2f} s, guidance {guidance:.2f} s ({guidance / whole:.0%} of an edit), edit {whole:.2f} s")
    print(json.dumps({"threads": torch.get_num_threads(), "size": list(pixels.shape), **versions()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
