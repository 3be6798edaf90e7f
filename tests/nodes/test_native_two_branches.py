"""The relevance map of a model that is not InstructPix2Pix: a FLUX transformer with random weights."""

from __future__ import annotations

import pytest
import torch
from comfy_models import flux
from comfy_pack import run
from tiny_models import seeded

pytestmark = pytest.mark.usefixtures("without_gradients")


@pytest.fixture(scope="module")
def model():
    """Return a MODEL."""
    return flux().model


LATENT = {"samples": torch.randn(1, 16, 8, 12, generator=seeded(3))}


def text(seed, **more):
    """Return a CONDITIONING."""
    words = torch.randn(1, 5, 32, generator=seeded(seed))
    return [[words, {"pooled_output": torch.randn(1, 16, generator=seeded(seed + 1)), **more}]]


def relevance(model, positive, negative, latent=LATENT, **more):
    widgets = {"noise_level": "0.6, 0.8", "draws": 2, "seed": 0, **more}
    return run(
        "X2XNativeRelevanceMap", model=model, positive=positive, negative=negative, latent=latent, **widgets
    )[0]  # fmt: skip


def test_it_is_a_map_that_equal_texts_leave_flat(model, caplog):
    found = relevance(model, text(1), text(5))
    assert found.shape == (1, 64, 96) and found.min() >= 0 and found.max() <= 1
    assert found.max() - found.min() > 0.5
    assert torch.equal(found, relevance(model, text(1), text(5)))
    assert not relevance(model, text(1), text(1)).any() and "is flat" in caplog.text


def test_a_model_with_a_known_answer(model):
    """With the instruction the model predicts another picture in the upper right corner alone."""
    import torch.nn.functional as F

    corner = torch.zeros(1, 1, 8, 12)
    corner[..., :6, 6:] = 1
    seen = []

    def predict(_, arguments):
        branches = arguments["cond_or_uncond"]
        seen.append(sorted(branches))
        parts = [corner.expand(1, 16, -1, -1) * (branch == 0) for branch in branches]
        return torch.cat(parts)

    patched = model.clone()
    patched.set_model_unet_function_wrapper(predict)
    found = relevance(patched, text(1), text(5))
    assert seen == [[0, 1]] * 4  # two branches for each draw and level
    assert torch.equal(F.avg_pool2d(found[None], 8)[0, 0] > 0.5, corner[0, 0] > 0)


def test_reference_latents_reach_the_model(model):
    plain = relevance(model, text(1), text(5))
    reference = {"reference_latents": [LATENT["samples"]]}
    assert (relevance(model, text(1, **reference), text(5, **reference)) - plain).abs().max() > 0.01


def test_latents_of_another_model_are_rejected(model):
    for shape in ((1, 4, 8, 8), (1, 16, 1, 8, 8)):
        with pytest.raises(ValueError, match=r"`latent` must have shape \(batch, 16"):
            relevance(model, text(1), text(5), {"samples": torch.zeros(shape)})
