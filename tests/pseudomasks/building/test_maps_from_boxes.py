"""Building an atlas: smoothing, statistics by side and zone, calibration."""

import numpy as np
import pytest
import torch

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.pseudomasks.atlas import PseudomaskAtlas
from x2x_core.pseudomasks.building.boxes import Box
from x2x_core.pseudomasks.building.calibration import (
    CrossValidation,
    calibrate,
    choose_smoothing,
    held_out,
    split_patients,
    weighted_quantile,
)
from x2x_core.pseudomasks.building.making import build_atlas
from x2x_core.pseudomasks.building.maps_from_boxes import build_maps
from x2x_core.pseudomasks.building.model import AtlasModel, BoxGroup, side_preference
from x2x_core.pseudomasks.building.smoothing import Smoothing, count, smooth
from x2x_core.pseudomasks.maps import MASK_RESOLUTION, Place, ProbabilityMap

PLAIN = Smoothing("kernel", 0.04)


def make_boxes(count=40, category="Effusion", cx=0.3, cy=0.6, seed=0, spread=0.02):
    draws = np.random.default_rng(seed)
    return [
        Box(category, cx + draws.normal(0, spread), cy + draws.normal(0, spread), 0.2, 0.2, f"{n}.png", f"{n // 2}")
        for n in range(count)
    ]


def both_sides(count=40, category="Effusion", seed=0):
    right = make_boxes(count, category, seed=seed)
    return [box if n % 4 < 2 else Box(category, 1 - box.cx, box.cy, 0.2, 0.2, box.image_id, box.patient_id)
            for n, box in enumerate(right)]  # fmt: skip


# -- smoothing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "smoothing",
    [Smoothing("frequency", 0.03), PLAIN, Smoothing("kernel", 0.03, size_bandwidth=0.1),
     Smoothing("kernel", 0.03, adaptivity=0.5)],
)  # fmt: skip
def test_a_smoothed_box_holds_as_much_as_the_box_and_spreads_beyond_it(smoothing):
    rectangles = np.array([[0.5, 0.5, 0.25, 0.4], [0.45, 0.5, 0.25, 0.4]])
    probability = smooth(rectangles, smoothing, 80)
    assert probability.min() >= 0 and probability.max() <= 1
    assert probability.mean() == pytest.approx(0.1, rel=0.03)
    assert probability[40, 40] > 0.9 and 0 < probability[40, 24] < 0.2


def test_the_kernel_is_the_mean_over_boxes_with_shifted_centres():
    box = np.array([[0.5, 0.4, 0.3, 0.2]])
    draws = np.random.default_rng(0).normal(0, 0.05, (4000, 2))
    shifted = np.repeat(box, 4000, axis=0)
    shifted[:, :2] += draws
    expected = count(shifted, 64) / 4000
    assert np.abs(smooth(box, Smoothing("kernel", 0.05), 64) - expected).max() < 0.05


def test_rare_boxes_are_spread_more_widely_where_the_bandwidth_adapts():
    rectangles = np.concatenate([np.tile([0.3, 0.3, 0.1, 0.1], (30, 1)), [[0.7, 0.7, 0.1, 0.1]]])
    fixed, adapted = (smooth(rectangles, Smoothing("kernel", 0.03, adaptivity=a), 64) for a in (0.0, 0.5))
    assert adapted[45, 45] < fixed[45, 45] and adapted[19, 19] > fixed[19, 19]


def test_no_boxes_give_zeros_and_every_box_a_pixel():
    assert not smooth(np.zeros((0, 4)), PLAIN, 32).any()
    assert count(np.array([[0.5, 0.5, 1e-6, 1e-6], [1.0, 1.0, 1e-6, 1e-6]]), 16).sum() == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [({"method": "magic"}, "`method`"), ({"bandwidth": 0}, "`bandwidth`"), ({"pseudo_boxes": -1}, "`pseudo_boxes`")],
)
def test_bad_smoothing_is_named(values, words):
    with pytest.raises(ValueError, match=words):
        Smoothing(**values)


# -- sides and zones --------------------------------------------------------------------------------------------------


def test_a_preferred_side_is_told_by_the_sign_test_over_patients():
    assert side_preference(BoxGroup.of(make_boxes(20))) == pytest.approx(2 / 2**10)  # 10 patients, all on one side
    assert side_preference(BoxGroup.of(both_sides(40))) == 1
    assert side_preference(BoxGroup.of(make_boxes(1) + make_boxes(1, cx=0.7))) == 1  # one patient, both sides


def test_findings_without_a_preferred_side_are_mirrored_and_the_hearts_is_not():
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


def test_few_boxes_are_drawn_toward_those_of_all_findings():
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


# -- calibration ------------------------------------------------------------------------------------------------------


def test_the_weighted_quantile():
    values, weights = np.array([0.3, 0.1, 0.2]), np.array([1.0, 1.0, 2.0])
    assert [weighted_quantile(values, weights, share) for share in (0.25, 0.26, 0.75, 1.0)] == [0.1, 0.2, 0.2, 0.3]


def test_patients_are_dealt_evenly_and_never_split():
    fold_of = split_patients([box.patient_id for box in make_boxes(40)], 5, seed=0)
    assert np.bincount(list(fold_of.values())).tolist() == [4] * 5
    with pytest.raises(ValueError, match="`folds` must lie between 2"):
        split_patients(["a", "b"], 3, seed=0)


def test_a_cut_holds_more_than_was_asked_for_where_boxes_are_few():
    groups = {"Effusion": BoxGroup.of(make_boxes(60, spread=0.08))}
    asked = held_out(groups, PLAIN, CrossValidation(48, ["Effusion"], 5, 0))
    levels = asked["Effusion", Place()]
    assert levels.boxes == 60
    cut = calibrate(asked, 0.9)["Effusion", Place()]
    inside = levels.weights[levels.mass <= cut].sum() / levels.weights.sum()
    assert 0.9 < inside < 0.93


def test_the_smoothing_with_the_smallest_regions_is_chosen():
    groups = {"Effusion": BoxGroup.of(make_boxes(60, spread=0.05))}
    good, bad = PLAIN, Smoothing("kernel", 0.3)
    chosen, table = choose_smoothing(groups, CrossValidation(48, ["Effusion"], 5, 0), 0.97, (bad, good))
    assert chosen == good
    assert table[1]["editable_share"]["mean"] < table[0]["editable_share"]["mean"] and table[0]["bandwidth"] == 0.3


def test_more_coverage_opens_more():
    tight, loose = (build_maps(make_boxes(), smoothing=PLAIN, coverage=share)[0]["Effusion"] for share in (0.8, 0.98))
    assert tight.share < loose.share


def test_no_place_opens_more_than_what_it_is_part_of():
    maps, _ = build_maps(both_sides(60), smoothing=Smoothing("kernel", 0.08, pseudo_boxes=10))
    for name, probability in maps.items():
        if name.startswith("Effusion/right"):
            parent = name.rsplit("/", 1)[0] if name.count("/") == 2 else "Effusion"
            assert probability.share <= maps[parent].share + 0.001  # equal probabilities stay together


# -- maps -------------------------------------------------------------------------------------------------------------


def test_a_probability_survives_as_bytes_and_its_region_holds_the_mass():
    values = smooth(np.array([[0.5, 0.5, 0.4, 0.3]]), PLAIN, 64)
    coded = ProbabilityMap.of(values, 0.9)
    assert np.abs(coded.probability().numpy() - values).max() < 0.005
    fine = coded.probability(MASK_RESOLUTION)
    assert float(fine[fine >= coded.cut].sum() / fine.sum()) == pytest.approx(0.9, abs=0.003)
    assert torch.equal(coded.mask() >= EDGE_LEVEL, fine >= coded.cut)
    assert ProbabilityMap.of(values, 0.9, largest=0.05).share == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize(
    ("values", "mass"), [(np.zeros((4, 4)), 0.9), (np.full((4, 4), 2.0), 0.9), (np.ones((4, 4)), 0)]
)
def test_what_is_no_probability_is_refused(values, mass):
    with pytest.raises(ValueError, match="`probability` must lie in"):
        ProbabilityMap.of(values, mass)


# -- atlases ----------------------------------------------------------------------------------------------------------


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


def test_the_same_table_gives_the_same_bytes(tmp_path):
    rows = ["Image Index,Finding Label,Bbox [x,y,w,h],,,"]
    rows += [f"{n:08d}_000.png,Effusion,{200 + 2 * n},600,200,200" for n in range(40)]
    table = tmp_path / "boxes.csv"
    table.write_text("\n".join(rows))
    outs = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for out in outs:
        atlas = build_atlas([table], out, folds=2, resolution=24)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert atlas.metadata["tables"][0]["file"] == "boxes.csv" and atlas.metadata["held_out"]["folds"] == 2
    assert len(atlas.metadata["candidates"]) > 5


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


def test_an_atlas_needs_a_table(tmp_path):
    with pytest.raises(ValueError, match="`box_paths`"):
        build_atlas([], tmp_path / "a.safetensors")
