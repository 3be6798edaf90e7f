"""Measures of changed pixels: cases worked by hand."""

import pytest
import torch
from lung_cases import radiograph, truth
from scipy.ndimage import gaussian_filter
from torchmetrics.functional.classification import binary_f1_score

from x2x_core.evaluation.metrics.catalogue import METRICS, PIXELS
from x2x_core.evaluation.metrics.dice import dice
from x2x_core.evaluation.metrics.lung_fields import find_lungs
from x2x_core.evaluation.metrics.mask_measures import far_outside, mask_measures
from x2x_core.evaluation.metrics.psnr import LARGEST_PSNR


@pytest.fixture
def case():
    before = torch.rand(1, 40, 40, generator=torch.Generator().manual_seed(0)) * 0.5
    mask = torch.zeros(1, 40, 40, dtype=torch.bool)
    mask[:, 10:20, 10:20] = True
    target = before.clone()
    target[mask] += 0.25
    return before, target, mask


def test_a_restricted_edit_leaves_the_outside_alone(case):
    before, target, mask = case
    edited = before.clone()
    edited[0, 10:15, 10:20] += 0.1
    found = mask_measures(edited, before, target, mask)
    assert set(found) == {key for key, measure in METRICS.items() if measure.group == PIXELS}
    assert found["change_outside_mask"] == 0 and found["ssim_outside"] == 1 and found["psnr_outside"] == LARGEST_PSNR
    assert found["editable_share"] == 100 / 1600 and found["changed_share"] == 50 / 1600
    # half of the mask is 0.15 from the target, half 0.25: 10 log10(1 / mean of squares)
    expected = 10 * torch.log10(torch.tensor(1 / ((0.15**2 + 0.25**2) / 2)))
    assert found["psnr_inside"] == pytest.approx(float(expected), abs=1e-3) and found["ssim_inside"] < 1


def test_a_leak_is_found_and_the_target_is_itself(case):
    before, target, mask = case
    edited = before.clone()
    edited[0, 35, 35] += 0.125
    found = mask_measures(edited, before, target, mask)
    assert found["change_outside_mask"] == pytest.approx(0.125) and found["psnr_outside"] < LARGEST_PSNR
    itself = mask_measures(target, before, target, mask)
    assert itself["ssim_inside"] == pytest.approx(1) and itself["psnr_inside"] == LARGEST_PSNR


def test_masks_of_everything_and_of_nothing_leave_sides_undefined(case):
    before, target, mask = case
    everything = mask_measures(target, before, target, torch.ones_like(mask))
    assert everything["change_outside_mask"] is everything["ssim_outside"] is everything["psnr_outside"] is None
    nothing = mask_measures(before, before, target, torch.zeros_like(mask))
    assert nothing["ssim_inside"] is nothing["psnr_inside"] is None and nothing["editable_share"] == 0


def test_far_outside_is_five_pixels_off(case):
    _, _, mask = case
    far = far_outside(mask)
    assert not far[0, 5:25, 5:25].any() and far[0, 4].all() and far.sum() == 1600 - 400


def test_dice_worked_by_hand():
    first, second = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    assert dice(first, second) is None
    first[0, 0], second[0, 0, 2:], second[0, 1, :2] = True, True, True
    assert dice(first, second) == 0.5 and dice(first, first) == 1
    with pytest.raises(ValueError, match="bool and of one shape"):
        dice(first, second.float())


def test_dice_is_torchmetrics_s_f1():
    first, second = torch.rand(2, 1, 30, 30, generator=torch.Generator().manual_seed(0)) > 0.6
    assert dice(first, second) == pytest.approx(float(binary_f1_score(first.long(), second.long())))


def test_the_similarity_inside_is_wang_s_formula_on_scipy_s_windows(case):
    before, target, mask = case
    x, y = before[0].double().numpy(), target[0].double().numpy()
    blur = lambda image: gaussian_filter(image, 1.5, truncate=3.4, mode="mirror")  # noqa: E731, 11 pixels wide
    mean_x, mean_y = blur(x), blur(y)
    spread_x, spread_y, shared = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2, blur(x * y) - mean_x * mean_y
    low, high = 0.01**2, 0.03**2
    similarity = (2 * mean_x * mean_y + low) * (2 * shared + high)
    similarity /= (mean_x**2 + mean_y**2 + low) * (spread_x + spread_y + high)
    found = mask_measures(before, before, target, mask)["ssim_inside"]
    assert found == pytest.approx(similarity[mask[0].numpy()].mean(), abs=1e-4)


def test_lungs_are_found_where_they_are():
    assert dice(find_lungs(radiograph(0)[0]), truth(0).any(0, keepdim=True)) > 0.85
