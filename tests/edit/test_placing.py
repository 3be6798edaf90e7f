"""The canvas of each output: whole pictures, and crops around what may change."""

import torch

from x2x_core.edit.placing import PlacingInputs, place_outputs
from x2x_core.edit.region import Region
from x2x_core.imaging.canvas import Canvas
from x2x_core.imaging.crop_window import CropWindow

CANVAS = Canvas.square((100, 200), 64, 8)


def mask_of(*boxes):
    masks = torch.zeros(len(boxes), 1, 100, 200)
    for mask, (top, bottom, left, right) in zip(masks, boxes):
        mask[0, top:bottom, left:right] = 0.01
    return masks


def test_without_a_margin_or_a_region_the_picture_is_whole():
    region = Region(mask_of((10, 20, 10, 20), (0, 5, 0, 5)))
    assert place_outputs(PlacingInputs(CANVAS, 2, None), region).each == (CANVAS, CANVAS)
    assert place_outputs(PlacingInputs(CANVAS, 2, 8), None).each == (CANVAS, CANVAS)


def test_each_output_has_a_window_around_all_that_may_change():
    region = Region(mask_of((0, 60, 100, 140), (20, 40, 0, 60), (0, 0, 0, 0), (0, 100, 0, 190)))
    placed = place_outputs(PlacingInputs(CANVAS, 4, 8), region)  # 8 of 64 pixels are 25 of 200
    assert placed.windows == [CropWindow(0, 65, 100, 110), CropWindow(0, 0, 100, 110), None, None]
    assert placed.cells == CANVAS.cells


def test_a_guidance_mask_takes_the_regions_place():
    mask = mask_of((40, 60, 150, 170)) > 0
    placed = place_outputs(PlacingInputs(CANVAS, 1, 0, mask), None)
    assert placed.windows == [CropWindow(10, 120, 80, 80)]  # the smallest window
