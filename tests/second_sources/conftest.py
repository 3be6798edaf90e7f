"""Tests against libraries that need an environment of their own; `make test-measures` runs them, `make test` not."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent
SWITCH = "X2X_TEST_MEASURES"  # set by `make test-measures`

collect_ignore_glob = [] if os.environ.get(SWITCH) else ["test_*.py"]


def pytest_terminal_summary(terminalreporter):
    if not os.environ.get(SWITCH):
        for file in sorted(HERE.glob("test_*.py")):
            terminalreporter.write_line(f"Not run: {file.relative_to(HERE.parents[1])}: `make test-measures` runs it.")
