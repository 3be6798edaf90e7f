"""Explanations of classifiers whose right explanation is known."""

from types import SimpleNamespace

import pytest
import torch
from attribution_cases import SIDE, Convolution, WeightedSum, scorer_of, weights_in
from grounding_cases import LESION, DrawingPipeline

from x2x_core.common.errors import InputError
from x2x_core.evaluation.attribution.gradients import default_layer, grad_cam, integrated_gradients
from x2x_core.evaluation.attribution.latent_shift import latent_shift
from x2x_core.evaluation.attribution.methods import CHANCE, EDIT, GRAD_CAM, METHODS, PLACE, explain
from x2x_core.evaluation.attribution.target import Target
from x2x_core.scorers.bundled import finding_scorer

IMAGE = torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


class SameVae:
    """An autoencoder whose latents are the pixels."""

    device, dtype = torch.device("cpu"), torch.float32

    def encode(self, pixels):
        return SimpleNamespace(latent_dist=SimpleNamespace(mean=pixels))

    def decode(self, latents):
        return SimpleNamespace(sample=latents)


def test_integrated_gradients_of_a_weighted_sum_are_weight_times_pixel():
    weights = 0.02 * torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    found = integrated_gradients(Target(scorer_of(WeightedSum(weights)), "edema"), IMAGE)
    assert torch.allclose(found, (weights * IMAGE).abs(), atol=1e-4)


def test_grad_cam_is_the_weighted_sum_of_the_layer():
    module = Convolution()
    found = grad_cam(Target(scorer_of(module), "edema"), IMAGE)
    layer = module.last(torch.relu(module.first(IMAGE))).detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(module.give(torch.relu(layer).mean((2, 3))).sum(), layer)
    expected = (gradient.mean((2, 3), keepdim=True) * layer).sum(1, keepdim=True).clamp_min(0).detach()
    assert torch.allclose(found, expected, atol=1e-6) and found.max() > 0


def test_grad_cam_of_the_bundled_network_is_laid_over_the_image():
    target = Target(finding_scorer(), "edema")
    found = grad_cam(target, torch.rand(1, 1, 60, 90, generator=torch.Generator().manual_seed(0)))
    assert found.shape == (1, 1, 60, 90) and torch.isfinite(found).all() and found.min() >= 0


def test_a_latent_shift_moves_the_pixels_that_the_classifier_weighs():
    weights = weights_in(LESION)
    target = Target(scorer_of(WeightedSum(weights, 5.0)), "edema")
    found = latent_shift(target, IMAGE, SameVae(), SIDE)
    assert (found[0, 0][weights == 0] == 0).all() and found[0, 0][LESION].mean() > 0.01


def test_a_latent_shift_through_a_vae_is_laid_over_the_image(pipe):
    image = torch.rand(1, 1, 50, 70, generator=torch.Generator().manual_seed(0))
    target = Target(scorer_of(Convolution()), "edema")
    found = latent_shift(target, image, pipe.vae, 64)
    assert found.shape == image.shape and torch.isfinite(found).all() and found.min() >= 0


def test_scores_with_gradients_are_the_scores():
    scorer = finding_scorer()
    images = IMAGE.clone().requires_grad_(True)
    scores = scorer.with_gradients(images)
    assert torch.equal(scores.detach(), scorer(IMAGE)) and not scorer(images).requires_grad
    (gradient,) = torch.autograd.grad(scores.sum(), images)
    assert gradient.abs().max() > 0


def test_an_edit_explains_by_what_it_changes_and_names_no_place():
    image = torch.full((1, 1, SIDE, SIDE), 0.3)
    image[(..., *LESION)] = 0.7
    target = Target(scorer_of(WeightedSum(weights_in(LESION), 7.0)), "edema")
    found = explain(DrawingPipeline(), target, image, 0, (EDIT, PLACE, CHANCE))
    assert list(found.maps) == [EDIT, PLACE, CHANCE] and found.after_edit < 0.1
    outside = torch.ones(SIDE, SIDE, dtype=torch.bool)
    outside[LESION] = False
    assert (found.maps[EDIT][0, 0][outside] == 0).all() and found.maps[EDIT][0, 0][LESION].min() > 0.3
    again = explain(DrawingPipeline(), target, image, 0, (CHANCE,))
    assert torch.equal(again.maps[CHANCE], found.maps[CHANCE]) and again.after_edit is None


def test_all_methods_give_a_map_of_the_image_s_size(pipe):
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    found = explain(pipe, Target(scorer_of(Convolution()), "edema"), image, 0, num_inference_steps=1)
    assert tuple(found.maps) == METHODS and all(map.shape == image.shape for map in found.maps.values())


def test_what_can_t_be_explained_is_refused():
    class Plain:
        name, labels, kind = "plain", ("edema",), "probability"

        def __call__(self, images):
            return images.mean((1, 2, 3))[:, None]

    with pytest.raises(InputError, match="must give probabilities with derivatives"):
        Target(Plain(), "edema")
    with pytest.raises(InputError, match="`finding` must be a label of"):
        Target(scorer_of(Convolution()), "pneumonia")
    fixed = scorer_of(lambda images: images.detach().mean((1, 2, 3))[:, None])
    with pytest.raises(InputError, match="must have derivatives by the image"):
        integrated_gradients(Target(fixed, "edema"), IMAGE)
    with pytest.raises(InputError, match="must be a torch module with convolutions"):
        default_layer(fixed)
    with pytest.raises(InputError, match="`methods` must be some of"):
        explain(None, Target(scorer_of(Convolution()), "edema"), IMAGE, 0, (GRAD_CAM, "guess"))
    with pytest.raises(InputError, match="`resolution` must be at least 1"):
        latent_shift(Target(scorer_of(Convolution()), "edema"), IMAGE, SameVae(), 0)
