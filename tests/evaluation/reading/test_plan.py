"""The plan of a reading set: which films, which requests, how often each film is used."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from x2x_core.common.errors import InputError
from x2x_core.evaluation.reading.plan import (
    DRAWN,
    EDIT,
    REMOVAL,
    UNEDITED,
    ReadingSettings,
    plan_reading,
    sheet_generator,
    shuffle,
)
from x2x_core.language.instruction import Instruction
from x2x_core.simulation.films.folder import Film
from x2x_core.simulation.findings import SIDED, SIMULATED_FINDINGS, levels_of

SETTINGS = ReadingSettings(seed=7)
LABELLED = ("edema", "pleural effusion")


def folder(clean=120):
    films = [Film(Path(f"{number:03d}.png"), str(number), frozenset()) for number in range(clean)]
    return [*films, *(Film(Path(f"{name}{n}.png"), f"{name}{n}", frozenset({name})) for name in LABELLED for n in "ab")]


@pytest.fixture(scope="module")
def entries():
    return plan_reading(folder(), SETTINGS)


def of_kind(entries, kind):
    return [entry for entry in entries if entry.kind == kind]


def test_each_finding_has_eight_films_at_its_two_strongest_levels(entries):
    edits = of_kind(entries, EDIT)
    assert len(edits) == 128 and len(entries) == 128 + 16 + 16 + 16
    for finding in SIMULATED_FINDINGS:
        own = [entry for entry in edits if entry.finding == finding]
        assert Counter(entry.level for entry in own) == dict.fromkeys(levels_of(finding)[-2:], 8)
        assert len({entry.film.path for entry in own}) == 8
        if finding in SIDED:
            assert Counter(entry.side for entry in own) == {"left": 8, "right": 8}


def test_the_levels_of_a_series_share_film_place_and_seed(entries):
    series = {}
    for entry in of_kind(entries, EDIT):
        series.setdefault(entry.series, []).append(entry)
    assert len(series) == 64 and len({members[0].seed for members in series.values()}) == 64
    for weak, strong in series.values():
        assert (weak.film, weak.side, weak.zone, weak.seed) == (strong.film, strong.side, strong.zone, strong.seed)
        levels = levels_of(weak.finding)
        assert levels.index(weak.level) + 1 == levels.index(strong.level)


def test_instructions_say_what_the_key_says(entries):
    for entry in entries:
        if entry.instruction is not None:
            (clause,) = Instruction.parse(entry.instruction).clauses
            assert (clause.finding, clause.side, clause.zone) == (entry.finding, entry.side, entry.zone)
            assert clause.operation.value == ("remove" if entry.kind == REMOVAL else "add")


def test_removals_take_labelled_films_first_and_then_drawn_lesions(entries):
    removals = of_kind(entries, REMOVAL)
    assert Counter(entry.finding for entry in removals) == dict.fromkeys(SIMULATED_FINDINGS, 2)
    for entry in removals:
        assert (entry.lesion is None) == (entry.finding in LABELLED) == (entry.finding in entry.film.findings)
        assert entry.lesion is None or (entry.lesion.side, entry.lesion.zone) == (entry.side, entry.zone)


def test_nothing_else_is_done_to_films_with_a_known_finding_and_no_film_is_used_twice(entries):
    assert all(not entry.film.findings for entry in entries if entry.kind != REMOVAL)
    used = Counter((entry.film.path, entry.kind, entry.series) for entry in entries)
    assert len({path for path, *_ in used}) == len(used) == 64 + 16 + 16 + 8


def test_few_films_are_used_again_and_a_finding_that_all_show_is_left_out():
    films = [Film(Path(name), name, frozenset({"edema"})) for name in "abc"]
    entries = plan_reading(films, ReadingSettings(films_per_finding=2))
    assert not [entry for entry in entries if entry.finding == "edema" and entry.kind in (EDIT, DRAWN)]
    assert Counter(entry.finding for entry in of_kind(entries, EDIT))["consolidation"] == 4
    assert len(of_kind(entries, UNEDITED)) == 3, "at most all films"


def test_a_seed_gives_one_plan_and_another_seed_another():
    assert plan_reading(folder(), SETTINGS) == plan_reading(folder(), SETTINGS)
    assert plan_reading(folder(), SETTINGS) != plan_reading(folder(), ReadingSettings(seed=8))


def test_weak_levels_are_those_below_moderate():
    weak = ReadingSettings(levels="weak")
    assert weak.levels_of("pleural effusion") == ("minimal", "small") and weak.levels_of("edema") == ("mild",)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"levels": "all"}, "`levels` must be one of strong, weak, got 'all'"),
        ({"films_per_finding": 0}, "`films_per_finding` must be at least 1, got 0"),
    ],
)
def test_wrong_settings_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        ReadingSettings(**settings)


def test_the_pictures_of_a_film_are_in_different_rounds():
    films = [number // 2 for number in range(80)] + list(range(100, 140))
    order = shuffle(films, torch.Generator().manual_seed(1))
    assert sorted(order) == list(range(120))
    shown = [films[number] for number in order]
    assert all(first != second for first, second in pairwise(shown))
    places = {film: [place for place, other in enumerate(shown) if other == film] for film in range(40)}
    assert min(high - low for low, high in places.values()) > 1
    assert sum(high - low for low, high in places.values()) / 40 > 40


def test_the_order_depends_on_the_model():
    films = list(range(30))
    orders = [shuffle(films, sheet_generator(SETTINGS, weights, 1)) for weights in (None, "0a" * 32, "0b" * 32)]
    assert len({tuple(order) for order in orders}) == 3
