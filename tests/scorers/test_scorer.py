"""The protocol of scorers, and the checked scoring of images."""

import pytest
import torch
from scorer_cases import Grey, images

from x2x_core.scorers.adapters import ModuleScorer
from x2x_core.scorers.scorer import check_scorer, score_images


class OneLabel:
    """A scorer against the protocol: two numbers for one label."""

    name, labels, kind = "one", ("a",), "value"

    def __call__(self, images):
        return torch.zeros(len(images), 2)


def test_scores_do_not_depend_on_the_batch_size():
    scorer = ModuleScorer(Grey(), ["a", "b"], "probability")
    assert torch.equal(score_images(scorer, images(7), at_once=2), score_images(scorer, images(7)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": ()}, "`labels` of scorer 'grey' must be different names, at least one, got \\(\\)"),
        ({"labels": ("a", "a")}, "must be different names, at least one, got \\('a', 'a'\\)"),
        ({"kind": "score"}, "`kind` of scorer 'grey' must be one of probability, value"),
    ],
)
def test_what_is_no_scorer_is_refused(change, words):
    scorer = ModuleScorer(Grey(), ["a", "b"], "value", name="grey")
    vars(scorer).update(change)
    with pytest.raises(ValueError, match=words):
        check_scorer(scorer)
    with pytest.raises(ValueError, match="must have `name`, `labels` and `kind`"):
        check_scorer(Grey())


def test_scores_of_the_wrong_shape_or_range_are_refused():
    with pytest.raises(ValueError, match=r"must have shape \(3, 1\), one for each image and label"):
        score_images(OneLabel(), images())
    with pytest.raises(ValueError, match=r"must be in \[0, 1\], got"):
        score_images(ModuleScorer(Grey(), ["a", "b"], "probability", high=9.0), images())
    with pytest.raises(ValueError, match="`images` must be floating point in"):
        score_images(ModuleScorer(Grey(), ["a", "b"], "value"), images() * 300)
    with pytest.raises(ValueError, match=r"`images` must be a tensor \(B, 1, H, W\)"):
        score_images(ModuleScorer(Grey(), ["a", "b"], "value"), images()[0])
