"""A chest measured on the radiograph that ships."""

import numpy as np
import pytest

from x2x_core.anatomy.lungs import LungFinder
from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.files import read_image
from x2x_core.simulation.films.chest import measure_chest


@pytest.fixture(scope="session")
def film():
    """The bundled sample, `(H, W)` float32 in [0, 1]; don't change it."""
    return read_image(bundled_path("sample")).pixels[0].mean(0).numpy().astype(np.float32)


@pytest.fixture(scope="session")
def chest(film):
    return measure_chest(film, LungFinder.bundled())
