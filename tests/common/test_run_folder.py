"""Folders of runs: claimed by one run, locked by one process, whose end releases the lock."""

import os
import signal
import subprocess
import sys

import pytest

from x2x_core.common.errors import InputError, OutputExistsError
from x2x_core.common.run_folder import claim_folder, locked

HOLD = (
    "import sys, time; from pathlib import Path; from x2x_core.common.run_folder import locked\n"
    "with locked(Path(sys.argv[1]), 'refused', shared=sys.argv[2] == 'shared'):\n"
    "    print('held', flush=True); time.sleep(100)"
)


def test_a_run_claims_a_new_folder_and_its_own_alone(tmp_path):
    out = tmp_path / "out"
    for _ in range(2):
        claim_folder(out, "run.json", {"seed": 1, "steps": (2, 3)})
    with pytest.raises(InputError, match="was made with another seed, steps"):
        claim_folder(out, "run.json", {"seed": 2}, conflict="was made with another {changed}")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        claim_folder(tmp_path / "other", "run.json", {})
    claim_folder(tmp_path / "other", "run.json", {}, beside=("mine.txt",))


def test_a_claim_that_was_killed_half_written_is_claimed_again(tmp_path):
    (tmp_path / ".run.json.77.partial").write_text("{")
    claim_folder(tmp_path, "run.json", {"seed": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(("held", "wanted", "is_free"), [(0, 0, False), (0, 1, False), (1, 0, False), (1, 1, True)])
def test_a_lock_excludes_others_until_its_process_is_killed(tmp_path, held, wanted, is_free):
    path = tmp_path / "work" / "lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path, "shared" if held else "alone"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        if is_free:
            with locked(path, "refused", shared=bool(wanted)):
                pass
        else:
            with pytest.raises(OutputExistsError, match="refused"), locked(path, "refused", shared=bool(wanted)):
                pass
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    with locked(path, "refused"):
        pass


def test_a_place_that_cannot_be_written_is_no_lock_of_another(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="must be a place that can be written"), locked(tmp_path / "file" / "a", "no"):
        pass
