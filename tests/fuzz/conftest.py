"""A process that all tests of hostile input share, and what came of it."""

from __future__ import annotations

import pytest
from fuzz_child import MEMORY, Child

FIGURES: list[str] = []


@pytest.fixture(scope="session")
def child():
    one = Child()
    yield one
    one.close()
    FIGURES.append(f"{one.cases} cases of hostile input: {one.answers}, at most {one.peak / 2**20:.0f} MiB")
    assert one.peak < MEMORY


def pytest_terminal_summary(terminalreporter):
    for line in FIGURES:
        terminalreporter.write_line(line)
