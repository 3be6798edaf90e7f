"""A small copy of MIMIC and a dataset built from it, made once; don't change them. Equal images are registered once."""

import shutil

import pytest
from build_cases import SETTINGS
from mimic_cases import MimicCase, make_mimic

from x2x_core.dataset import pair_images
from x2x_core.dataset.building import build_dataset


@pytest.fixture(scope="session", autouse=True)
def registered_once():
    """Keep the transforms that builds in this process find: the same pair gives the same one (`test_registration`).

    The search is most of what a build costs.
    """
    register, kept = pair_images.register, {}

    def find(past, current, kind):
        images = tuple((part.shape, part.tobytes()) for one in (past, current) for part in (one.pixels, one.valid))
        if (images, kind) not in kept:
            kept[images, kind] = register(past, current, kind)
        return kept[images, kind]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_images, "register", find)
        yield


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
