"""Descriptions of changes: drawn ones with known answers, and the pipeline's own edits."""

import json

import pytest
import torch
from edit_cases import edit
from hypothesis import given
from hypothesis import strategies as st
from lung_cases import radiograph as simulated
from PIL import Image
from tiny_models import make_radiograph

from x2x_core.anatomy.alignment import align_image
from x2x_core.anatomy.change import ZONE_LIMITS, Change, describe_change
from x2x_core.anatomy.frame import Frame

SIZE = 100


def drawn(rows, columns, amount=0.2, size=SIZE, channels=1):
    """A grey picture, and the same with a rectangle changed by `amount`."""
    before = torch.full((channels, size, size), 0.5)
    after = before.clone()
    after[:, slice(*rows), slice(*columns)] += amount
    return before, after


@pytest.mark.parametrize(
    ("rows", "columns", "side", "zones"),
    [
        ((5, 20), (10, 30), "right", ("upper",)),  # the patient's right is on the left of the picture
        ((5, 20), (60, 80), "left", ("upper",)),
        ((35, 50), (60, 80), "left", ("middle",)),
        ((70, 90), (10, 40), "right", ("lower",)),
        ((70, 90), (20, 80), "both", ("lower",)),
        ((10, 90), (60, 80), "left", ("upper", "middle", "lower")),
        ((20, 50), (10, 30), "right", ("upper", "middle")),
    ],
)
def test_side_zone_area_and_amount_of_a_drawn_change(rows, columns, side, zones):
    change = describe_change(*drawn(rows, columns))
    assert (change.side, change.zones, change.sign) == (side, zones, "brighter")
    assert change.area == pytest.approx((rows[1] - rows[0]) * (columns[1] - columns[0]) / SIZE**2)
    assert change.mean == change.largest == pytest.approx(0.2)


def test_the_sign_is_that_of_the_pixels():
    before, after = drawn((10, 30), (10, 30), -0.3)
    assert describe_change(before, after).sign == "darker" and describe_change(after, before).sign == "brighter"
    after[:, 50:70, 10:30] += 0.3
    mixed = describe_change(before, after)
    assert mixed.sign == "brighter and darker" and mixed.mean == pytest.approx(0)
    red, green = torch.zeros(2, 3, 8, 8)
    red[0], green[1] = 0.5, 0.5
    assert describe_change(red, green, chest=False).sign == "another colour"


def test_noise_is_no_change():
    before, after = drawn((10, 30), (10, 30), 0.009)
    for same in (describe_change(before, before), describe_change(before, after)):
        assert same.sign is None and same.area == 0 and same.sentence() == "No pixel changed visibly."
    tail = before.clone()
    tail[:, 10:30, 10:30] += 0.3
    tail[:, 40:90] += 0.02  # less than a tenth of the largest
    assert describe_change(before, tail).area == pytest.approx(0.04)


def test_the_frame_says_where_a_patient_s_zones_are():
    before, after = drawn((55, 65), (60, 70))
    assert describe_change(before, after).zones == ("lower",)
    low = Frame.rectangle(0.0, 0.5, 1.0, 1.0)  # a chest in the lower half of the picture
    change = describe_change(before, after, low, fitted=True)
    assert change.zones == ("upper",) and change.side == "left" and change.fitted
    narrow = Frame.rectangle(0.6, 0.0, 1.0, 1.0)
    assert describe_change(before, after, narrow).side == "right"


def test_pictures_that_are_no_chests_have_halves_and_thirds():
    change = describe_change(*drawn((5, 20), (10, 30), channels=3), chest=False)
    assert (change.side, change.zones) == ("left", ("upper",)) and not change.fitted
    assert change.sentence().endswith("left half of the picture, upper third.")


def test_the_sentence_says_all_of_it():
    change = Change("darker", "left", ("upper", "middle"), 0.041, -0.08, -0.213, "chest", True)
    assert change.sentence() == (
        "Darker by 0.08 on average and 0.21 at most (white minus black is 1) over 4.1% of the picture: the patient's "
        "left, upper and middle zones."
    )
    typical = Change("brighter", "both", ("lower",), 0.1, 0.1, 0.2, "chest")
    assert typical.sentence().endswith("both sides, lower zone, as on the typical radiograph.")
    assert json.loads(json.dumps(change.as_dict()))["zones"] == ["upper", "middle"]


@given(
    top=st.integers(0, 80), left=st.integers(0, 80), height=st.integers(4, 20), width=st.integers(4, 20),
    amount=st.sampled_from([-0.4, -0.05, 0.05, 0.4]),
)  # fmt: skip
def test_a_mirrored_change_has_the_other_side_and_nothing_else_differs(top, left, height, width, amount):
    pair = drawn((top, top + height), (left, left + width), amount)
    change = describe_change(*pair)
    mirrored = describe_change(*(picture.flip(-1) for picture in pair))
    assert {change.side, mirrored.side} in ({"left", "right"}, {"both"})
    assert mirrored.zones == change.zones and mirrored.sign == change.sign
    assert mirrored.area == pytest.approx(change.area) and mirrored.mean == pytest.approx(change.mean)


def test_large_pictures_are_described_like_small_ones():
    small, large = (drawn((5 * n, 20 * n), (60 * n, 80 * n), size=100 * n) for n in (1, 12))
    first, second = describe_change(*small), describe_change(*large)
    assert (second.side, second.zones, second.sign) == (first.side, first.zones, first.sign)
    assert second.area == pytest.approx(first.area, abs=0.003) and second.mean == pytest.approx(first.mean, abs=0.01)


def test_zones_end_in_the_middle_of_their_overlaps():
    assert pytest.approx((0.31, 0.54)) == ZONE_LIMITS


def test_a_lung_that_was_changed_is_named_in_a_patient():
    before = simulated(0)
    fit = align_image(before)
    after = before.clone()
    after[0, :, 100:130, 95:135] += 0.2  # of 160: the base of the left lung
    change = describe_change(before[0], after[0].clamp(0, 1), fit.frame, fitted=fit.fitted)
    assert change.side == "left" and change.zones[-1] == "lower" and change.fitted and change.sign == "brighter"


def test_edits_are_described_by_their_pixels_not_by_their_prompts(pipe):
    picture = Image.fromarray(make_radiograph(60, 90))
    mask = torch.zeros(1, 1, 60, 90)
    mask[..., 5:15, 10:25] = 1  # the patient's right, above
    output = edit(pipe, picture, "Add the finding of left pleural effusion.", guidance_mask=mask, output_type="pt")
    (change,) = output.changes
    assert change.side == "right" and change.zones == ("upper",) and change.place == "chest"
    before = torch.from_numpy(make_radiograph(60, 90) / 255)[None].float()
    assert change == describe_change(before, output.images[0])
    assert edit(pipe, picture, edit_strength=0.0).changes[0].sign is None
    assert edit(pipe, picture, output_type="latent").changes is None


def test_every_output_has_its_own_change(pipe):
    pictures = [Image.fromarray(make_radiograph(60, 60, seed)) for seed in (1, 2)]
    output = edit(pipe, pictures, num_images_per_prompt=2, generator=[1, 2, 3, 4])
    assert len(output.changes) == 4
    alone = edit(pipe, pictures[1], generator=4)
    assert output.changes[3] == alone.changes[0]
