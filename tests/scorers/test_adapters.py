"""Torch modules as scorers: preparation, activations, labels, and errors of the module."""

import pytest
import torch
from scorer_cases import Grey, images

from x2x_core.common.errors import InputError
from x2x_core.scorers.adapters import ModuleScorer
from x2x_core.scorers.scorer import ImageScorer, score_images


def test_a_module_is_a_scorer_and_images_are_prepared_for_it():
    scorer = ModuleScorer(Grey(), ["Effusion", "mean age"], "value", name="grey", low=-1024, high=1024)
    assert isinstance(scorer, ImageScorer) and scorer.labels == ("pleural effusion", "mean age")
    found = score_images(scorer, images())
    assert found.dtype == torch.float64 and found.shape == (3, 2)
    assert torch.allclose(found[:, 0].float(), images().mean((1, 2, 3)) * 2048 - 1024, atol=1e-2)


def test_activations_make_probabilities():
    logits = lambda given: torch.log(torch.tensor([[0.2, 0.8]])).expand(len(given), 2)  # noqa: E731
    for activation in ("softmax", "exp"):
        scorer = ModuleScorer(logits, ["a", "b"], "probability", activation=activation)
        assert torch.allclose(scorer(images()), torch.tensor([[0.2, 0.8]]).expand(3, 2))
    assert torch.allclose(
        ModuleScorer(logits, ["a", "b"], "value", activation="sigmoid")(images(1)), logits([0]).sigmoid()
    )


def test_outputs_without_a_label_are_left_out():
    scorer = ModuleScorer(
        lambda x: torch.tensor([[0.1, float("nan"), 0.3]]).expand(len(x), 3), ["a", "", "c"], "probability"
    )
    assert scorer.labels == ("a", "c") and torch.allclose(
        score_images(scorer, images()).float()[0], torch.tensor([0.1, 0.3])
    )


def raise_value_error(given):
    raise ValueError("no lungs\nin this image")


def return_a_list(given):
    return [0.0]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            torch.nn.Linear(3, 2),
            r"The network 'mine' failed on images \(3, 1, 20, 20\): RuntimeError: mat1 and mat2 shapes",
        ),
        (raise_value_error, r"The network 'mine' failed on images \(3, 1, 20, 20\): ValueError: in this image$"),
        (return_a_list, r"The network 'mine' must return a tensor, got list\.$"),
        (Grey(), r"The network 'mine' must return 1 numbers per image, one for each label, got shape \(3, 2\)\.$"),
    ],
)
def test_a_network_that_fails_is_named_with_its_error_in_one_line(network, message):
    scorer = ModuleScorer(network, ["a"], "value", name="mine")
    with pytest.raises(InputError, match=message) as caught:
        scorer(images())
    assert "\n" not in str(caught.value)


def test_an_unknown_activation_is_refused():
    with pytest.raises(InputError, match="`activation` must be one of none, sigmoid, softmax, exp, got 'relu'"):
        ModuleScorer(Grey(), ["a", "b"], "value", activation="relu")
