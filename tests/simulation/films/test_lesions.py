"""Lesions on a film: in their place, in the order of their severity, and never beyond the film's own tissue."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from x2x_core.anatomy.lungs import LungFinder
from x2x_core.simulation.films.borders import outer_border
from x2x_core.simulation.films.chest import measure_chest
from x2x_core.simulation.films.effusion import _before_the_dome
from x2x_core.simulation.films.extents import lesion_shift
from x2x_core.simulation.films.fields import blur, blur_line, grow
from x2x_core.simulation.films.lesions import draw_lesions
from x2x_core.simulation.films.pneumothorax import collapse_of
from x2x_core.simulation.films.tissue import dome_columns, dome_rows
from x2x_core.simulation.findings import SEVERITY, SIDED, SIMULATED_FINDINGS, ZONAL, levels_of
from x2x_core.simulation.lesions import Lesion

MOVED = {"atelectasis", "cardiomegaly"}
OPAQUE = [finding for finding in SIMULATED_FINDINGS if finding not in {"pneumothorax", *MOVED}]


def lesion(finding, severity=0.56, side="left", zone="middle", seed=3):
    zone = zone if finding in ZONAL else None
    return Lesion(finding, side if finding in SIDED else None, zone, "moderate", severity, seed)


def change(chest, *lesions):
    return draw_lesions(chest, lesions) - chest.grey


def half(chest, side):
    return chest.lungs[side].mask


def test_without_lesions_the_film_stays_as_it_is(chest):
    assert (draw_lesions(chest, ()) == chest.grey).all()


@pytest.mark.parametrize("finding", SIMULATED_FINDINGS)
def test_every_finding_that_is_simulated_in_a_body_can_be_drawn_on_a_film(chest, finding):
    after = draw_lesions(chest, [lesion(finding)])
    assert after.shape == chest.shape and after.dtype == np.float32
    assert np.isfinite(after).all() and after.min() >= 0 and after.max() <= 1
    assert np.abs(after - chest.grey).max() > 0.03


@pytest.mark.parametrize("finding", SIMULATED_FINDINGS)
def test_the_same_seed_gives_the_same_film_and_another_seed_another(chest, finding):
    first, again, other = (draw_lesions(chest, [lesion(finding, seed=seed)]) for seed in (3, 3, 4))
    assert (first == again).all() and (first != other).any()


@pytest.mark.parametrize("finding", SIMULATED_FINDINGS)
def test_a_stronger_level_changes_more(chest, finding):
    """Changes are smoothed over 2 mm, so that grain that a warp moves does not count."""
    changes = [change(chest, lesion(finding, SEVERITY[level], zone="lower")) for level in levels_of(finding)]
    amounts = [np.abs(blur(field, 2 / chest.mm)).sum() for field in changes]
    assert amounts == sorted(amounts) and amounts[-1] > 1.5 * amounts[0]


@pytest.mark.parametrize("finding", [finding for finding in SIMULATED_FINDINGS if finding != "atelectasis"])
def test_away_from_the_lesion_nothing_changes_to_the_bit(chest, finding):
    lungs = chest.lungs["right"].mask | chest.lungs["left"].mask
    if finding == "cardiomegaly":  # the heart and what lies below it move too
        hull = cv2.convexHull(np.argwhere(lungs)[:, ::-1].astype(np.int32))
        lungs = cv2.fillConvexPoly(np.zeros(chest.shape, np.uint8), hull, 1) > 0
    near = grow(lungs, int(50 / chest.mm))
    changed = change(chest, lesion(finding, 0.9))
    assert (changed[~near] == 0).all() and (changed[near] != 0).any()


@pytest.mark.parametrize("finding", sorted(SIDED))
@pytest.mark.parametrize(("side", "other"), [("right", "left"), ("left", "right")])
def test_a_sided_finding_leaves_the_other_lung_alone(chest, finding, side, other):
    changed = np.abs(change(chest, lesion(finding, 0.9, side=side)))
    assert changed[half(chest, other)].sum() < 0.02 * changed.sum()


@pytest.mark.parametrize("finding", sorted(ZONAL - {"atelectasis"}))
def test_a_zonal_finding_lies_in_its_zone(chest, finding):
    rows = chest.grid[0]
    middles = []
    for zone in ("upper", "middle", "lower"):
        changed = np.abs(change(chest, lesion(finding, zone=zone)))
        middles.append((changed * rows).sum() / changed.sum())
    assert middles == sorted(middles) and middles[2] - middles[0] > 0.3 * chest.lungs["left"].height


@pytest.mark.parametrize("finding", OPAQUE)
def test_an_opacity_only_brightens_and_stays_under_the_film_s_own_tissue(chest, finding):
    after = draw_lesions(chest, [lesion(finding, 0.9)])
    ceiling = np.maximum(chest.tissue_field, np.percentile(chest.grey[chest.mediastinum], 98))
    blurred = 0.05 if finding == "edema" else 0  # vessels become indistinct
    assert (after <= np.maximum(chest.grey, ceiling) + blurred + 1e-6).all()
    assert (after >= chest.grey - blurred - 1e-6).all()


def test_fluid_lies_at_the_bottom_and_hides_the_dome(chest):
    lung = chest.lungs["left"]
    changed = change(chest, lesion("pleural effusion", 0.9))
    rows = chest.grid[0]
    assert (changed * rows).sum() / changed.sum() > lung.apex + 0.5 * lung.height
    columns = np.flatnonzero(lung.dome > 0)
    columns = columns[len(columns) // 4 : -len(columns) // 4]

    def step(grey):
        """Mean contrast over the dome, 6 mm above against 6 mm below."""
        above, below = (lung.dome[columns] + int(way * 6 / chest.mm) for way in (-1, 1))
        return np.mean(grey[below, columns] - grey[above, columns])

    assert abs(step(chest.grey + changed)) < 0.35 * step(chest.grey)


def test_the_meniscus_climbs_the_chest_wall(chest):
    lung = chest.lungs["right"]
    changed = change(chest, lesion("pleural effusion", 0.56, side="right")) > 0.05
    tops = changed.argmax(axis=0)
    columns = np.flatnonzero(changed.any(axis=0) & lung.mask.any(axis=0))
    outer, middle = columns[len(columns) // 12], columns[len(columns) // 2]
    assert tops[outer] < tops[middle]


def test_air_beside_a_collapsed_lung_is_dark_and_without_markings(chest):
    lung = chest.lungs["right"]
    after = draw_lesions(chest, [lesion("pneumothorax", 0.9, side="right")])
    row = lung.apex + int(0.25 * lung.height)
    air = lung.mask & (chest.wall_distance("right") < 12) & (np.abs(chest.grid[0] - row) < 0.1 * lung.height)
    assert after[air].mean() < chest.grey[air].mean() - 0.02
    inner = lung.mask & (chest.wall_distance("right") > 60)
    assert after[inner].mean() > chest.grey[inner].mean()


def test_a_visceral_line_is_drawn(chest):
    changed = change(chest, lesion("pneumothorax", 0.56, side="right"))
    lung = chest.lungs["right"]
    row = lung.apex + int(0.4 * lung.height)
    profile = changed[row][lung.mask[row]]
    line = int(profile.argmax())
    assert profile[:line].min() < 0 < profile[line]


@pytest.mark.parametrize("severity", [0.28, 0.56, 0.9])
def test_a_collapsed_lung_is_convex(chest, severity):
    generator = torch.Generator().manual_seed(3)
    inside = collapse_of(chest, chest.lungs["right"], severity, generator).inside > 0
    contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    (contour,) = contours
    assert inside.sum() > 0.97 * cv2.contourArea(cv2.convexHull(contour))


def test_ribs_keep_their_contrast_in_the_air(chest):
    """The mean step across the borders of ribs, which are what stays after a blur of 3 mm.

    The outermost 7 mm of the air are left out: the blur carries the step from air to chest wall there.
    """
    after = draw_lesions(chest, [lesion("pneumothorax", 0.9, side="right")])
    generator = torch.Generator().manual_seed(3)
    collapse = collapse_of(chest, chest.lungs["right"], 0.9, generator)
    air = grow(chest.lungs["right"].mask & (collapse.inside < -6) & (collapse.gap > 8), -int(7 / chest.mm))
    assert air.sum() > 1000
    before, later = (np.gradient(blur(grey, 3 / chest.mm), axis=0)[air] for grey in (chest.grey, after))
    assert np.abs(later).mean() > 0.85 * np.abs(before).mean()
    assert np.corrcoef(before, later)[0, 1] > 0.9


def test_a_small_pneumothorax_is_apical(chest):
    lung = chest.lungs["left"]
    changed = np.abs(change(chest, lesion("pneumothorax", 0.1)))
    upper = chest.grid[0] < lung.apex + 0.5 * lung.height
    assert changed[upper].sum() > 2 * changed[~upper].sum()


def test_an_enlarged_heart_lies_over_the_lungs_most_to_the_left(chest):
    changed = change(chest, lesion("cardiomegaly", 0.9))
    left, right = ((changed[half(chest, side)] > 0.05).sum() for side in ("left", "right"))
    assert left > 1.4 * right > 0
    apices = chest.grid[0] < chest.lungs["left"].apex + 0.25 * chest.lungs["left"].height
    assert np.abs(changed[apices]).max() < 0.02


def test_an_enlarged_heart_has_no_other_greys_than_the_film(chest):
    changed = draw_lesions(chest, [lesion("cardiomegaly", 0.9)])
    assert changed.min() >= chest.grey.min() and changed.max() <= chest.grey.max()


def test_an_enlarged_heart_moves_its_border_and_keeps_its_sharpness(chest):
    lung = chest.lungs["left"]
    row = lung.apex + int(0.7 * lung.height)
    start = int(np.flatnonzero(lung.mask[row])[0])
    window = slice(start - int(10 / chest.mm), start + int(60 / chest.mm))

    def border(grey):
        """Column and size of the steepest fall from the heart to the lung, averaged over 8 mm of rows."""
        rows = slice(row - int(4 / chest.mm), row + int(4 / chest.mm))
        fall = -np.diff(blur(grey, 1.5 / chest.mm)[rows, window].mean(axis=0))
        return int(fall.argmax()), float(fall.max())

    before, after = border(chest.grey), border(draw_lesions(chest, [lesion("cardiomegaly", 0.9)]))
    assert (after[0] - before[0]) * chest.mm > 8
    assert after[1] > 0.5 * before[1]


def test_an_enlarged_heart_leaves_spine_and_chest_wall_in_place(chest):
    changed = change(chest, lesion("cardiomegaly", 0.9))
    lungs = {side: np.flatnonzero(lung.mask.any(axis=0)) for side, lung in chest.lungs.items()}
    middle = (chest.lungs["right"].hilum[1] + chest.lungs["left"].hilum[1]) / 2
    spine = np.abs(chest.grid[1] - middle) * chest.mm < 5
    outside = (chest.grid[1] < lungs["right"][0] - 4) | (chest.grid[1] > lungs["left"][-1] + 4)
    assert (changed[spine] == 0).all() and (changed[outside] == 0).all()


def test_atelectasis_draws_the_dome_upwards(chest):
    lung = chest.lungs["right"]
    after = draw_lesions(chest, [lesion("atelectasis", 0.9, side="right", zone="lower")])
    columns = np.flatnonzero(lung.dome > 0)
    columns = columns[len(columns) // 3 : -len(columns) // 3]
    above = lung.dome[columns] - int(4 / chest.mm)
    assert after[above, columns].mean() > chest.grey[above, columns].mean() + 0.03


def test_edema_is_in_both_lungs_and_strongest_around_the_hila(chest):
    changed = change(chest, lesion("edema", 0.56))
    for lung in chest.lungs.values():
        row, column = lung.hilum
        distance = np.hypot(chest.grid[0] - row, chest.grid[1] - column) * chest.mm
        near, far = lung.mask & (distance < 45), lung.mask & (distance > 110)
        assert changed[near].mean() > 1.5 * changed[far].mean() > 0


def test_lesions_come_one_after_another(chest):
    both = draw_lesions(chest, [lesion("cardiomegaly"), lesion("pleural effusion", side="right")])
    assert (both >= draw_lesions(chest, [lesion("cardiomegaly")]) - 1e-6).all()


def test_no_border_of_dome_or_heart_is_left_in_deep_fluid(chest):
    flooded = draw_lesions(chest, [lesion("pleural effusion", 0.9, side="right")])
    lung = chest.lungs["right"]
    dome = lung.dome[dome_columns(lung)]
    band = [slice(int(row) - round(18 / chest.mm), int(row) + round(18 / chest.mm)) for row in dome]
    steps = [
        np.mean(
            [np.abs(np.diff(blur(grey, 2.0)[rows, column])).max() for rows, column in zip(band, dome_columns(lung))]
        )
        for grey in (chest.grey, flooded)
    ]
    assert steps[1] < 0.3 * steps[0]


def test_the_dome_ends_where_the_border_of_the_heart_begins(chest):
    for lung in chest.lungs.values():
        rows = lung.dome[dome_columns(lung)]
        known = lung.dome[lung.dome >= 0]
        assert len(rows) > 0.3 * len(known) and rows.min() > known.min() + 0.3 * lung.height
        assert np.abs(np.diff(blur_line(rows, 3))).max() < 1.5


def test_lung_does_not_show_through_a_heart_that_is_moved_over_it(chest):
    moved = draw_lesions(chest, [lesion("cardiomegaly", 0.9)])
    over = (moved - chest.grey > 0.1) & (chest.depth("left") > 0)
    fine = [np.abs(grey - blur(grey, 1.2))[over].mean() for grey in (chest.grey, moved)]
    heart = np.abs(chest.grey - blur(chest.grey, 1.2))[chest.mediastinum].mean()
    assert fine[1] < max(1.5 * heart, 0.8 * fine[0])


def test_fluid_is_as_bright_as_the_chest_wall_that_it_touches(chest):
    flooded = draw_lesions(chest, [lesion("pleural effusion", 0.9)])
    lung, apart = chest.lungs["left"], round(5 / chest.mm)
    border = outer_border(chest, "left").round().astype(int)
    rows = np.arange(lung.apex + int(0.75 * lung.height), lung.base - apart)
    inside, outside = (blur(flooded, 1.5 / chest.mm)[rows, border[rows] + side * apart] for side in (-1, 1))
    assert np.abs(inside - outside).mean() < 0.08 < np.abs(chest.grey[rows, border[rows] - apart] - outside).mean()


def test_what_is_not_exposed_stays_black(chest):
    grey = chest.grey.copy()
    grey[chest.lungs["left"].base + 4 :] = 0
    framed = replace(chest, grey=grey)
    assert (draw_lesions(framed, [lesion("pleural effusion", 0.9)])[grey.shape[0] - 40 :] == 0).all()


def test_fluid_is_bounded_by_the_wall_and_not_by_the_dome():
    """The outer edge of a right lung runs down column 50, and then along a dome that falls towards the midline."""
    rows = np.arange(100, 130)
    edge = np.where(rows < 120, 50, 50 + 6 * (rows - 119))
    known, wall = _before_the_dome(rows, edge, -1, 4)
    assert 115 <= known[-1] < 120 and (wall == 50).all()
    straight = np.full(len(rows), 50) + (rows - 100) // 3  # a wall that tapers is kept
    assert np.array_equal(_before_the_dome(rows, straight, -1, 4)[0], rows[: len(rows) - 4])


def test_an_opacity_is_not_much_brighter_than_the_chest_wall_beside_it(chest):
    """On a film whose upper half is underexposed, the abdomen is brighter than any tissue there."""
    fading = np.interp(np.arange(chest.shape[0]), [0, chest.lungs["right"].base], [0.5, 1.0]).astype(np.float32)
    film = replace(chest, grey=chest.grey * fading[:, None])
    made = draw_lesions(film, [Lesion("consolidation", "right", "upper", "severe", 0.9, 5)])
    changed = made - film.grey > 0.02
    upper = chest.grid[0] < chest.lungs["right"].apex + chest.lungs["right"].height / 3
    wall = grow(chest.lungs["right"].mask, round(8 / chest.mm)) & ~grow(chest.lungs["right"].mask, round(3 / chest.mm))
    assert np.percentile(made[changed & upper], 90) < np.percentile(film.grey[wall & upper], 90) + 0.1


def test_no_fluid_lies_on_a_black_border_that_a_lung_s_outline_reaches(chest):
    grey = chest.grey.copy()
    grey[chest.lungs["left"].base - round(20 / chest.mm) :] = 0
    framed = replace(chest, grey=grey)
    assert (draw_lesions(framed, [lesion("pleural effusion", 0.9)])[grey.shape[0] - 40 :] == 0).all()
    black = chest.lungs["left"].mask & (grey == 0)
    assert black.sum() > 50 and draw_lesions(framed, [lesion("pleural effusion", 0.9)])[black].max() == 0


def test_a_little_fluid_is_thinner_than_the_tissue_under_the_dome(chest):
    """The abdomen is as bright as tissue can be; fluid that only blunts the angle does not take its grey."""
    rows = chest.grid[0]
    grey = np.where(rows > dome_rows(chest.lungs["right"])[None] + 2, 1.0, chest.grey).astype(np.float32)
    film = replace(chest, grey=grey)
    little, much = (change(film, lesion("pleural effusion", severity, side="right")) for severity in (0.05, 0.9))
    angle = little > 0.5 * little.max()
    assert angle.any() and (film.grey + little)[angle].max() < (film.grey + much)[angle].max() - 0.05


def test_edema_spares_the_periphery(chest):
    changed = change(chest, lesion("edema", 0.56))
    lung = chest.lungs["right"]
    level = np.abs(chest.grid[0] - lung.hilum[0]) < 0.1 * lung.height
    depth = chest.depth("right")
    inner, outer = level & (depth > 25), level & (depth > 2) & (depth < 12)
    assert changed[inner].mean() > 1.5 * changed[outer].mean() > 0


def test_a_dome_above_the_outline_that_is_found_is_taken_for_no_rib(chest):
    """An outline of a lung may reach a centimetre under the dome; its border is then inside the lung."""
    lung = chest.lungs["right"]
    true_dome = dome_rows(lung) - 14 / chest.mm
    deep = chest.grid[0] > true_dome[None]
    film = replace(chest, grey=np.where(deep, np.maximum(chest.grey, chest.tissue), chest.grey).astype(np.float32))
    fluid = blur(draw_lesions(film, [lesion("pleural effusion", 0.9, side="right")]), 1.0)
    columns = dome_columns(lung)[len(dome_columns(lung)) // 3 : -len(dome_columns(lung)) // 3]
    at, below = (fluid[(true_dome[columns] + mm / chest.mm).astype(int), columns].mean() for mm in (3, 12))
    assert at - below < 0.015


@pytest.mark.parametrize("finding", ["pleural effusion", "consolidation", "edema", "pneumothorax"])
def test_a_lead_stays_in_front_of_a_lesion(film, finding):
    """It is as bright above what is around it as it was."""
    lung = measure_chest(film, LungFinder.bundled()).lungs["left"]
    wired, column = film.copy(), int(np.flatnonzero(lung.mask[lung.apex + lung.height // 2]).mean())
    rows = slice(lung.apex + lung.height // 4, lung.apex + 3 * lung.height // 4)
    wired[rows, column] = (wired[rows, column] + 0.3).clip(0, 1)
    chest = measure_chest(wired, LungFinder.bundled())
    drawn = draw_lesions(chest, [lesion(finding, 0.9, side="left", zone="middle")])
    assert np.abs(drawn - wired)[rows].max() > 0.05

    def above(grey):
        return (grey[rows, column] - (grey[rows, column - 3] + grey[rows, column + 3]) / 2).mean()

    assert above(drawn) > 0.8 * above(wired) > 0.2


def test_nothing_beyond_an_enlarged_heart_becomes_darker(chest):
    enlarged = lesion("cardiomegaly", 0.9)
    shift = lesion_shift(chest, enlarged)
    beyond = (shift.cover < 1) & shift.places.any(axis=0)
    assert beyond.any() and (draw_lesions(chest, [enlarged]) - chest.grey)[beyond].min() > -1e-6
