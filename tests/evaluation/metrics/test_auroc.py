"""AUROC and accuracy: against torchmetrics, cases worked by hand, and what is undefined."""

import math

import pytest
import torch
from torchmetrics.functional.classification import binary_auroc, multiclass_accuracy, multiclass_auroc, multilabel_auroc

from x2x_core.evaluation.metrics.accuracy import accuracy
from x2x_core.evaluation.metrics.auroc import auroc, macro_auroc
from x2x_core.evaluation.metrics.bootstrap import draw_counts
from x2x_core.evaluation.metrics.estimates import weighted_mean

ONE = lambda n: torch.ones(1, n, dtype=torch.float64)  # noqa: E731


def random_case(n, levels, seed):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(levels, (n,), generator=generator) / levels
    return scores.double(), torch.rand(n, generator=generator) < 0.3 + 0.4 * scores


@pytest.mark.parametrize("levels", [2, 5, 10_000])  # from many ties to none
@pytest.mark.parametrize("seed", range(4))
def test_auroc_is_that_of_torchmetrics_ties_included(levels, seed):
    scores, positive = random_case(80, levels, seed)
    assert float(auroc(scores, positive, ONE(80))) == pytest.approx(
        float(binary_auroc(scores, positive.long())), abs=1e-6
    )


def test_auroc_worked_by_hand():
    scores = torch.tensor([0.1, 0.4, 0.4, 0.8])
    positive = torch.tensor([False, False, True, True])
    # of the four couples three are won and one (0.4 against 0.4) is a tie: (3 + 1/2) / 4
    assert float(auroc(scores, positive, ONE(4))) == 0.875
    assert float(auroc(torch.full((4,), 0.3), positive, ONE(4))) == 0.5
    assert float(auroc(-scores, positive, ONE(4))) == 0.125


def test_weights_count_as_repetition():
    scores, positive = random_case(30, 6, 1)
    counts = draw_counts(list(range(30)), torch.Generator().manual_seed(2), 20)
    found = auroc(scores, positive, counts)
    for weights, value in zip(counts.long(), found):
        again = [one.repeat_interleave(weights) for one in (scores, positive)]
        assert float(value) == pytest.approx(float(binary_auroc(again[0], again[1].long())), abs=1e-6)


def test_an_absent_class_is_undefined_and_left_out_of_the_mean():
    scores = torch.tensor([[0.1, 0.9, 0.2], [0.8, 0.3, 0.7], [0.9, 0.5, 0.4]], dtype=torch.float64)
    positive = torch.tensor([[False, True, False], [True, True, False], [True, True, True]])
    known = torch.ones_like(positive)
    assert math.isnan(float(auroc(scores[:, 1], positive[:, 1], ONE(3))))
    expected = (1 + 0.5) / 2  # of the first and the third finding alone
    assert float(macro_auroc(scores, positive, known, ONE(3))) == expected
    assert math.isnan(float(macro_auroc(scores[:, 1:2], positive[:, 1:2], known[:, 1:2], ONE(3))))


def test_the_mean_over_classes_is_that_of_torchmetrics():
    scores = torch.rand(60, 3, generator=torch.Generator().manual_seed(0))
    truth = scores.argmax(1).where(
        torch.rand(60, generator=torch.Generator().manual_seed(1)) < 0.6, torch.arange(60) % 3
    )
    one_hot = torch.nn.functional.one_hot(truth, 3).bool()
    found = macro_auroc(scores, one_hot, torch.ones_like(one_hot), ONE(60))
    shares = scores / scores.sum(1, keepdim=True)
    assert float(macro_auroc(shares, one_hot, torch.ones_like(one_hot), ONE(60))) == pytest.approx(
        float(multiclass_auroc(shares, truth, 3)), abs=1e-6
    )
    assert float(found) == pytest.approx(float(multilabel_auroc(scores, one_hot.long(), 3)), abs=1e-6)
    assert float(accuracy(scores, truth, ONE(60))) == pytest.approx(
        float(multiclass_accuracy(scores, truth, 3, average="micro"))
    )


def test_unknown_labels_are_left_out():
    scores = torch.tensor([[0.1], [0.9], [0.5]])
    positive, known = torch.tensor([[False], [True], [True]]), torch.tensor([[True], [True], [False]])
    assert float(macro_auroc(scores, positive, known, ONE(3))) == 1
    wrong = torch.tensor([[False], [True], [False]])
    assert float(macro_auroc(scores, wrong, known, ONE(3))) == 1


def test_accuracy_counts_the_highest_score():
    scores = torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])
    truth = torch.tensor([0, 2, 2, 1])
    assert float(accuracy(scores, truth, ONE(4))) == 0.75
    assert float(accuracy(scores, truth, torch.tensor([[0.0, 3, 0, 1]]))) == 0.25


def test_weighted_means_ignore_nan():
    values = torch.tensor([1.0, float("nan"), 4.0])
    assert weighted_mean(values, torch.tensor([[1.0, 1, 1], [1, 5, 2]])).tolist() == [2.5, 3.0]
    assert math.isnan(float(weighted_mean(values, torch.tensor([[0.0, 1, 0]]))))


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="`positive` must be bool"):
        auroc(torch.rand(3), torch.ones(3), ONE(3))
    with pytest.raises(ValueError, match=r"`weights` must be \(R, 3\)"):
        auroc(torch.rand(3), torch.ones(3) > 0, ONE(4))
    with pytest.raises(ValueError, match="`scores` must be numbers, got nan"):
        auroc(torch.full((3,), float("nan")), torch.ones(3) > 0, ONE(3))
