"""Tests that stand apart: the targets of the Makefile that run them, their order, and figures that tests print.

They are switched on by a variable of the environment. Without it their folders are not collected, and their files are
listed after the tests.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# From a folder to the variable that switches its tests on, and the target that sets it.
SWITCHES = {
    "archive/remote/orthanc": ("X2X_TEST_ARCHIVE", "test-archive"),
    "comfyui": ("X2X_TEST_COMFYUI", "test-comfyui"),
    "second_sources": ("X2X_TEST_MEASURES", "test-measures"),
    "service/load": ("X2X_TEST_SERVE", "test-serve"),
    "service/page": ("X2X_TEST_SERVE", "test-serve"),
    "study/page": ("X2X_TEST_STUDY", "test-study"),
}
FIGURES: list[str] = []
_SENT = "figures"


def pytest_ignore_collect(collection_path):
    """Leave out folders whose tests are not switched on."""
    for folder, (switch, _) in SWITCHES.items():
        if collection_path.is_relative_to(HERE / folder) and not os.environ.get(switch):
            return True
    return None


def pytest_collection_modifyitems(items):
    """Put the files of many short tests last: in several processes they fill the time that long files leave."""
    items.sort(key=lambda item: HERE / "language" in item.path.parents)


def pytest_sessionfinish(session):
    """Send the figures of a worker of pytest-xdist to the process that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_SENT] = FIGURES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Receive them."""
    FIGURES.extend((getattr(node, "workeroutput", None) or {}).get(_SENT, ()))


def pytest_terminal_summary(terminalreporter, config):
    """Print the figures, and the files of the collected folders that were not run."""
    for line in FIGURES:
        terminalreporter.write_line(line)
    asked = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    for folder, (switch, target) in SWITCHES.items():
        if os.environ.get(switch) or not any((HERE / folder).is_relative_to(path) for path in asked):
            continue
        for file in sorted((HERE / folder).glob("test_*.py")):
            terminalreporter.write_line(f"Not run: {file.relative_to(HERE.parent)}: `make {target}` runs it.")


@pytest.fixture(scope="session")
def figures():
    """Return the list of lines that are printed after the tests."""
    return FIGURES
