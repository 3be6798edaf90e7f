"""Distribution of work to processes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from x2x_core.common.processes import distribute


def test_a_killed_worker_is_reported():
    with pytest.raises(ChildProcessError, match=r"A process was killed.*Start again to continue"):
        list(distribute(os._exit, [9], 2))


def test_work_is_distributed_to_one_process_and_to_several():
    assert list(distribute(abs, iter([-1, 2]), 1)) == [1, 2]
    assert sorted(distribute(abs, iter(range(-20, 0)), 2)) == list(range(1, 21))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_workers_end_with_a_killed_parent(tmp_path):
    """Two workers of a process that is killed, which can't tell them to stop."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_processes import _say_and_wait, distribute\n"
        "if __name__ == '__main__':\n"
        "    list(distribute(_say_and_wait, [sys.argv[2]] * 2, 2))\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(code)
    arguments = [sys.executable, str(script), str(Path(__file__).parent), str(tmp_path)]
    parent = subprocess.Popen(arguments, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    while len(workers := list(tmp_path.glob("*.pid"))) < 2:
        assert parent.poll() is None
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 60
    while any(_is_alive(int(worker.stem)) for worker in workers):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(0.05)


def _say_and_wait(folder):
    Path(folder, f"{os.getpid()}.pid").touch()
    time.sleep(600)


def _is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False
