"""Reading, writing and resampling of CTs."""

import numpy as np
import pytest

from x2x_core.simulation.ct import load_ct, resample, save_volume
from x2x_core.simulation.phantom import phantom_ct


def test_a_saved_volume_is_read_back_equal(tmp_path):
    volume = phantom_ct((12.0, 12.0, 12.0))
    save_volume(volume, tmp_path / "ct.npz")
    again = load_ct(tmp_path / "ct.npz")
    assert (again.hu == volume.hu.round()).all() and again.spacing == volume.spacing and again.source == volume.source
    assert resample(volume, (24.0, 12.0, 12.0)).hu.shape[0] == round(volume.hu.shape[0] / 2)


def test_unusable_volumes_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="`ct` must be a folder"):
        load_ct(tmp_path / "nothing")
    with pytest.raises(ValueError, match="at least 20 axial CT slices"):
        load_ct(tmp_path)
    np.savez(tmp_path / "bad.npz", hu=np.zeros(3))
    with pytest.raises(ValueError, match=r"lacks \['source', 'spacing'\]"):
        load_ct(tmp_path / "bad.npz")
