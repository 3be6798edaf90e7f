"""Fixtures of a real service: `make test-serve` runs the tests of load and page, `make test` skips and lists them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SWITCH = "X2X_TEST_SERVE"  # set by `make test-serve`

collect_ignore = [] if os.environ.get(SWITCH) else ["load", "page"]


FIGURES: list[str] = []


def pytest_terminal_summary(terminalreporter):
    for line in FIGURES:
        terminalreporter.write_line(line)
    if not os.environ.get(SWITCH):
        for file in sorted([*HERE.glob("load/test_*.py"), *HERE.glob("page/test_*.py")]):
            terminalreporter.write_line(f"Not run: {file.relative_to(ROOT)}: `make test-serve` runs it.")


@pytest.fixture
def figures():
    """Return the list of lines that are printed after the tests."""
    return FIGURES


@pytest.fixture(scope="session")
def service_folder(tmp_path_factory, tiny_folder):
    """Return a folder with the tiny checkpoint."""
    folder = tmp_path_factory.mktemp("service")
    os.symlink(tiny_folder, folder / "tiny", target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def service(service_folder):
    """Start `x2x serve` with the tiny model, and end it after the tests."""
    from service_process import ServiceProcess

    with ServiceProcess(service_folder, "--waiting", "8", "--max-megapixels", "4") as one:
        yield one
