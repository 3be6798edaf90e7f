"""The model of boxes: sides by the sign test, and maps of few boxes shrunk towards all findings."""

import pytest
from box_cases import both_sides, make_boxes

from x2x_core.pseudomasks.building.model import AtlasModel, BoxGroup, side_preference
from x2x_core.pseudomasks.building.smoothing import Smoothing
from x2x_core.pseudomasks.maps import Place


def test_a_preferred_side_is_found_by_the_sign_test_over_patients():
    assert side_preference(BoxGroup.of(make_boxes(20))) == pytest.approx(2 / 2**10)  # 10 patients, all on one side
    assert side_preference(BoxGroup.of(both_sides(40))) == 1
    assert side_preference(BoxGroup.of(make_boxes(1) + make_boxes(1, cx=0.7))) == 1  # one patient, both sides


def test_maps_of_few_boxes_are_shrunk_towards_those_of_all_findings():
    many = BoxGroup.of(make_boxes(60, "Mass", cy=0.7))
    few = BoxGroup.of(make_boxes(4, "Nodule", cy=0.3, seed=1))
    groups = {"Mass": many, "Nodule": few}
    alone, drawn = (
        AtlasModel(groups, Smoothing("kernel", 0.04, pseudo_boxes=weight), 48, list(groups)).probability(
            "Nodule", Place()
        )
        for weight in (0, 10)
    )
    assert alone[33, 14] < 0.01 < 0.1 < drawn[33, 14] and drawn[14, 14] > 0.05
