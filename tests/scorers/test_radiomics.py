"""Tests of which of pyradiomics' values are features; `make test-measures` compares them with frd-score's."""

import numpy as np

from x2x_core.scorers.radiomics import numbers_of


def test_numbers_are_features_also_those_among_the_diagnostics():
    found = {
        "diagnostics_Versions_PyRadiomics": "v3.0.1",
        "diagnostics_Configuration_Settings": {"binWidth": 5},
        "diagnostics_Image-original_Spacing": (1.0, 1.0, 1.0),
        "diagnostics_Image-original_Mean": 0.5,
        "diagnostics_Mask-original_VoxelNum": 63,
        "original_firstorder_Energy": np.array(3.0),
        "original_glcm_Id": np.float64(0.25),
    }
    assert numbers_of(found) == [0.5, 63.0, 3.0, 0.25]
