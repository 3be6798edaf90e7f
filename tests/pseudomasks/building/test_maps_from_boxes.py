"""Maps from boxes: by finding, side and zone, with pools, and within their limits."""

import pytest
import torch
from box_cases import PLAIN, both_sides, make_boxes

from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.building.boxes import Box
from x2x_core.pseudomasks.building.maps_from_boxes import build_maps
from x2x_core.pseudomasks.building.smoothing import Smoothing


def test_findings_without_a_preferred_side_are_mirrored_and_the_heart_is_not():
    heart = [Box("Cardiomegaly", 0.53, 0.6, 0.45, 0.35, f"h{n}.png", f"h{n}") for n in range(40)]
    maps, metadata = build_maps(both_sides() + heart, smoothing=PLAIN)
    assert metadata["categories"]["Effusion"]["mirrored"] and not metadata["categories"]["Cardiomegaly"]["mirrored"]
    effusion, cardiomegaly = maps["Effusion"].probability(), maps["Cardiomegaly"].probability()
    assert torch.equal(effusion, effusion.flip(-1)) and not torch.equal(cardiomegaly, cardiomegaly.flip(-1))
    assert "Effusion/left" not in maps and "Effusion/right" in maps and "Cardiomegaly/right" not in maps


def test_a_finding_with_a_preferred_side_has_its_sides_learnt_apart():
    boxes = make_boxes(40, cx=0.3, cy=0.7) + [
        Box("Effusion", 0.7, 0.3, 0.2, 0.2, f"l{n}.png", f"l{n}") for n in range(2)
    ]
    maps, metadata = build_maps(boxes, smoothing=PLAIN)
    assert metadata["categories"]["Effusion"]["side_preference_p"] < 0.01
    assert maps["Effusion/right"].probability()[50, 22] > 0.9 and maps["Effusion/left"].probability()[22, 50] > 0.9
    assert maps["Effusion/left"].probability()[50, 50] < 0.1


def test_a_zone_is_learnt_from_the_boxes_there():
    boxes = make_boxes(40, cy=0.2) + [
        Box(b.category, b.cx, b.cy, b.width, b.height, "x" + b.image_id, "x" + b.patient_id)
        for b in make_boxes(40, cy=0.7, seed=1)
    ]
    maps, metadata = build_maps(boxes, smoothing=PLAIN)
    upper, lower = (maps[f"Effusion/right/{zone}"].probability() for zone in ("upper", "lower"))
    assert upper[14, 22] > 0.9 and upper[50, 22] < 0.05 and lower[50, 22] > 0.9 and lower[14, 22] < 0.05
    assert metadata["categories"]["Effusion"]["maps"]["Effusion/right/upper"]["boxes"] == 40
    assert "Effusion/right/middle" not in maps  # no box is centred there: cut from the finding's own map


def test_a_higher_coverage_gives_a_larger_mask():
    tight, loose = (build_maps(make_boxes(), smoothing=PLAIN, coverage=share)[0]["Effusion"] for share in (0.8, 0.98))
    assert tight.share < loose.share


def test_the_mask_of_a_place_is_no_larger_than_that_of_a_place_around_it():
    maps, _ = build_maps(both_sides(60), smoothing=Smoothing("kernel", 0.08, pseudo_boxes=10))
    for name, probability in maps.items():
        if name.startswith("Effusion/right"):
            parent = name.rsplit("/", 1)[0] if name.count("/") == 2 else "Effusion"
            assert probability.share <= maps[parent].share + 0.001  # equal probabilities stay together


def test_categories_that_a_table_lacks_are_pooled_and_few_boxes_are_left_out():
    boxes = make_boxes(20, "Pneumonia") + make_boxes(20, "Infiltrate", seed=1) + make_boxes(3, "Mass", seed=2)
    maps, metadata = build_maps(boxes, smoothing=PLAIN, resolution=32)
    assert sorted(metadata["categories"]) == ["Consolidation", "Infiltrate", "Lung Opacity", "Pneumonia"]
    assert metadata["categories"]["Consolidation"]["pooled_from"] == ["Infiltrate", "Pneumonia"]
    assert all(name in maps for name in metadata["categories"])


def test_building_does_not_depend_on_the_order_of_the_boxes():
    boxes = make_boxes()
    forward, backward = (PseudomaskAtlas(*build_maps(order, smoothing=PLAIN)) for order in (boxes, boxes[::-1]))
    assert torch.equal(forward.probability("Effusion"), backward.probability("Effusion"))
    assert forward.metadata == backward.metadata


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"coverage": 1.2}, "`coverage` must lie in"),
        ({"resolution": 4}, "`resolution`"),
        ({"fewest_boxes": 0}, "`fewest_boxes`"),
        ({"fewest_boxes": 1000}, "`boxes` must hold at least 1000"),
        ({"folds": 1}, "`folds` must lie between 2"),
    ],
)
def test_bad_parameters_are_named(parameters, words):
    with pytest.raises(ValueError, match=words):
        build_maps(make_boxes(), smoothing=PLAIN, **parameters)
