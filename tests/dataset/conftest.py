"""A small copy of MIMIC and a dataset built from it, made once; don't change them."""

import pytest
from mimic_cases import make_mimic

from x2x_core.dataset.building import build_dataset
from x2x_core.dataset.settings import BuildSettings

SETTINGS = BuildSettings(size=64)


@pytest.fixture(scope="session")
def mimic_case(tmp_path_factory):
    """Six patients, 24 studies."""
    return make_mimic(tmp_path_factory.mktemp("mimic"), patients=6, size=96)


@pytest.fixture(scope="session")
def built(mimic_case, tmp_path_factory):
    """The dataset of the copy, 64 pixels to a side."""
    return build_dataset(
        mimic_case.mimic, mimic_case.vqa, tmp_path_factory.mktemp("built") / "set", SETTINGS, workers=1
    )
