"""Orders: balanced over readers and rounds, alike cases apart, sides even, the same for the same seed."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x2x_core.study.design.orders import balanced_orders, balanced_sides

SOURCES = [film for film in range(12) for _ in range(3)]  # 12 films, 3 pictures of each


@settings(max_examples=25)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=40), st.integers(1, 5), st.integers(0, 99))
def test_every_reader_reads_every_case_once(sources, readers, seed):
    orders = balanced_orders(sources, readers, seed, 0)
    assert len(orders) == readers
    assert all(sorted(order) == list(range(len(sources))) for order in orders)


def test_over_as_many_readers_as_rounds_each_case_is_read_once_in_each_round():
    orders = balanced_orders(SOURCES, 6, 3, 1)
    rounds = Counter((case, order.index(case) // 12) for order in orders for case in range(36))
    assert len(rounds) == 36 * 3 and set(rounds.values()) == {2}


def test_a_round_has_each_film_once_and_as_many_of_each_version():
    for order in balanced_orders(SOURCES, 3, 0, 0):
        for turn in range(3):
            cases = order[turn * 12 : turn * 12 + 12]
            assert sorted(SOURCES[case] for case in cases) == list(range(12))
            assert set(Counter(case % 3 for case in cases).values()) == {4}


def test_pictures_of_one_film_are_far_apart():
    for order in balanced_orders(SOURCES, 4, 0, 0):
        places = {case: place for place, case in enumerate(order)}
        gaps = [
            abs(places[3 * film + a] - places[3 * film + b]) for film in range(12) for a, b in ((0, 1), (1, 2), (0, 2))
        ]
        assert min(gaps) >= 4  # a plain shuffle has neighbours


def test_films_with_fewer_pictures_spread_over_the_rounds():
    sources = [*range(8), *(film for film in range(100, 104) for _ in range(4))]
    orders = balanced_orders(sources, 4, 0, 0)
    ends = [6, 12, 18, 24]
    for order in orders:
        per_round = Counter(next(turn for turn, end in enumerate(ends) if order.index(case) < end) for case in range(8))
        assert set(per_round.values()) == {2}


def test_orders_differ_between_readers_and_seeds_and_repeat_with_the_seed():
    first = balanced_orders(SOURCES, 3, 7, 0)
    assert first == balanced_orders(SOURCES, 3, 7, 0)
    assert first != balanced_orders(SOURCES, 3, 8, 0) and first != balanced_orders(SOURCES, 3, 7, 1)
    assert len({tuple(order) for order in first}) == 3


@pytest.mark.parametrize("cases", [1, 6, 9])
def test_half_of_the_pairs_change_sides_and_the_next_reader_sees_the_other_side(cases):
    first, second, third = balanced_sides(cases, 3, 5, 0)
    assert sum(first) == cases // 2
    assert [not side for side in first] == second and first == third
