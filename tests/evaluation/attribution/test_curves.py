"""Deletion and insertion against a loop over pixels, and on a map that is right."""

import pytest
import torch
from attribution_cases import SIDE, WeightedSum, scorer_of, weights_in
from grounding_cases import LESION

from x2x_core.common.errors import InputError
from x2x_core.evaluation.attribution.blurring import blurred
from x2x_core.evaluation.attribution.curves import deletion_insertion
from x2x_core.evaluation.attribution.target import Target

IMAGE = torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
TARGET = Target(
    scorer_of(WeightedSum(0.01 * torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(4)))), "edema"
)


def test_they_are_what_a_loop_over_pixels_gives():
    map = torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(5))
    curves = deletion_insertion(TARGET, IMAGE, map, steps=4)
    order = sorted(range(SIDE * SIDE), key=lambda pixel: -float(map.flatten()[pixel]))
    deleted, inserted = IMAGE.flatten().clone(), blurred(IMAGE).flatten().clone()
    smooth = inserted.clone()
    for step in range(5):
        for pixel in order[: step * SIDE * SIDE // 4]:
            deleted[pixel], inserted[pixel] = smooth[pixel], IMAGE.flatten()[pixel]
        assert curves.deletion[step] == pytest.approx(float(TARGET.probability(deleted.reshape(IMAGE.shape))), abs=1e-6)
        assert curves.insertion[step] == pytest.approx(
            float(TARGET.probability(inserted.reshape(IMAGE.shape))), abs=1e-6
        )
    assert curves.deletion[0] == curves.insertion[-1] and curves.deletion[-1] == curves.insertion[0]
    heights = (curves.deletion[:-1] + curves.deletion[1:]) / 2
    assert curves.deletion_area == pytest.approx(float(heights.mean()))


def test_a_map_of_the_weights_deletes_faster_and_inserts_faster_than_its_opposite():
    image = torch.full((1, 1, SIDE, SIDE), 0.3)
    image[(..., *LESION)] = 0.9
    weights = weights_in(LESION)
    target = Target(scorer_of(WeightedSum(weights, 9.0)), "edema")
    right, wrong = (deletion_insertion(target, image, sign * weights[None, None]) for sign in (1, -1))
    assert right.deletion_area < wrong.deletion_area and right.insertion_area > wrong.insertion_area


def test_shapes_and_steps_are_checked():
    with pytest.raises(InputError, match="`map` must have the image's shape"):
        deletion_insertion(TARGET, IMAGE, IMAGE[0])
    with pytest.raises(InputError, match="`steps` must be at least 1"):
        deletion_insertion(TARGET, IMAGE, IMAGE, steps=0)


def test_a_blur_keeps_a_uniform_image_and_the_range():
    assert torch.allclose(blurred(torch.full((1, 1, 9, 30), 0.4)), torch.full((1, 1, 9, 30), 0.4), atol=1e-6)
    assert blurred(IMAGE).std() < IMAGE.std() / 3
