"""The bundled lung finder."""

import pytest

from x2x_core.anatomy.lungs import LungFinder


@pytest.fixture(scope="module")
def finder():
    return LungFinder.bundled()
