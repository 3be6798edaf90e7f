"""A process that all tests of hostile input share, and what came of it."""

from __future__ import annotations

import pytest
from fuzz_child import MEMORY, Child


@pytest.fixture(scope="session")
def child(figures):
    one = Child()
    yield one
    one.close()
    figures.append(f"{one.cases} cases of hostile input: {one.answers}, at most {one.peak / 2**20:.0f} MiB")
    assert one.peak < MEMORY
