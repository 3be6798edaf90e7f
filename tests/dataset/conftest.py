"""A small copy of MIMIC and a dataset built from it, made once; don't change them."""

import shutil

import pytest
from build_cases import SETTINGS
from mimic_cases import MimicCase, make_mimic

from x2x_core.dataset.building import build_dataset


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


@pytest.fixture
def copy(mimic_case, tmp_path):
    """A copy of the small MIMIC that a test may spoil."""
    shutil.copytree(mimic_case.mimic.parent, tmp_path / "copy")
    return MimicCase(
        tmp_path / "copy" / mimic_case.mimic.name,
        tmp_path / "copy" / mimic_case.vqa.parent.name / mimic_case.vqa.name,
        [dict(study) for study in mimic_case.studies],
        [dict(row) for row in mimic_case.questions],
    )
