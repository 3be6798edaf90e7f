"""The segmented phantom, made once; don't change it."""

import pytest

from x2x_core.simulation.phantom import phantom_ct
from x2x_core.simulation.thorax import segment_thorax

SPACING = (6.0, 6.0, 6.0)


@pytest.fixture(scope="session")
def thorax():
    """The phantom's chest at 6 mm."""
    return segment_thorax(phantom_ct(), SPACING)
