"""Memory of long batches."""

import gc
from pathlib import Path

import pytest
from batch_cases import load_stub, plan_rows

from x2x_core.batch.manifest import read_manifest
from x2x_core.batch.opening import open_output
from x2x_core.batch.plan import Defaults
from x2x_core.batch.run import BatchSettings, run_batch

PAGE, MEMORY = 4096, Path("/proc/self/statm")


@pytest.mark.batch
@pytest.mark.skipif(not MEMORY.exists(), reason="needs /proc")
def test_memory_stays_flat_over_ten_thousand_rows(tmp_path, figures):
    manifest, seen = read_manifest(str(plan_rows(tmp_path, 10_000, films=100))), {}

    def watch(done, total, errors):
        if done and done % 1000 == 0:
            gc.collect()
            seen[done] = int(MEMORY.read_text().split()[1]) * PAGE / 2**20

    run_batch(manifest, open_output(str(tmp_path / "out")), Defaults(), BatchSettings(load_stub), watch)
    figures.append(f"{seen[1000]:.0f} MiB held at row 1000 of 10,000, {seen[10_000]:.0f} MiB at the last one")
    assert seen[10_000] - seen[1000] < 20, seen
