"""How long an edit takes: python benchmarks/edit_speed.py [MODEL] [IMAGE]

Loads the model once, edits once to warm up, then three times, and prints the parts' medians in seconds and as shares
of the whole edit, with the versions and the number of threads.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import torch

from x2x_core import InstructX2XPipeline
from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.files import read_image
from x2x_core.imaging.provenance import versions

PROMPT = "Add the finding of moderate right pleural effusion."
REPEATS = 3


def seconds(function) -> float:
    """How long a call takes."""
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

    def look():
        pipe.guidance(pixels, PROMPT, generator=torch.Generator().manual_seed(0))

    def edit():
        pipe(pixels, PROMPT, generator=torch.Generator().manual_seed(0), output_type="pt")

    edit()
    guidance, whole = (statistics.median(seconds(call) for _ in range(REPEATS)) for call in (look, edit))
    print(f"load {loading:.2f} s, guidance {guidance:.2f} s ({guidance / whole:.0%} of an edit), edit {whole:.2f} s")
    print(json.dumps({"threads": torch.get_num_threads(), "size": list(pixels.shape), **versions()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
