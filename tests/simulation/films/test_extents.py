"""Extents of lesions on a film."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from x2x_core.anatomy.lungs import LungFinder
from x2x_core.common.bundled import bundled_path
from x2x_core.imaging.files import read_image
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.films.chest import UnsuitableFilmError
from x2x_core.simulation.films.extents import (
    SIDE,
    lesion_extent,
    lesion_of,
    lesion_shift,
    measure_small,
    smaller_heart,
)
from x2x_core.simulation.films.fields import distance_inside
from x2x_core.simulation.films.heart import _cardiophrenic_corner, _whole_dome, shift_film
from x2x_core.simulation.films.lesions import draw_lesions


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def lesion(text, seed=0):
    return lesion_of(Instruction.parse(text).clauses[0], seeded(seed))


def shares(chest, own):
    """An extent, relative to its most."""
    extent = lesion_extent(chest, own)
    return extent / np.abs(extent).max()


@pytest.fixture(scope="module")
def small(film):
    grey = torch.from_numpy(film)[None, None]
    return measure_small(grey, LungFinder.bundled().find(grey))


def centre(extent):
    rows, columns = np.nonzero(np.abs(extent) > 0.25)
    return rows.mean() / extent.shape[0], columns.mean() / extent.shape[1]


def test_a_lesion_has_the_side_zone_and_level_of_its_clause():
    drawn = lesion("Add the finding of severe consolidation in the right upper lung zone.")
    assert (drawn.finding, drawn.side, drawn.zone, drawn.level) == ("consolidation", "right", "upper", "severe")
    assert lesion("Add atelectasis in the left basal lung zone").zone == "lower"
    assert lesion("Add bilateral pleural effusions").side == "bilateral"
    assert lesion("Add left apical pneumothorax").zone is None
    assert lesion("Add left pleural effusion").level == "moderate"
    assert lesion("Add trace left pleural effusion").level == "minimal"


@pytest.mark.parametrize(
    "text",
    [
        "Remove the finding of left pneumothorax.",
        "Change the level of left pneumothorax from small to large.",
        "Add pneumothorax",
        "Add left consolidation",
        "Add left pulmonary nodule",
        "Add left edema",
        "Add upper edema",
        "Add left basal pneumothorax",
        "Add left upper pleural effusion",
        "Add consolidation in the left costophrenic angle",
        "Add right apical pneumonia",
        "Add left perihilar consolidation",
    ],
)
def test_what_adds_no_lesion_with_a_place_has_no_extent(text):
    assert lesion_of(Instruction.parse(text, strict=False).clauses[0], seeded()) is None


def test_clauses_without_a_lesion_draw_as_many_numbers():
    streams = seeded(), seeded()
    for text, stream in zip(("Remove edema", "Add left pneumothorax"), streams, strict=True):
        lesion_of(Instruction.parse(text).clauses[0], stream)
    assert torch.equal(streams[0].get_state(), streams[1].get_state())


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("zone", ["upper", "middle", "lower"])
@pytest.mark.parametrize("finding", ["consolidation", "atelectasis"])
def test_an_extent_lies_in_its_zone(small, finding, zone, side):
    extent = shares(small, lesion(f"Add mild {finding} in the {side} {zone} lung zone"))
    row, column = centre(extent)
    lung = small.lungs[side]
    assert (column > 0.5) == (side == "left")
    first, last = lung.zone_rows(zone)
    assert first - 0.1 * lung.height < row * extent.shape[0] < last + 0.1 * lung.height


def test_a_pneumothorax_is_apical_and_an_effusion_basal(small):
    top, bottom = (centre(shares(small, lesion(f"Add small left {name}")))[0] for name in ("pneumothorax", "effusion"))
    assert top < 0.4 < 0.6 < bottom


def test_an_enlarged_heart_is_beside_the_heart_and_edema_in_both_lungs(small):
    heart = shares(small, lesion("Add severe cardiomegaly")) > 0.25
    assert 0.45 < centre(heart)[0] < 0.85 and 0.3 < centre(heart)[1] < 0.7
    edema = shares(small, lesion("Add severe edema")) > 0.25
    left, right = (edema[small.lungs[side].mask].mean() for side in ("left", "right"))
    assert left > 0.2 and right > 0.2


def test_air_is_dark_and_ends_at_a_bright_pleura(small):
    extent = shares(small, lesion("Add large left pneumothorax"))
    air, line = extent < -0.3, extent > 0.2
    assert air.sum() > 3 * line.sum() > 0 and extent.min() < -0.6
    others = shares(small, lesion("Add large left pleural effusion"))
    assert others.min() == 0 and others.max() == 1


def test_extents_grow_with_the_level_and_stay_in_place(small):
    for finding, levels in (("pneumothorax", "minimal small moderate large"), ("effusion", "small moderate large")):
        lesions = [lesion(f"Add {level} right {finding}") for level in levels.split()]
        areas = [(np.abs(shares(small, own)) > 0.25).sum() for own in lesions]
        assert areas == sorted(areas) and areas[-1] > 2 * areas[0]


def test_the_same_seed_gives_the_same_extent(small):
    text = "Add consolidation in the left upper lung zone"
    first, again, other = (lesion_extent(small, lesion(text, seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert 0 < first.max() < 1 and first.min() == 0 and max(first.shape) == SIDE


def test_a_film_without_lungs_is_refused():
    blank = torch.zeros(1, 1, 300, 300)
    with pytest.raises(UnsuitableFilmError):
        measure_small(blank, LungFinder.bundled().find(blank))


def test_an_extent_is_what_the_drawing_changes_within_the_lung(small):
    own = lesion("Add severe consolidation in the right middle lung zone")
    change, extent = draw_lesions(small, [own]) - small.grey, lesion_extent(small, own)
    inside = small.depth("right") > 6
    assert np.abs(extent - change)[inside].max() < 0.25 * change.max()
    assert np.corrcoef(extent[inside], change[inside])[0, 1] > 0.98
    far = distance_inside(~(small.lungs["right"].mask | small.lungs["left"].mask)) * small.mm > 12
    assert extent[far].max() < 0.01 * extent.max()


def test_a_haze_fades_at_the_lungs_outline(small):
    extent = shares(small, lesion("Add moderate edema"))
    depth = small.depth("right")
    rows = small.grid[0]
    middle = np.abs(rows - small.lungs["right"].hilum[0]) < 0.1 * small.lungs["right"].height
    assert extent[middle & (depth > 0) & (depth < 2)].mean() < 0.5 * extent[middle & (depth > 14)].mean()


def test_a_pleural_line_is_thin(small):
    extent = lesion_extent(small, lesion("Add large left pneumothorax"))
    line = extent > 0.3 * extent.max()
    assert line.any() and distance_inside(line).max() * small.mm < 2.5


def test_only_an_enlarged_heart_moves_and_its_shift_gives_the_drawing(small):
    for text in ("Add severe edema", "Add left pleural effusion", "Add severe atelectasis in the left lower lung zone"):
        assert lesion_shift(small, lesion(text)) is None
    heart = lesion("Add severe cardiomegaly")
    moved = shift_film(small, small.grey, lesion_shift(small, heart))
    assert np.allclose(moved, draw_lesions(small, [heart]), atol=1e-5)


def test_a_heart_is_drawn_in_and_most_of_an_enlargement_is_undone(small):
    large = draw_lesions(small, [lesion("Add severe cardiomegaly")])
    tensor = torch.from_numpy(large)[None, None]
    enlarged = measure_small(tensor, LungFinder.bundled().find(tensor))
    change, shift = smaller_heart(enlarged)
    assert change.max() <= 0 and change.min() < -0.1
    drawn_in = shift_film(enlarged, large, shift)
    heart = lesion_extent(small, lesion("Add severe cardiomegaly")) > 0.05
    left = np.abs(drawn_in - small.grey)[heart].mean() / np.abs(large - small.grey)[heart].mean()
    assert left < 0.5


def test_fluid_grows_denser_towards_the_dome(small):
    fluid = draw_lesions(small, [lesion("Add large right pleural effusion")])
    lung = small.lungs["right"]
    column = int(np.flatnonzero(lung.mask.any(axis=0)).mean())
    dome = int(lung.dome[column])
    steps = [
        fluid[dome - int(mm / small.mm) - 3 : dome - int(mm / small.mm) + 3, column - 3 : column + 3].mean()
        for mm in (40, 20, 6)
    ]
    assert steps[0] < steps[1] < steps[2]


def test_the_extent_of_atelectasis_is_drawn_on_the_film_as_it_is(small):
    lobe = lesion("Add the finding of severe atelectasis in the left lower lung zone.")
    grey = small.grey + lesion_extent(small, lobe)
    assert (
        np.abs(grey - draw_lesions(small, [lobe], raised=False)).max()
        < np.abs(grey - draw_lesions(small, [lobe])).max()
    )


@pytest.mark.parametrize("name", ["radiograph.png", "radiograph-2.png", "radiograph-3.png"])
def test_an_enlarged_heart_maps_the_dome_beside_it_to_itself(name):
    grey = read_image(bundled_path("sample").with_name(name)).pixels.mean(dim=1, keepdim=True)
    chest = measure_small(grey, LungFinder.bundled().find(grey))
    down, right = lesion_shift(chest, lesion("Add severe cardiomegaly")).places
    columns = np.arange(_cardiophrenic_corner(chest, "left") - 12, int(chest.lungs["left"].dome.argmax()))
    dome = _whole_dome(chest, "left")
    rows = dome[columns].round().astype(int)
    sources = columns + right[rows, columns]
    assert (columns - sources).max() > 3
    assert np.abs(rows + down[rows, columns] - np.interp(sources, np.arange(len(dome)), dome)).max() < 1.5


def test_an_enlarged_heart_leaves_the_lung_beyond_it_as_it_is(small):
    """It covers lung, and no lung is pressed together."""
    shift = lesion_shift(small, lesion("Add severe cardiomegaly"))
    drawn = draw_lesions(small, [lesion("Add severe cardiomegaly")])
    beyond = small.lungs["left"].mask & (shift.cover == 0)
    assert beyond.sum() > 0.1 * small.lungs["left"].mask.sum() and np.array_equal(drawn[beyond], small.grey[beyond])
    covered = small.lungs["left"].mask & (shift.cover == 1) & shift.places.any(axis=0)
    assert (drawn - small.grey)[covered].mean() > 0.1
    steps = np.diff(small.grid[1] + shift.places[1], axis=1)[:, :-1]
    moving = (shift.cover == 1)[:, 1:-1] & (shift.places[1] != 0)[:, 1:-1] & (shift.places[1] != 0)[:, 2:]
    assert steps[moving].max() < 1.05  # nowhere are two pixels read from further apart than they are


def test_a_heart_whose_border_hides_the_dome_moves_sideways_alone(small):
    """The left lung is a wedge: its border is a straight line from the hilum to the angle."""
    lung = small.lungs["left"]
    rows, columns = small.grid
    share = ((rows - lung.apex) / lung.height).clip(0, 1)
    inner, outer = lung.medial_edge, np.flatnonzero(lung.mask.any(axis=0))[-1]
    wedge = (columns > inner + share * (outer - inner)) & (columns < outer) & (share > 0) & (share < 1)
    last = wedge.shape[0] - 1 - wedge[::-1].argmax(axis=0)
    straight = replace(lung, mask=wedge, dome=np.where(wedge.any(axis=0), last, -1))
    chest = replace(small, lungs={**small.lungs, "left": straight})
    assert _cardiophrenic_corner(chest, "left") is None and np.ptp(_whole_dome(chest, "left")) == 0


def test_gas_under_the_dome_is_not_drawn_along_by_the_heart(small):
    shift = lesion_shift(small, lesion("Add severe cardiomegaly")).places
    below = small.grid[0] > max(lung.base for lung in small.lungs.values()) + 17 / small.mm
    assert below.any() and not shift[:, below].any()
