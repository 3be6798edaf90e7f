"""The garbage collector while heavy modules are imported: paused, and left as it was found."""

import gc

import pytest

from x2x_core.common.collector import paused_collector, rare_collection


def test_the_collector_is_paused_and_runs_again():
    with paused_collector():
        assert not gc.isenabled()
        with paused_collector():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), paused_collector():
        raise ImportError
    assert gc.isenabled()


def test_thresholds_are_raised_and_restored():
    before = gc.get_threshold()
    with rare_collection():
        assert gc.isenabled() and gc.get_threshold()[0] > 10_000
    assert gc.get_threshold() == before
    with pytest.raises(SystemExit), rare_collection():
        raise SystemExit
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0  # only the interpreter's exit exempts what lives
