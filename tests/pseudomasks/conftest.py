"""The bundled atlas, and a folder of published masks."""

import numpy as np
import pytest

from x2x_core.pseudomasks.atlas import PseudomaskAtlas


@pytest.fixture(scope="module")
def bundled():
    return PseudomaskAtlas.bundled()


@pytest.fixture
def published(tmp_path):
    """A folder in the published layout, with two categories."""
    folder = tmp_path / "published"
    folder.mkdir()
    mask = np.zeros((512, 512), np.uint8)
    mask[300:500, 20:490] = 1
    np.save(folder / "pseudo_mask_Effusion.npy", mask)
    np.save(folder / "mask_Lung_Opacity.npy", mask[::-1])
    return folder
