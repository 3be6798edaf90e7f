"""Pictures in a narrow range of greys are edited within their own contrast."""

import numpy as np
import pytest
import torch
from edit_cases import edit
from tiny_models import make_radiograph

from x2x_core.edit.encoding import encode


def narrow(low=80, high=119):
    grey = make_radiograph(64, 64).astype(float)
    return np.round(low + (grey - grey.min()) / np.ptp(grey) * (high - low)).astype(np.uint8)


@pytest.mark.parametrize("composition", ["difference", "saturating", "decoded"])
@pytest.mark.parametrize("limits", [(80, 119), (0, 40), (200, 255)])
def test_an_edit_of_a_narrow_range_stays_within_it(pipe, composition, limits):
    image = narrow(*limits)
    output = edit(pipe, image, output_type="np", mask_threshold=0.4, composition=composition)
    mask, after = output.guidance_mask[0, 0].numpy(), output.images[0, ..., 0]
    assert (after == image)[~mask].all() and (after != image)[mask].any()
    assert after.min() >= limits[0] and after.max() <= limits[1]


def test_the_model_sees_a_narrow_range_stretched_and_an_ordinary_one_as_it_is(pipe, monkeypatch):
    seen = []

    def watch(pipeline, inputs, canvases):
        encoded = encode(pipeline, inputs, canvases)
        seen.append((encoded.contrast, encoded.images.pixels))
        return encoded

    monkeypatch.setattr("x2x_core.edit.running.encode", watch)
    edit(pipe, narrow(), output_type="np")
    edit(pipe, make_radiograph(64, 64), output_type="np")
    (contrast, pixels), (ordinary, as_is) = seen
    stretched = contrast.to_model(pixels)
    assert stretched.min() == 0 and stretched.max() == 1
    assert torch.equal(ordinary.to_model(as_is), as_is)


def test_the_published_code_is_reproduced_without_stretching(pipe, monkeypatch):
    seen = []

    def watch(pipeline, inputs, canvases):
        encoded = encode(pipeline, inputs, canvases)
        seen.append(encoded.contrast)
        return encoded

    monkeypatch.setattr("x2x_core.edit.running.encode", watch)
    edit(pipe, narrow(), output_type="np", reference=True)
    assert seen == [None]
