"""Fixtures of tests of the page in a real browser; `make test-study` runs them, `make test` skips and lists them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SWITCH = "X2X_TEST_STUDY"  # set by `make test-study`

collect_ignore_glob = [] if os.environ.get(SWITCH) else ["test_*.py"]


def pytest_terminal_summary(terminalreporter):
    if not os.environ.get(SWITCH):
        for file in sorted(HERE.glob("test_*.py")):
            terminalreporter.write_line(f"Not run: {file.relative_to(ROOT)}: `make test-study` runs it.")


@pytest.fixture(scope="session")
def browser():
    """Start Chromium without a window."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("There is no `chromium` on the path. Install it, or set CHROMIUM to a Chromium.")
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield one
        one.close()


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
    """Return the folder for screenshots: STUDY_SHOTS, or a temporary one."""
    folder = Path(os.environ.get("STUDY_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
