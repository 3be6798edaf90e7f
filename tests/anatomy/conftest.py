"""The bundled lung finder."""

import pytest

from x2x_core.anatomy.lungs import LungFinder


@pytest.fixture(autouse=True)
def _found_anew(found_anew):
    """The finder itself is tested here."""


@pytest.fixture(scope="module")
def finder():
    return LungFinder.bundled()
