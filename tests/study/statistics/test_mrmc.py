"""Readers and cases random: published figures, other programs on one table, identities and properties."""

import numpy as np
import pytest
from statistics_published import IMRMC, MRMCAOV, MRMCAOV_COMPONENTS, MRMCAOV_MEANS, POWER, RATINGS, VAN_DYKE

from x2x_core.common.errors import InputError
from x2x_core.study.statistics.figures import (
    DELONG,
    JACKKNIFE,
    UNBIASED,
    Figures,
    accuracy,
    auc,
    estimate,
    kernel,
)
from x2x_core.study.statistics.obuchowski_rockette import (
    Components,
    compare,
    compare_fixed_readers,
    covariances,
    mean_of,
)
from x2x_core.study.statistics.one_shot import one_shot_difference, one_shot_mean, variance
from x2x_core.study.statistics.power import power_of_chance, power_of_comparison, power_of_equivalence
from x2x_core.study.statistics.ratings import Ratings, read_ratings


@pytest.fixture(scope="module")
def ratings():
    return read_ratings(RATINGS)


def van_dyke(kind, by_method=None):
    """Return the published AUCs with a covariance matrix that has the published components."""
    values = np.array(VAN_DYKE["values"])
    error, cov1, cov2, cov3 = VAN_DYKE[kind]
    same_method, same_reader = np.eye(2, dtype=bool)[:, None, :, None], np.eye(5, dtype=bool)[None, :, None, :]
    matrix = np.where(
        same_method, np.where(same_reader, error, cov2), np.where(same_reader, cov1, np.full((2, 5, 2, 5), cov3))
    )
    for method, own in enumerate(by_method or ()):
        matrix[method, :, method][~np.eye(5, dtype=bool)] = own
    return Figures(values, matrix, ("1", "2"), tuple("12345"))


def test_the_published_comparison_of_the_van_dyke_study():
    found = compare(van_dyke("DeLong", VAN_DYKE["DeLong by method"]))
    assert found.f == pytest.approx(VAN_DYKE["f"], rel=1e-4)
    assert found.freedom == pytest.approx(VAN_DYKE["freedom"], rel=1e-4)
    assert found.p == pytest.approx(VAN_DYKE["p"], rel=1e-4)
    assert found.components.interaction == pytest.approx(VAN_DYKE["interaction"], rel=1e-4)
    assert found.components.reader == pytest.approx(VAN_DYKE["reader"], rel=1e-4)
    difference = found.differences["1", "2"]
    figures = (difference.value, difference.error, difference.low, difference.high, difference.statistic)
    assert figures == pytest.approx(VAN_DYKE["difference"], rel=1e-4, abs=1e-7)
    for name, expected in zip(("1", "2"), VAN_DYKE["means"], strict=True):
        mean = found.means[name]
        assert (mean.value, mean.error, mean.freedom, mean.low, mean.high) == pytest.approx(expected, rel=1e-4)


def test_the_published_comparison_for_fixed_readers():
    statistic, freedom, p = compare_fixed_readers(van_dyke("jackknife"))
    assert (statistic, freedom, p) == pytest.approx(VAN_DYKE["fixed readers"], rel=1e-4)


def test_the_published_power_of_a_study_planned_from_the_van_dyke_study():
    components = compare(van_dyke("jackknife")).components
    found = power_of_comparison(components, 114, POWER["readers"], POWER["cases"], POWER["difference"])
    assert found.power == pytest.approx(POWER["power"], abs=1e-6)


@pytest.mark.parametrize("covariance", [JACKKNIFE, DELONG, UNBIASED])
def test_the_comparison_agrees_with_mrmcaov(ratings, covariance):
    found = compare(estimate(ratings, auc, covariance))
    assert (found.f, found.freedom[1], found.p) == pytest.approx(MRMCAOV[covariance], rel=1e-8)
    if covariance in MRMCAOV_COMPONENTS:
        assert tuple(vars(found.components).values()) == pytest.approx(MRMCAOV_COMPONENTS[covariance], rel=1e-8)
    else:
        for name, expected in MRMCAOV_MEANS.items():
            mean = found.means[name]
            assert (mean.value, mean.error, mean.freedom) == pytest.approx(expected, rel=1e-8)


def test_the_one_shot_estimate_agrees_with_imrmc(ratings):
    for method in (0, 1):
        mean = one_shot_mean(ratings, method)
        assert mean.value == pytest.approx(IMRMC["auc"][method], rel=1e-9)
        assert mean.error**2 == pytest.approx(IMRMC["variance"][method], rel=1e-9)
        assert mean.freedom == pytest.approx(IMRMC["freedom"][method], rel=1e-9)
    difference = one_shot_difference(ratings)
    assert difference.value == pytest.approx(IMRMC["difference"], rel=1e-9)
    assert difference.error**2 == pytest.approx(IMRMC["variance of difference"], rel=1e-9)
    assert difference.freedom == pytest.approx(IMRMC["freedom of difference"], rel=1e-9)


def test_the_one_shot_variance_is_that_of_the_model_with_unbiased_covariances(ratings):
    figures = estimate(ratings, auc, UNBIASED)
    for method in (0, 1):
        of_method = figures.of(method)
        readers = len(ratings.readers)
        expected = of_method.values.var(ddof=1) / readers + covariances(of_method)[2]
        assert one_shot_mean(ratings, method).error ** 2 == pytest.approx(expected, rel=1e-9)


def test_unbiased_variances_are_means_over_the_pairs_that_share_nothing(ratings):
    pairs = kernel(ratings.scores[0], ratings.truth)[:, :4, :5]
    readers, positives, negatives = pairs.shape
    products = [
        pairs[r, p, n] * pairs[other_r, other_p, other_n]
        for r in range(readers) for other_r in range(readers) if r != other_r
        for p in range(positives) for other_p in range(positives) if p != other_p
        for n in range(negatives) for other_n in range(negatives) if n != other_n
    ]  # fmt: skip
    assert variance(pairs) == pytest.approx(pairs.mean() ** 2 - np.mean(products))


def test_the_jackknife_is_that_of_its_definition(ratings):
    count = len(ratings.truth)
    left_out = np.array(
        [auc(np.delete(ratings.scores, case, axis=2), np.delete(ratings.truth, case)).ravel() for case in range(count)]
    )
    pseudo = count * auc(ratings.scores, ratings.truth).ravel() - (count - 1) * left_out
    expected = np.cov(pseudo, rowvar=False) / count
    assert estimate(ratings).covariance.reshape(8, 8) == pytest.approx(expected)


def test_delong_variance_of_one_reader_is_the_published_formula(ratings):
    pairs = kernel(ratings.scores, ratings.truth)[1, 2]
    expected = pairs.mean(1).var(ddof=1) / pairs.shape[0] + pairs.mean(0).var(ddof=1) / pairs.shape[1]
    assert estimate(ratings, auc, DELONG).covariance[1, 2, 1, 2] == pytest.approx(expected)


def test_the_jackknife_of_a_share_is_its_binomial_variance(ratings):
    figures = estimate(ratings, accuracy(3.5), JACKKNIFE)
    share, count = figures.values[0, 0], len(ratings.truth)
    assert figures.covariance[0, 0, 0, 0] == pytest.approx(share * (1 - share) / (count - 1))


def test_equal_methods_give_no_difference_and_the_order_of_readers_does_not_matter(ratings):
    same = Ratings(ratings.scores[[0, 0]], ratings.truth, ("a", "b"), ratings.readers)
    assert compare(estimate(same)).f == 0 and compare(estimate(same)).p == 1
    turned = Ratings(ratings.scores[:, ::-1], ratings.truth, ratings.methods, ratings.readers[::-1])
    assert compare(estimate(turned)).p == pytest.approx(compare(estimate(ratings)).p)


def test_readers_with_the_same_difference_by_luck_test_nothing():
    equal = Figures(np.array([[0.5, 0.5], [0.8, 0.8]]), np.zeros((2, 2, 2, 2)), ("a", "b"), ("R1", "R2"))
    found = compare(equal)
    assert found.f is None and found.p is None and found.differences["a", "b"].p is None


def test_intervals_hold_what_they_promise():
    """Of 300 simulated studies without a difference, about 95 % of the intervals must hold 0."""
    random = np.random.RandomState(3)
    truth = np.arange(40) % 2 == 1
    held = 0
    for _ in range(300):
        case, by_reader = random.normal(size=(1, 1, 40)), random.normal(size=(1, 4, 40))
        scores = truth + 0.8 * case + 0.5 * by_reader + 0.7 * random.normal(size=(2, 4, 40))
        difference = compare(estimate(Ratings(scores, truth, ("a", "b"), tuple("1234")), auc, DELONG)).differences[
            "a", "b"
        ]
        held += difference.low <= 0 <= difference.high
    assert 0.91 <= held / 300 <= 0.99


def test_a_single_reader_has_an_interval_for_that_reader_alone(ratings):
    one = Ratings(ratings.scores[:1, :1], ratings.truth, ("a",), ("1",))
    mean = mean_of(estimate(one))
    assert mean.freedom == np.inf and mean.error == pytest.approx(float(estimate(one).covariance.squeeze()) ** 0.5)
    with pytest.raises(InputError, match="at least 2 readers, got 1"):
        one_shot_mean(one)


def test_readers_who_do_not_vary_leave_no_one_shot_estimate():
    scores = np.broadcast_to(np.array([1.0, 3, 2, 4]), (1, 3, 4))
    assert one_shot_mean(Ratings(scores, np.array([False, True] * 2), ("a",), tuple("123"))) is None


def test_what_cannot_be_compared_is_refused(ratings):
    figures = estimate(ratings)
    with pytest.raises(InputError, match="needs at least 2 methods and 2 readers, got 1 and 4"):
        compare(figures.of(0))
    with pytest.raises(InputError, match="needs at least 2 methods, got 1"):
        compare_fixed_readers(figures.of(0))
    with pytest.raises(InputError, match="`figures` must be of one method, got 2"):
        mean_of(figures)
    with pytest.raises(InputError, match="`covariance` must be one of jackknife, DeLong, unbiased, got 'other'"):
        estimate(ratings, auc, "other")
    with pytest.raises(InputError, match="`covariance` must be jackknife for a figure other than the AUC"):
        estimate(ratings, accuracy(3), DELONG)


def test_power_grows_with_readers_cases_and_the_difference():
    components = compare(van_dyke("jackknife")).components
    powers = [
        power_of_comparison(components, 114, *plan).power
        for plan in ((5, 100, 0.04), (8, 100, 0.04), (8, 200, 0.04), (8, 200, 0.06))
    ]
    assert powers == sorted(powers) and power_of_comparison(components, 114, 5, 100, 0.0).power == pytest.approx(0.05)
    with pytest.raises(InputError, match="`readers` must be at least 2"):
        power_of_comparison(components, 114, 1, 100, 0.04)
    with pytest.raises(InputError, match="`cases` must be at least 4"):
        power_of_comparison(components, 114, 5, 3, 0.04)


def test_power_of_equivalence_is_that_of_simulated_studies():
    random = np.random.RandomState(1)
    error, freedom, margin, shift = 0.035, 8, 0.1, 0.02
    values = shift + error * random.normal(size=200_000)
    errors = error * np.sqrt(random.chisquare(freedom, 200_000) / freedom)
    shown = np.abs(values) < margin - 1.8595480 * errors  # 95th percentile of t with 8 degrees of freedom
    assert power_of_equivalence(error, freedom, margin, shift) == pytest.approx(shown.mean(), abs=0.005)
    assert power_of_equivalence(0.001, np.inf) == pytest.approx(1) and power_of_equivalence(0.2, np.inf) == 0
    with pytest.raises(InputError, match="`error` and `margin` must be above 0"):
        power_of_equivalence(0, 3)


def test_power_of_chance_is_that_of_the_pilot_s_own_error_and_grows(ratings):
    figures = estimate(ratings).of(0)
    mean = mean_of(figures)
    same = power_of_chance(figures, 40, 4, 40, 0.2)
    assert same == pytest.approx(power_of_equivalence(mean.error, mean.freedom, 0.2))
    powers = [power_of_chance(figures, 40, *plan, 0.2) for plan in ((4, 40), (6, 40), (6, 100), (12, 100))]
    assert powers == sorted(powers)
    with pytest.raises(InputError, match="`figures` must be of 1 method and at least 2 readers"):
        power_of_chance(estimate(ratings), 40, 4, 40)
    with pytest.raises(InputError, match="`readers` must be at least 2"):
        power_of_chance(figures, 40, 1, 40)


def test_components_below_zero_count_as_none_in_a_plan():
    plain = power_of_comparison(Components(0, 0, 0.001, 0.0005, 0.0004, 0.0004), 100, 4, 100, 0.05)
    below = power_of_comparison(Components(0, -0.01, 0.001, 0.0005, 0.0003, 0.0004), 100, 4, 100, 0.05)
    assert below == plain
