"""Tables of ratings: CSV and .imrmc, and what they must have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.study.statistics.figures import auc
from x2x_core.study.statistics.ratings import Ratings, read_ratings

HEAD = "reader,case,truth,rating"
ROWS = [f"{reader},{case},{case % 2},{case + reader}" for reader in (1, 2) for case in range(4)]


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_is_read_in_any_order_of_lines(tmp_path):
    ratings = read_ratings(write(tmp_path / "a.csv", HEAD, *ROWS))
    again = read_ratings(write(tmp_path / "b.csv", HEAD, *reversed(ROWS)))
    assert ratings.scores.tolist() == [[[1, 2, 3, 4], [2, 3, 4, 5]]] and ratings.truth.tolist() == [False, True] * 2
    assert ratings.methods == ("all",) and ratings.readers == ("1", "2")
    assert auc(again.scores, again.truth).tolist() == auc(ratings.scores, ratings.truth).tolist()


def test_names_of_other_programs_are_known(tmp_path):
    head = "readerID,caseID,truth,modalityID,score"
    rows = [f"1,{case},{case % 2},{method},{case}" for method in "AB" for case in range(4)]
    assert read_ratings(write(tmp_path / "a.csv", head, *rows)).methods == ("A", "B")


def test_an_imrmc_file_is_read(tmp_path):
    lines = ["Title", "N0: 2", "BEGIN DATA:", *(f"truth,{case},0,{case % 2}" for case in range(4))]
    ratings = read_ratings(write(tmp_path / "a.imrmc", *lines, *(f"r1, {case}, m1, {case}.5" for case in range(4))))
    assert ratings.scores.tolist() == [[[0.5, 1.5, 2.5, 3.5]]] and ratings.truth.tolist() == [False, True] * 2
    with pytest.raises(InputError, match="lacks that of 9"):
        read_ratings(write(tmp_path / "a.imrmc", *lines, "r1,9,m1,1"))
    with pytest.raises(InputError, match="must have four cells"):
        read_ratings(write(tmp_path / "a.imrmc", *lines, "r1,9"))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["reader,case,rating"], "lacks truth"),
        ([HEAD, *ROWS, ROWS[0]], "must have one rating by 1 of case 0 with all, but has two"),
        ([HEAD, *ROWS[:-1]], "must be fully crossed, but 2 has none of 1 cases with all"),
        ([HEAD, *ROWS[:-1], "2,3,0,5"], "must have one truth for case 3"),
        ([HEAD, *ROWS[:-1], "2,3,yes,5"], "Line 9 of .* must have a number, got 'yes'"),
        ([HEAD, *ROWS[:-1], "2,3,2,5"], "must have 0 or 1 as truth, got '2'"),
        ([HEAD, *ROWS[:-1], "2,3,1,nan"], "`scores` must be numbers"),
        ([HEAD, "1,1,1,1", "1,2,1,1"], "at least 2 positive and 2 negative cases, got 2 and 0"),
    ],
)
def test_what_cannot_be_analysed_is_refused(tmp_path, lines, words):
    with pytest.raises(InputError, match=words):
        read_ratings(write(tmp_path / "a.csv", *lines))


def test_missing_files_and_wrong_shapes_are_refused(tmp_path):
    with pytest.raises(InputNotFoundError, match="There is no table"):
        read_ratings(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"`scores` must have the shape .*\(1, 1, 4\)"):
        Ratings(np.zeros((1, 2, 4)), np.array([True, False] * 2), ("a",), ("b",))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6)), min_size=4, max_size=30))
def test_the_auc_is_the_mann_whitney_statistic(cases):
    from scipy.stats import mannwhitneyu

    truth = np.array([one for one, _ in cases])
    if not 0 < truth.sum() < len(truth):
        return
    scores = np.array([float(two) for _, two in cases])
    expected = mannwhitneyu(scores[truth], scores[~truth]).statistic / (truth.sum() * (~truth).sum())
    assert auc(scores, truth) == pytest.approx(expected)
    assert auc(-scores, truth) == pytest.approx(1 - expected)
