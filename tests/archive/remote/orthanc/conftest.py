"""Tests against a real Orthanc: `make test-archive` runs them, `make test` skips and lists them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SWITCH = "X2X_TEST_ARCHIVE"  # set by `make test-archive`

collect_ignore = [] if os.environ.get(SWITCH) else ["test_orthanc.py", "test_command.py"]


def pytest_terminal_summary(terminalreporter):
    if not os.environ.get(SWITCH):
        for file in sorted(HERE.glob("test_*.py")):
            terminalreporter.write_line(f"Not run: {file.relative_to(HERE.parents[3])}: `make test-archive` runs it.")


@pytest.fixture(autouse=True)
def installed():
    """Skip a test where Orthanc is not installed."""
    from orthanc_process import why_not

    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Return a self-made authority and a certificate."""
    from orthanc_process import Certificates

    return Certificates(tmp_path_factory.mktemp("certificates"))
