"""McNemar's exact test against statsmodels."""

import pytest
from statsmodels.stats.contingency_tables import mcnemar as of_statsmodels

from x2x_core.common.errors import InputError
from x2x_core.evaluation.metrics.mcnemar import mcnemar


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (0, 6), (3, 3), (5, 14), (40, 20)])
def test_it_is_the_binomial_test_of_the_cases_that_differ(counts):
    table = [[7, counts[0]], [counts[1], 9]]
    assert mcnemar(*counts) == pytest.approx(of_statsmodels(table, exact=True).pvalue)


def test_counts_are_not_negative():
    with pytest.raises(InputError, match="must be counts"):
        mcnemar(-1, 2)
