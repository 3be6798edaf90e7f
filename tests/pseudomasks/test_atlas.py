"""The pseudomask atlas: every instruction's region is tight, complete and in its place."""

import pytest
import torch
from atlas_cases import ask, probabilities
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core.anatomy.sites import EDGE_LEVEL
from x2x_core.language.vocabulary import FINDINGS
from x2x_core.pseudomasks.atlas import PseudomaskAtlas


def test_the_bundled_atlas_says_where_it_comes_from(bundled):
    (table,) = bundled.metadata["tables"]
    assert table["format"] == "NIH" and table["boxes"] == 984 and "No restrictions" in table["terms"]
    assert bundled.metadata["parameters"]["coverage"] == 0.97


def test_the_bundled_atlas_is_tight_and_complete_on_held_out_patients(bundled):
    measured = bundled.metadata["held_out"]["categories"]
    for name in (
        "Atelectasis",
        "Cardiomegaly",
        "Consolidation",
        "Effusion",
        "Lung Opacity",
        "Pneumonia",
        "Pneumothorax",
    ):
        cases = measured[name]
        assert all(0.955 < case["coverage"] < 0.99 for case in cases.values())
        assert cases["finding"]["coverage"] > 0.968
        assert cases["finding"]["floor"] < cases["finding"]["editable_share"] < 0.68
        assert cases["finding, side, zone"]["editable_share"] < 0.36


def test_the_bundled_atlas_records_what_its_smoothing_was_chosen_from(bundled):
    chosen, candidates = bundled.metadata["parameters"]["smoothing"], bundled.metadata["candidates"]
    best = min(candidates, key=lambda row: row["editable_share"]["mean"])
    assert {**best, "editable_share": None} == {**chosen, "editable_share": None}
    assert {row["method"] for row in candidates} == {"frequency", "kernel"}


@pytest.mark.parametrize("finding", sorted(FINDINGS))
def test_every_finding_has_a_region_that_is_not_the_image(bundled, finding):
    mask = bundled.for_instruction(ask(finding), (48, 48))
    share = (mask >= EDGE_LEVEL).float().mean()
    assert mask.shape == (1, 1, 48, 48) and mask.dtype == torch.float32
    assert 0.02 < share < 0.85


@pytest.mark.parametrize("finding", sorted(name for name, finding in FINDINGS.items() if finding.lateral))
@pytest.mark.parametrize("zone", ["upper", "middle", "lower"])
def test_a_named_place_is_never_empty_and_lies_there(bundled, finding, zone):
    right = bundled.for_instruction(ask(finding, side="right", zone=zone), (64, 64))[0, 0]
    editable = (right >= EDGE_LEVEL).float()
    assert 0.005 < editable.mean() < 0.4
    assert editable[:, :32].sum() > 0.85 * editable.sum() and not editable[:, 42:].any()
    height = float((editable.sum(1) * torch.linspace(0, 1, 64)).sum() / editable.sum())
    bounds = {"upper": (0.0, 0.36), "middle": (0.3, 0.58), "lower": (0.46, 0.9)}
    assert bounds[zone][0] < height < bounds[zone][1]


@pytest.mark.parametrize("finding", ["pleural effusion", "pneumothorax", "consolidation", "lung lesion"])
def test_naming_a_place_never_opens_more(bundled, finding):
    shares = [
        float((bundled.for_instruction(ask(finding, **place), (128, 128)) >= EDGE_LEVEL).float().mean())
        for place in ({}, {"side": "left"}, {"side": "left", "zone": "lower"}, {"side": "left", "zone": "basal"})
    ]
    assert shares[0] > 1.5 * shares[1] and max(shares[2:]) <= shares[1] + 0.01


@pytest.mark.parametrize("zone", [None, "upper", "basal", "perihilar"])
def test_left_is_the_mirror_image_of_right_and_both_sides_are_their_union(bundled, zone):
    left, right, both = (
        bundled.for_instruction(ask("consolidation", side=side, zone=zone), (64, 64))
        for side in ("left", "right", "bilateral")
    )
    assert (left - right.flip(-1)).abs().mean() < (1e-6 if zone != "perihilar" else 0.01)  # hila are drawn in pixels
    assert (both >= torch.maximum(left, right)).all()


def test_sides_and_zones_can_be_ignored(bundled):
    whole = bundled.for_instruction(ask("consolidation"), (32, 32))
    named = bundled.for_instruction(ask("consolidation", side="left", zone="upper"), (32, 32), localise=False)
    assert torch.equal(named, whole)


def test_free_text_gets_the_thorax_and_other_pictures_the_image(bundled):
    thorax = bundled.for_instruction(ask(region="thorax"), (40, 40))
    assert 0.4 < (thorax >= EDGE_LEVEL).float().mean() < 0.85
    assert bundled.for_instruction(ask(region="image"), (3, 5)).min() == 1


def test_a_malformed_instruction_is_refused(bundled):
    with pytest.raises(ValueError, match=r"`instruction.region`"):
        bundled.for_instruction(ask(region="findings"), (8, 8))
    with pytest.raises(ValueError, match=r"`finding` must be one of .*'gremlins'"):
        bundled.for_instruction(ask("gremlins"), (8, 8))
    with pytest.raises(ValueError, match="`size`"):
        bundled.for_instruction(ask("edema"), (0, 8))


NAMES = st.sampled_from(sorted(FINDINGS))


@settings(max_examples=25, deadline=None)
@given(first=NAMES, second=NAMES, height=st.integers(1, 70), width=st.integers(1, 70))
def test_several_findings_are_the_union_of_each(first, second, height, width):
    atlas = PseudomaskAtlas.bundled()
    size = (height, width)
    parts = [atlas.for_instruction(ask(name), size) for name in (first, second)]
    union = atlas.for_instruction(ask(first, second), size)
    assert torch.equal(union, torch.maximum(*parts))
    assert union.min() >= 0 and union.max() <= 1


def test_maps_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"'Edema' must lie in \[0, 1\]"):
        PseudomaskAtlas({"Edema": torch.full((4, 4), 1.5)})
    with pytest.raises(ValueError, match=r"must be \(h, w\)"):
        PseudomaskAtlas({"Edema": torch.ones(4)})
    with pytest.raises(ValueError, match="`category` must be one of Edema, got 'Mass'"):
        PseudomaskAtlas({"Edema": torch.ones(4, 4)}).map("Mass")


def test_masks_and_probabilities_are_not_mixed():
    with pytest.raises(ValueError, match="both kinds"):
        PseudomaskAtlas({**probabilities("Edema"), "Mass": torch.ones(4, 4)})
