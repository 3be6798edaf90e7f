"""Distribution of work to processes."""

import os

import pytest

from x2x_core.common.processes import distribute


def test_a_killed_worker_is_reported():
    with pytest.raises(ChildProcessError, match=r"A process was killed.*Start again to continue"):
        list(distribute(os._exit, [9], 2))


def test_work_is_distributed_to_one_process_and_to_several():
    assert list(distribute(abs, iter([-1, 2]), 1)) == [1, 2]
    assert sorted(distribute(abs, iter(range(-20, 0)), 3)) == list(range(1, 21))
