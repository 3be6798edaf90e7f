"""Diseases change the phantom where and as much as they should."""

import pytest
import torch

from x2x_core.language.vocabulary import FINDINGS
from x2x_core.simulation.disease import DEFORMATIONS, DISEASES
from x2x_core.simulation.findings import SEVERITY, SIDED, SIMULATED_FINDINGS, ZONAL
from x2x_core.simulation.heart import with_enlarged_heart
from x2x_core.simulation.inserting import apply_lesions
from x2x_core.simulation.lesions import Lesion


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def lesion(finding, side=None, zone=None, severity=0.6, seed=3):
    side = side or ("left" if finding in SIDED else None)
    zone = zone or ("middle" if finding in ZONAL else None)
    return Lesion(finding, side, zone, "moderate", severity, seed)


def change_of(thorax, drawn):
    healthy = thorax.attenuation
    return apply_lesions(thorax, healthy, (drawn,)) - healthy


def test_every_simulated_finding_has_a_disease_in_the_same_order():
    assert tuple(DISEASES) == SIMULATED_FINDINGS
    assert set(DISEASES) >= SIDED >= ZONAL and set(DEFORMATIONS) <= set(DISEASES)


@pytest.mark.parametrize("finding", sorted(ZONAL))
def test_a_lesion_without_its_side_or_zone_is_a_fault(thorax, finding):
    for side, zone in ((None, "upper"), ("left", None)):
        with pytest.raises(ValueError, match="needs a"):
            change_of(thorax, Lesion(finding, side, zone, "moderate", 0.5, 1))


@pytest.mark.parametrize("finding", sorted(DISEASES))
def test_a_lesion_changes_the_volume_where_it_belongs(thorax, finding):
    assert finding in FINDINGS
    change = change_of(thorax, lesion(finding))
    assert change.abs().max() > 0.05
    if finding in SIDED:
        assert change[thorax.lungs["right"].mask == 0].abs().sum() > 0
        assert float(change[thorax.lungs["right"].mask > 0.5].abs().max()) == 0
        assert float(change[(thorax.lungs["left"].mask == 0)].abs().max()) == 0


@pytest.mark.parametrize("finding", sorted(set(DISEASES) - {"pneumothorax", "cardiomegaly"}))
def test_fluid_and_tissue_make_the_lung_denser_with_severity(thorax, finding):
    mild, severe = (change_of(thorax, lesion(finding, severity=s)) for s in (0.25, 0.9))
    assert mild.min() >= 0 and severe.sum() > mild.sum() > 0


def test_a_pneumothorax_replaces_tissue_by_air_at_the_wall(thorax):
    change = change_of(thorax, lesion("pneumothorax", severity=0.9))
    lung = thorax.lungs["left"]
    at_the_wall = (lung.wall > 0) & (lung.wall < 20) & (lung.mask > 0.5)
    assert at_the_wall.any() and change[at_the_wall].mean() < 0


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_soft_border_at_the_mediastinum_does_not_count_as_chest_wall(thorax, side):
    lung = thorax.lungs[side]
    border = (lung.mask > 0.05) & (lung.depth == 0)
    border[..., : round(lung.hilum[2])] &= side == "left"
    border[..., round(lung.hilum[2]) :] &= side == "right"
    border[: round((lung.apex + lung.dome) / 2)] = False  # chest wall is near above
    assert border.any() and float(lung.wall[border].min()) > max(thorax.spacing)
    change = change_of(thorax, lesion("pneumothorax", side, severity=0.03))
    assert float(change[border].abs().max()) < 0.1  # neither air nor a pleural line


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_moderate_effusion_rises_above_the_recess_and_a_small_one_does_not(thorax, side):
    lung, recess = thorax.lungs[side], 0.4
    away = (lung.mask > 0.9) & (lung.wall > 30)  # where the meniscus is low

    def height(level):
        change = change_of(thorax, lesion("pleural effusion", side, severity=SEVERITY[level]))
        wet = ((change > 0.5) & away).sum((1, 2)) > 0.5 * away.sum((1, 2)).clamp_min(1)
        return (lung.base - float(wet.nonzero()[0])) / (lung.base - lung.apex)

    small, moderate, large = (height(level) for level in ("small", "moderate", "large"))
    assert small < recess < moderate < recess + 0.3 * (1 - recess) < large


def test_cardiomegaly_enlarges_the_heart_shadow(thorax):
    assert change_of(thorax, lesion("cardiomegaly", severity=0.9)).sum() > 0


def test_an_enlarged_heart_pushes_the_lungs_away(thorax):
    grown = with_enlarged_heart(thorax, severity=0.9, generator=generator(3))
    assert grown.heart.sum() > 1.2 * thorax.heart.sum()
    heart = (grown.heart > 0.9) & (thorax.heart < 0.1)
    for side, lung in grown.lungs.items():
        assert thorax.lungs[side].mask[heart].sum() > 0 and lung.mask.sum() < thorax.lungs[side].mask.sum()
        assert (lung.mask[grown.heart > 0.95] < 0.2).all()


@pytest.mark.parametrize("severity", [0.3, 0.6, 0.9])
def test_a_pneumothorax_leaves_an_enlarged_heart_unchanged(thorax, severity):
    heart, air = lesion("cardiomegaly", severity=severity), lesion("pneumothorax", severity=0.9)
    alone = apply_lesions(thorax, thorax.attenuation, (heart,))
    change = apply_lesions(thorax, thorax.attenuation, (heart, air)) - alone
    inside = with_enlarged_heart(thorax, severity=severity, generator=generator(heart.seed)).heart > 0.95
    assert change.min() < -0.1  # there is air
    assert float(change[inside].abs().max()) < 0.2


def test_equal_seeds_give_equal_lesions_and_the_input_is_not_modified(thorax):
    healthy = thorax.attenuation
    kept = healthy.clone()
    first = apply_lesions(thorax, healthy, (lesion("pneumonia"),))
    assert torch.equal(first, apply_lesions(thorax, healthy, (lesion("pneumonia"),)))
    assert not torch.equal(first, apply_lesions(thorax, healthy, (lesion("pneumonia", seed=4),)))
    assert torch.equal(healthy, kept)


@pytest.mark.parametrize("zone", ["upper", "lower"])
def test_a_lesion_lies_in_its_zone(thorax, zone):
    change = change_of(thorax, lesion("consolidation", zone=zone)).sum((1, 2))
    lung = thorax.lungs["left"]
    middle = (change * torch.arange(len(change))).sum() / change.sum()
    half = (lung.apex + lung.dome) / 2
    assert middle < half if zone == "upper" else middle > half
