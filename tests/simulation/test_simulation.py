"""The simulator: anatomy, disease, projection, pairs - on the analytic phantom."""

import pytest
import torch

from x2x_core.language.clauses import Operation
from x2x_core.language.vocabulary import FINDINGS
from x2x_core.simulation.ct import Volume, load_ct, resample, save_volume
from x2x_core.simulation.disease import DISEASES, SIDED, ZONAL, with_enlarged_heart
from x2x_core.simulation.film import Film, expose, meter
from x2x_core.simulation.pairs import simulate_body
from x2x_core.simulation.phantom import phantom_ct
from x2x_core.simulation.projection import Geometry, project, ray_grid
from x2x_core.simulation.scenario import SEVERITY, Lesion, Resting, apply_lesions, levels_of, sample_scenario
from x2x_core.simulation.thorax import segment_thorax

SPACING = (6.0, 6.0, 6.0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def thorax():
    return segment_thorax(phantom_ct(), SPACING)


def lesion(finding, side=None, zone=None, severity=0.6, seed=3):
    side = side or ("left" if finding in SIDED else None)
    zone = zone or ("middle" if finding in ZONAL else None)
    return Lesion(finding, side, zone, "moderate", severity, seed)


def change_of(thorax, one):
    healthy = thorax.attenuation
    return apply_lesions(thorax, healthy, (one,)) - healthy


# -- anatomy ----------------------------------------------------------------------------------------------------------


def test_the_right_lung_is_on_the_image_s_left_and_both_are_filled_with_air(thorax):
    right, left = thorax.lungs["right"], thorax.lungs["left"]
    assert right.mask.sum((0, 1)).argmax() < left.mask.sum((0, 1)).argmax()
    for lung in (right, left):
        litres = float(lung.mask.sum()) * 6**3 / 1e6
        assert 1 < litres < 5
        assert thorax.attenuation[lung.mask > 0.9].mean() < 0.3
        assert lung.apex < lung.dome < lung.base


def test_the_heart_lies_between_the_lungs_a_little_to_the_left(thorax):
    assert thorax.heart_centre[2] > thorax.heart.shape[2] / 2
    assert 0.2 < float(thorax.heart.sum()) * 6**3 / 1e6 < 1.5


def test_a_volume_without_lungs_is_refused():
    import numpy as np

    solid = Volume(np.full((40, 40, 40), 40, np.float32), (8.0, 8.0, 8.0), "a brick")
    with pytest.raises(ValueError, match="`ct` must show two lungs"):
        segment_thorax(solid, (8.0, 8.0, 8.0))


def test_a_saved_volume_is_read_back(tmp_path):
    volume = phantom_ct((12.0, 12.0, 12.0))
    save_volume(volume, tmp_path / "ct.npz")
    again = load_ct(tmp_path / "ct.npz")
    assert (again.hu == volume.hu.round()).all() and again.spacing == volume.spacing and again.source == volume.source
    assert resample(volume, (24.0, 12.0, 12.0)).hu.shape[0] == round(volume.hu.shape[0] / 2)


def test_wrong_volumes_are_named(tmp_path):
    import numpy as np

    with pytest.raises(FileNotFoundError, match="`ct` must be a folder"):
        load_ct(tmp_path / "nothing")
    with pytest.raises(ValueError, match="at least 20 axial CT slices"):
        load_ct(tmp_path)
    np.savez(tmp_path / "bad.npz", hu=np.zeros(3))
    with pytest.raises(ValueError, match=r"lacks \['source', 'spacing'\]"):
        load_ct(tmp_path / "bad.npz")


# -- disease ----------------------------------------------------------------------------------------------------------


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
def test_fluid_and_tissue_make_the_lung_denser_and_more_of_it_more_so(thorax, finding):
    mild, severe = (change_of(thorax, lesion(finding, severity=s)) for s in (0.25, 0.9))
    assert mild.min() >= 0 and severe.sum() > mild.sum() > 0


def test_a_pneumothorax_takes_tissue_away_and_puts_air_at_the_wall(thorax):
    change = change_of(thorax, lesion("pneumothorax", severity=0.9))
    lung = thorax.lungs["left"]
    at_the_wall = (lung.wall > 0) & (lung.wall < 20) & (lung.mask > 0.5)
    assert at_the_wall.any() and change[at_the_wall].mean() < 0


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_soft_border_beside_the_mediastinum_is_not_taken_for_chest_wall(thorax, side):
    lung = thorax.lungs[side]
    border = (lung.mask > 0.05) & (lung.depth == 0)
    border[..., : round(lung.hilum[2])] &= side == "left"
    border[..., round(lung.hilum[2]) :] &= side == "right"
    border[: round((lung.apex + lung.dome) / 2)] = False  # chest wall is near above
    assert border.any() and float(lung.wall[border].min()) > max(SPACING)
    change = change_of(thorax, lesion("pneumothorax", side, severity=0.03))
    assert float(change[border].abs().max()) < 0.1  # neither air nor a pleural line


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_moderate_effusion_stands_above_the_recess_and_a_small_one_does_not(thorax, side):
    lung, recess = thorax.lungs[side], 0.4
    away = (lung.mask > 0.9) & (lung.wall > 30)  # where the meniscus is low

    def height(level):
        change = change_of(thorax, lesion("pleural effusion", side, severity=SEVERITY[level]))
        wet = ((change > 0.5) & away).sum((1, 2)) > 0.5 * away.sum((1, 2)).clamp_min(1)
        return (lung.base - float(wet.nonzero()[0])) / (lung.base - lung.apex)

    small, moderate, large = (height(level) for level in ("small", "moderate", "large"))
    assert small < recess < moderate < recess + 0.3 * (1 - recess) < large


def test_cardiomegaly_makes_the_heart_s_shadow_larger(thorax):
    assert change_of(thorax, lesion("cardiomegaly", severity=0.9)).sum() > 0


def test_an_enlarged_heart_pushes_the_lungs_away(thorax):
    grown = with_enlarged_heart(thorax, severity=0.9, generator=generator(3))
    assert grown.heart.sum() > 1.2 * thorax.heart.sum()
    heart = (grown.heart > 0.9) & (thorax.heart < 0.1)
    for side, lung in grown.lungs.items():
        assert thorax.lungs[side].mask[heart].sum() > 0 and lung.mask.sum() < thorax.lungs[side].mask.sum()
        assert (lung.mask[grown.heart > 0.95] < 0.2).all()


@pytest.mark.parametrize("severity", [0.3, 0.6, 0.9])
def test_a_pneumothorax_beside_an_enlarged_heart_leaves_the_heart_as_it_is(thorax, severity):
    heart, air = lesion("cardiomegaly", severity=severity), lesion("pneumothorax", severity=0.9)
    alone = apply_lesions(thorax, thorax.attenuation, (heart,))
    change = apply_lesions(thorax, thorax.attenuation, (heart, air)) - alone
    inside = with_enlarged_heart(thorax, severity=severity, generator=generator(heart.seed)).heart > 0.95
    assert change.min() < -0.1  # there is air
    assert float(change[inside].abs().max()) < 0.2


def test_the_same_seed_gives_the_same_lesion_and_the_input_stays(thorax):
    healthy = thorax.attenuation
    kept = healthy.clone()
    first = apply_lesions(thorax, healthy, (lesion("pneumonia"),))
    assert torch.equal(first, apply_lesions(thorax, healthy, (lesion("pneumonia"),)))
    assert not torch.equal(first, apply_lesions(thorax, healthy, (lesion("pneumonia", seed=4),)))
    assert torch.equal(healthy, kept)


@pytest.mark.parametrize("zone", ["upper", "lower"])
def test_a_zone_is_kept(thorax, zone):
    change = change_of(thorax, lesion("consolidation", zone=zone)).sum((1, 2))
    lung = thorax.lungs["left"]
    middle = (change * torch.arange(len(change))).sum() / change.sum()
    half = (lung.apex + lung.dome) / 2
    assert middle < half if zone == "upper" else middle > half


# -- projection and film ----------------------------------------------------------------------------------------------


def test_parallel_rays_through_a_uniform_block_sum_its_depth():
    block = torch.ones(1, 20, 20, 20)
    geometry = Geometry(field_mm=40.0, source_mm=None)
    grid = ray_grid((20, 20, 20), (5.0, 5.0, 5.0), geometry, 16, generator(), step_mm=1.0)
    image = project(block, grid, step_mm=1.0)
    assert image[0, 8, 8].item() == pytest.approx(100, rel=0.05)


def test_projection_is_linear(thorax):
    grid = ray_grid(tuple(thorax.soft.shape), SPACING, Geometry(), 24, generator())
    soft, bone, both = project(torch.stack([thorax.soft, thorax.bone, thorax.attenuation]), grid)
    assert torch.allclose(soft + bone, both, atol=1e-2)


def test_denser_is_whiter():
    integrals = torch.linspace(40, 300, 64).expand(64, 64).clone()
    film = Film()
    grey = expose(integrals[None], film, meter(integrals, film))[0]
    assert grey.min() >= 0 and grey.max() <= 1
    assert (grey[32, 8:-8].diff() > 0).all()


# -- scenarios and pairs ----------------------------------------------------------------------------------------------


def test_scenarios_are_what_their_instruction_says():
    operations = set()
    for seed in range(60):
        scenario = sample_scenario(generator(seed), "v2")
        for clause in scenario.instruction.clauses:
            operations.add(clause.operation)
            before = [one for one in scenario.before if one.finding == clause.finding]
            after = [one for one in scenario.after if one.finding == clause.finding]
            assert (len(before), len(after)) == {"add": (0, 1), "remove": (1, 0), "change": (1, 1)}[
                clause.operation.value
            ]
            if clause.operation is Operation.CHANGE:
                assert (before[0].level, after[0].level) == (clause.level_from, clause.level)
                assert before[0].seed == after[0].seed and clause.level in levels_of(clause.finding)
            assert clause.side in (None, (before + after)[0].side)
    assert operations == set(Operation)


def test_what_stays_is_as_asked():
    for seed in range(30):
        scenario = sample_scenario(generator(seed), resting=Resting(("cardiomegaly", "edema"), 1.0))
        asked = {clause.finding for clause in scenario.instruction.clauses}
        stays = [one for one in scenario.before if one.finding not in asked]
        assert stays == [one for one in scenario.after if one.finding not in asked]
        assert [one.finding in ("cardiomegaly", "edema") for one in stays] == [True] * len(stays)
        assert stays or asked == {"cardiomegaly", "edema"}
        nothing = sample_scenario(generator(seed), resting=Resting(share=0.0))
        assert {one.finding for one in nothing.before + nothing.after} <= asked


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"findings": ("gout",)}, "`resting` must name findings that are simulated .*, got 'gout'"),
        ({"findings": ()}, "`resting` must name findings that are simulated .*, got none"),
        ({"share": 1.5}, r"`resting_share` must lie in \[0, 1\], got 1.5"),
    ],
)
def test_what_can_t_stay_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        Resting(**wrong)


def test_v1_names_findings_alone():
    for seed in range(20):
        for clause in sample_scenario(generator(seed), "v1").instruction.clauses:
            assert clause.side is clause.zone is None


def test_a_body_s_pairs_differ_only_where_the_change_says(thorax):
    pairs = simulate_body(thorax, generator(5), pairs=3, size=48)
    assert len(pairs) == 3
    for pair in pairs:
        assert pair.before.shape == pair.after.shape == pair.change.shape == (1, 48, 48)
        assert pair.before.min() >= 0 and pair.after.max() <= 1
        assert torch.equal(pair.change, pair.after - pair.before)
        assert pair.change.abs().max() > 0.005
        assert pair.masks.shape == (3, 48, 48) and pair.masks.any((1, 2)).all()
        assert pair.attributes["geometry"]["field_mm"] > 0


def test_the_same_seed_gives_the_same_pairs(thorax):
    first, again = (simulate_body(thorax, generator(6), pairs=2, size=32) for _ in range(2))
    for one, other in zip(first, again):
        assert torch.equal(one.before, other.before) and torch.equal(one.after, other.after)
        assert one.instruction == other.instruction and one.attributes == other.attributes
