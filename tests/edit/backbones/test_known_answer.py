"""A model with a known answer: its map, its mask and its edit come out right, and wrong if the wiring is."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from backbone_models import MAKERS
from edit_cases import BARE
from known_models import STRENGTH, make_known, rectangle
from tiny_models import seeded

from x2x_core import X2XEdit
from x2x_core.edit.backbones.conditioning import IMAGE, TEXT
from x2x_core.edit.backbones.registry import backbone_of

SCALES = {  # and the factor of `STRENGTH` that they make
    "instruct_pix2pix": ({"guidance_scale": 2.0, "image_guidance_scale": 1.0}, 2.0),
    "instruct_pix2pix_xl": ({"guidance_scale": 2.0, "image_guidance_scale": 1.0}, 2.0),
    "inpainting": ({"guidance_scale": 2.0}, 2.0),
    "inpainting_xl": ({"guidance_scale": 2.0}, 2.0),
    "kontext": ({"guidance_scale": 2.0}, 1.0),
    "klein": ({"guidance_scale": 2.0}, 2.0),
    "klein_distilled": ({}, 1.0),
    "qwen": ({"guidance_scale": 1.0}, 1.0),  # guidance rescales the prediction
}
# Between the rectangle's corner pixels and the pixels next to its edges, after bilinear upsampling by 4 at most.
LEVEL = 0.38


class Wrapped:
    """A backbone with something changed."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


class Swapped(Wrapped):
    def condition(self, *given):
        right = self.inner.condition(*given)
        return replace(right.of(IMAGE, TEXT, *right.branches[2:]), branches=right.branches)


class Transposed(Wrapped):
    def predict(self, *given):
        return tuple(prediction.transpose(-1, -2) for prediction in self.inner.predict(*given))


def check_answer(kind, wrap=None):
    pipe = make_known(kind, MAKERS[kind]())
    backbone = backbone_of(pipe)
    edit = X2XEdit(pipe, backbone=backbone if wrap is None else wrap(backbone))
    sizes = backbone.geometry
    side, cells = sizes.resolution, sizes.resolution // sizes.cell
    picture = np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
    scales, factor = SCALES[kind]
    output = edit(
        picture, "Make it red.", num_inference_steps=3, mask_threshold=LEVEL, generator=seeded(), output_type="latent",
        **{**BARE, **scales},
    )  # fmt: skip
    known = rectangle(side, side) > 0
    assert torch.equal(output.guidance_mask[0, 0], known)
    found = edit.relevance(picture, "Make it red.", generator=seeded()).latent_relevance_map[0, 0]
    assert torch.allclose(found, rectangle(cells, cells), atol=1e-4)
    clean = backbone.to_latents(backbone.encode_image(torch.from_numpy(picture).permute(2, 0, 1)[None]))
    place = rectangle(cells, cells)
    base = clean * (1 - place) if kind.startswith("inpainting") else clean
    assert torch.allclose(output.images, base + factor * STRENGTH * place, atol=1e-3)


@pytest.mark.parametrize("kind", MAKERS)
def test_map_mask_and_edit_are_the_known_ones(kind):
    check_answer(kind)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("wrong", [Swapped, Transposed])
def test_swapped_branches_and_a_transposed_grid_are_noticed(kind, wrong):
    with pytest.raises(AssertionError):
        check_answer(kind, wrong)
